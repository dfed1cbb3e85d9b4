#ifndef WEFT_COMPILER_IR_UNTIL_H_
#define WEFT_COMPILER_IR_UNTIL_H_

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

// Loops of steps, `weft.loop` and `weft.iterate`, that may end early: C7 of `weft.loop`.
namespace weft::ir {

inline constexpr llvm::StringLiteral kUntil = "weft.until";

inline bool EndsEarly(mlir::Operation* steps) { return steps->hasAttr(kUntil); }
inline void EndEarly(mlir::Operation* steps) {
  steps->setAttr(kUntil, mlir::UnitAttr::get(steps->getContext()));
}
// How many steps were made, of one that ends early.
inline mlir::OpResult StepCount(mlir::Operation* steps) { return steps->getResults().back(); }

// Of a `weft.loop` that is stepped for points together until the last of them has ended: C8.
inline constexpr llvm::StringLiteral kEndsByPoint = "weft.ends_by_point";

inline bool EndsByPoint(mlir::Operation* steps) { return steps->hasAttr(kEndsByPoint); }
inline void EndByPoint(mlir::Operation* steps) {
  EndEarly(steps);
  steps->setAttr(kEndsByPoint, mlir::UnitAttr::get(steps->getContext()));
}

// A loop of one step or none, which is a side of a branch: nothing leaves it.
inline constexpr llvm::StringLiteral kSide = "weft.side";

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_UNTIL_H_
