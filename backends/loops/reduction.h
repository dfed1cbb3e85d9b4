#ifndef WEFT_BACKENDS_LOOPS_REDUCTION_H_
#define WEFT_BACKENDS_LOOPS_REDUCTION_H_

#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/Builders.h"

namespace weft::backends {

// What a reduction carries from one element to the next, as a list of scalars:
//   sum prod any all max min   the value so far [, whether there was an element]
//   first last                 the element, whether there was one
//   argmax argmin              the best key, its position, whether there was one
// f16 and bf16 are carried in f32: sums and products round once, and LLVM has no library for bf16 on old
// processors.
class Reduction {
 public:
  explicit Reduction(ir::ReduceOp op);

  llvm::SmallVector<mlir::Value> Start(mlir::OpBuilder& builder, mlir::Location loc) const;

  // The state after one more element. `position`: row-major among the ranges. `condition`: null if it always
  // counts.
  llvm::SmallVector<mlir::Value> Step(mlir::OpBuilder& builder, mlir::Location loc, mlir::ValueRange state,
                                      mlir::Value value, mlir::Value condition, mlir::Value position) const;

  // The result; `if_empty`: null if the kind's own value stands for the empty set.
  mlir::Value Finish(mlir::OpBuilder& builder, mlir::Location loc, mlir::ValueRange state,
                     mlir::Value if_empty) const;

  bool needs_position() const;

 private:
  bool carries_found() const;
  mlir::Value Combine(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value so_far,
                      mlir::Value value) const;

  ir::ReduceKind kind_;
  mlir::Type element_;      // of the body
  mlir::Type accumulator_;  // what is carried
  bool has_else_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_REDUCTION_H_
