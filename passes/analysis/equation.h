#ifndef WEFT_PASSES_ANALYSIS_EQUATION_H_
#define WEFT_PASSES_ANALYSIS_EQUATION_H_

// Equations as passes look at them: extents as numbers or values, who reads a tensor, and how to write new
// ones.

#include <cstdint>
#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace weft::passes {

// One per index, in order: a number or an `index` value.
llvm::SmallVector<mlir::OpFoldResult> ExtentsOf(ir::EquationOp equation);
llvm::SmallVector<mlir::OpFoldResult> ExtentsOf(ir::LoopOp loop);

// The size of one axis of a tensor as far as it is known without computing: a number, the extent of the
// equation that defines it, or null where only a `tensor.dim` would tell.
mlir::OpFoldResult KnownSize(mlir::Value tensor, int64_t axis);

// The size of one axis; writes a `tensor.dim` where nothing else tells.
mlir::OpFoldResult SizeOf(mlir::OpBuilder& builder, mlir::Location location, mlir::Value tensor,
                          int64_t axis);

// Whether both are shown to be the same number.
bool SameSize(mlir::OpFoldResult a, mlir::OpFoldResult b);
bool AxisHasSize(mlir::Value tensor, int64_t axis, mlir::OpFoldResult size);

// An index value for a number or a value.
mlir::Value AsIndex(mlir::OpBuilder& builder, mlir::Location location, mlir::OpFoldResult size);

// The equation that defines `value`, if one does.
ir::EquationOp DefiningEquation(mlir::Value value);

// The reads of `tensor`, or nothing if it is used in any other way (returned, viewed, asked for its size).
std::optional<llvm::SmallVector<ir::ReadOp>> OnlyReads(mlir::Value tensor);

// Unit attribute of an equation whose form its schedule relies on: it is composed with nothing.
inline constexpr llvm::StringLiteral kStandsAlone = "stands_alone";

// The equation around an operation of its body, or null.
ir::EquationOp EnclosingEquation(mlir::Operation* op);

// What each subscript means outside its axis.
llvm::SmallVector<ir::Outside> OutsideOf(ir::ReadOp read);

// Whether every subscript is proved to be inside its axis.
bool IsInside(ir::ReadOp read);

// The operand of the equation's terminator that is its result `result`.
mlir::Value YieldedValue(ir::EquationOp equation, unsigned result);

// What a new equation is called by.
struct EquationLabel {
  mlir::Location location;
  mlir::StringAttr path;  // may be null
};
EquationLabel LabelOf(ir::EquationOp equation);
// Of what a named location stands for.
EquationLabel LabelAt(mlir::Location location);
// Of an equation that a pass makes out of another: `y.packed`.
EquationLabel PartOf(EquationLabel whole, llvm::StringRef part);

// Keeps with `equation` (attribute `fused`) that `part`, and what is fused into that, is computed in it now.
void NoteFused(ir::EquationOp equation, ir::EquationOp part);

// Writes an equation. `body` writes the scalar operations and returns one value per element type.
using BodyBuilder =
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder& builder, mlir::ValueRange indices)>;
ir::EquationOp CreateEquation(mlir::OpBuilder& builder, EquationLabel label,
                              llvm::ArrayRef<mlir::OpFoldResult> extents,
                              llvm::ArrayRef<mlir::Attribute> names, llvm::ArrayRef<mlir::Type> element_types,
                              BodyBuilder body);

// A read that is inside everywhere, and one with its guards (`fill` exactly where some subscript fills).
ir::ReadOp CreateRead(mlir::OpBuilder& builder, mlir::Location location, mlir::Value tensor,
                      mlir::ValueRange subscripts);
ir::ReadOp CreateRead(mlir::OpBuilder& builder, mlir::Location location, mlir::Value tensor,
                      mlir::ValueRange subscripts, llvm::ArrayRef<ir::Outside> outside, mlir::Value fill);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_EQUATION_H_
