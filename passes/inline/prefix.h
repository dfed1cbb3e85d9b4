#ifndef WEFT_PASSES_INLINE_PREFIX_H_
#define WEFT_PASSES_INLINE_PREFIX_H_

// Reductions over what lies before, or behind, an index of their equation: what their parts are, and how one
// element is added to what there is.

#include <optional>

#include "llvm/ADT/SetVector.h"
#include "passes/analysis/equation.h"

namespace weft::passes {

// A range of a reduction that is `0..i`, `0..i + 1`, `i..N` or `i + 1..N`, for an index of 0..N.
struct Prefix {
  unsigned range = 0;
  mlir::BlockArgument index;
  mlir::OpFoldResult extent;  // of the index
  bool is_down = false;
  int64_t shorter = 0;  // elements fewer than the index has values
  int64_t first = 0;    // number of the first element

  // From the index to the place that it has among the elements.
  int64_t shift() const { return is_down ? 0 : -shorter; }
};
std::optional<Prefix> MatchPrefix(ir::ReduceOp reduce, ir::EquationOp equation, unsigned range);

// Whether it is long enough, if that is known, to be worth carrying.
bool IsLong(const Prefix& prefix);

// How many elements there are; may write operations.
mlir::OpFoldResult CountOf(const Prefix& prefix, mlir::OpBuilder& builder, mlir::Location loc);

// What a part of an equation's body is made of.
struct Elements {
  llvm::SetVector<mlir::Value> indices;        // of the equation
  llvm::SmallVector<mlir::Operation*> needed;  // of its body, in order
};
// Of the elements of `reduce` and of `bounds`; nothing where these depend on `index`.
std::optional<Elements> ElementsOf(ir::ReduceOp reduce, llvm::ArrayRef<mlir::Value> bounds,
                                   ir::EquationOp equation, mlir::Value index);

// One more element: from its number and what was carried so far to what is carried on.
using StepBuilder = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder& body, mlir::Value element, mlir::ValueRange carried, mlir::ValueRange indices)>;

// A loop in front of the equation that goes over the elements of a prefix, for every value of `indices` of
// the equation. It begins with `start` and keeps what is carried behind every element: the results.
llvm::SmallVector<mlir::Value> CarryAlong(const Prefix& prefix, ir::EquationOp equation, ir::ReduceOp reduce,
                                          mlir::ValueRange indices, llvm::ArrayRef<mlir::TypedAttr> start,
                                          StepBuilder step);

// What was carried up to, or from, the index; `none` where nothing lies before it.
mlir::Value ReadCarried(mlir::OpBuilder& b, const Prefix& prefix, mlir::Value carried,
                        mlir::ValueRange indices, mlir::Value none);

// As what partial results are stored: indices as i64, sums and products of short floats wider.
mlir::Type CarriedType(ir::ReduceKind kind, mlir::Type type);
mlir::Value Carried(mlir::OpBuilder& b, mlir::Location loc, mlir::Type type, mlir::Value value);

// The value of a reduction over nothing; of those that have none, one that stands before all others.
mlir::TypedAttr Identity(mlir::Builder& builder, ir::ReduceKind kind, mlir::Type type);

// `y` behind `x`.
mlir::Value Combine(mlir::OpBuilder& b, mlir::Location loc, ir::ReduceKind kind, mlir::Value x,
                    mlir::Value y);

// Whether argmax, or argmin, prefers `x`: NaN is the largest, equal ones are not better.
mlir::Value IsBetter(mlir::OpBuilder& b, mlir::Location loc, mlir::Value x, mlir::Value y, bool largest);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_PREFIX_H_
