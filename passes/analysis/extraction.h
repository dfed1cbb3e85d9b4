#ifndef WEFT_PASSES_ANALYSIS_EXTRACTION_H_
#define WEFT_PASSES_ANALYSIS_EXTRACTION_H_

// Giving a part of a body an equation of its own.

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace weft::passes {

// The operations of `equation`'s body that compute `value`, in order, its own included; empty where `value`
// comes from outside the body.
llvm::SetVector<mlir::Operation*> SliceOf(mlir::Value value, ir::EquationOp equation);

// How far an index of `equation`'s domain, or of a reduction in it, counts from 0; null where it does not, or
// where the equation's body decides it. And what the index is called.
mlir::OpFoldResult ExtentOf(mlir::Value index, ir::EquationOp equation);
mlir::Attribute NameOf(mlir::Value index);

// Indices of `equation` and of reductions in it that `value` depends on: those of the domain first, as it has
// them.
llvm::SmallVector<mlir::Value> OrderedIndices(mlir::Value value, ir::EquationOp equation);

// Whether every index that `value` depends on may become an index of a new equation: of the domain, or of a
// reduction from 0 to a bound that is known outside the body.
bool CanExtract(mlir::Value value, ir::EquationOp equation);

// Whether the slice reads in range at every point of the indices it depends on, even where `equation` itself
// has no points, or would not have asked for the value.
bool IsSliceSpeculatable(mlir::Value value, ir::EquationOp equation);

// Writes what computes `value` of `equation`'s body where `builder` is, its indices as `mapping` has them,
// and returns the copy. It may run where the equation would not have asked: what it then reads outside is
// zero.
mlir::Value CloneGuarded(mlir::OpBuilder& builder, mlir::Value value, ir::EquationOp equation,
                         mlir::IRMapping& mapping);

// Writes an equation before `equation` that computes `value` for the indices it depends on, and replaces all
// uses of `value` by reads of it. Needs CanExtract, and that computing it at every point is right.
ir::EquationOp ExtractEquation(mlir::Value value, ir::EquationOp equation);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_EXTRACTION_H_
