#ifndef WEFT_PASSES_ANALYSIS_BODY_H_
#define WEFT_PASSES_ANALYSIS_BODY_H_

// What the body of an equation uses and costs.

#include <cstdint>
#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SetVector.h"

namespace weft::passes {

// Values from outside that `op` uses, itself or in its regions, in the order of their first use.
llvm::SetVector<mlir::Value> UsedFromOutside(mlir::Operation* op);

// Indices of equations and reductions around `value`'s definition that it depends on, however indirectly. The
// indices of reductions within what defines it do not count.
llvm::SetVector<mlir::Value> IndicesOf(mlir::Value value);

// Points of the domain, or of a reduction; nothing where a size is not a number.
std::optional<int64_t> PointCount(ir::EquationOp equation);
std::optional<int64_t> PointCount(ir::ReduceOp reduce);

// What one point takes, in additions of floats: every arithmetic operation counts one, functions like exp
// what they cost beside an addition, a reduction its steps. `unknown` stands for the steps of a reduction
// whose bounds are not numbers.
double CostPerPoint(ir::EquationOp equation, double unknown = 64);

// The same for the operation alone with everything in it, once.
double CostOf(mlir::Operation* op, double unknown = 64);

// The number that a value stands for, if it is known.
using KnownNumber = llvm::function_ref<std::optional<int64_t>(mlir::Value)>;

// Floating-point operations for one point, for people: every addition, multiplication, comparison and real
// function counts one. A reduction whose bounds are not known counts one step. Of values among which the
// place of the result chooses, one is computed.
double FlopsPerPoint(ir::EquationOp equation, KnownNumber number);

// Adds the operands of a tree of `and`, or what is no such tree itself.
void CollectConjuncts(mlir::Value condition, llvm::SetVector<mlir::Value>& conjuncts);

// Whether the body holds a reduction.
bool HasReduction(ir::EquationOp equation);

// Bytes of a tensor, or nothing where a size is not a number. One byte per i1.
std::optional<int64_t> BytesOf(mlir::Type tensor);
int64_t ElementBytes(mlir::Type element);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_BODY_H_
