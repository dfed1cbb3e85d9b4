#ifndef WEFT_BACKENDS_HOST_LATE_SIZES_H_
#define WEFT_BACKENDS_HOST_LATE_SIZES_H_

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/DenseSet.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::backends {

// What depends on a size that only the data decides (weft.found): it is not known before the program runs.
class LateSizes {
 public:
  void Run(mlir::func::FuncOp function);
  // Of a tensor: whether one of its sizes is late. Of a number: whether it is.
  bool IsLate(mlir::Value value) const { return late_.contains(value); }
  // Whether it uses a number that is late.
  bool IsLate(mlir::Operation* op) const;

 private:
  bool AnyLate(mlir::ValueRange sizes) const;
  void RunSteps(ir::IterateOp iterate);

  llvm::DenseSet<mlir::Value> late_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_LATE_SIZES_H_
