#ifndef WEFT_PASSES_INLINE_ENDS_BY_POINT_H_
#define WEFT_PASSES_INLINE_ENDS_BY_POINT_H_

// Loops that are stepped for points together until all of them have ended (`weft.ends_by_point`).

#include "passes/analysis/equation.h"

namespace weft::passes {

// The last slice of a step: whether `ended`, which an equation over the points gives, holds for all of them.
mlir::Value AllEnded(mlir::OpBuilder& builder, mlir::Location location, mlir::Value ended);

// Of a step of such a loop: the slice that says which points have ended, and what computes the last slice.
mlir::Value EndedSlice(ir::LoopOp steps);
mlir::Operation* EndOfStep(ir::LoopOp steps);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_ENDS_BY_POINT_H_
