#include "backends/host/late_sizes.h"

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft::backends {

bool LateSizes::IsLate(mlir::Operation* op) const {
  return llvm::any_of(op->getOperands(), [&](mlir::Value operand) {
    return !mlir::isa<mlir::TensorType>(operand.getType()) && IsLate(operand);
  });
}

void LateSizes::Run(mlir::func::FuncOp function) {
  for (mlir::Operation& op : function.getBody().front()) {
    if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) {
      unsigned place = 0;
      for (mlir::Value result : launch.getResults()) {
        unsigned count = mlir::cast<mlir::RankedTensorType>(result.getType()).getNumDynamicDims();
        if (AnyLate(launch.getSizes().slice(place, count))) late_.insert(result);
        place += count;
      }
    } else if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op)) {
      RunSteps(iterate);
    } else {
      bool of_tensors = mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp,
                                  mlir::tensor::CastOp, mlir::tensor::DimOp>(op);
      bool is_late = mlir::isa<ir::FoundOp>(op) || IsLate(&op) || (of_tensors && IsLate(op.getOperand(0)));
      if (is_late) late_.insert_range(op.getResults());
    }
  }
}

bool LateSizes::AnyLate(mlir::ValueRange sizes) const {
  return llvm::any_of(sizes, [&](mlir::Value size) { return IsLate(size); });
}

// A loop's states, and the arguments of its step in their order: the number of the step, what it reads of
// each state, inputs.
void LateSizes::RunSteps(ir::IterateOp iterate) {
  auto step =
      iterate->getParentOfType<mlir::ModuleOp>().lookupSymbol<mlir::func::FuncOp>(iterate.getCallee());
  auto extent = mlir::dyn_cast<mlir::Value>(iterate.getExtent());
  bool is_extent_late = extent && IsLate(extent);
  unsigned place = 0, next = 1;
  for (auto [number, state] : llvm::enumerate(iterate.getStates())) {
    auto type = mlir::cast<mlir::RankedTensorType>(step.getResultTypes()[number]);
    bool is_late = AnyLate(iterate.getSizes().slice(place, type.getNumDynamicDims()));
    place += type.getNumDynamicDims();
    for (int64_t i = 0; i < state.window; ++i, ++next)
      if (is_late) late_.insert(step.getArgument(next));
    if (state.history) {
      if (is_late || is_extent_late) late_.insert(step.getArgument(next));
      ++next;
    }
    bool is_result_late = is_late || (state.keep == ir::Keep::kAll && is_extent_late);
    if (state.result >= 0 && is_result_late)
      late_.insert(iterate->getResult(static_cast<unsigned>(state.result)));
  }
  for (mlir::Value input : iterate.getInputs()) {
    if (IsLate(input)) late_.insert(step.getArgument(next));
    ++next;
  }
  Run(step);
}

}  // namespace weft::backends
