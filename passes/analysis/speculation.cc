#include "passes/analysis/speculation.h"

#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

using mlir::Value;

// The extent that the bare index `subscript` runs to from 0, or null if it is anything else.
mlir::OpFoldResult ExtentOfBareIndex(Value subscript) {
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(subscript);
  if (!argument) return {};
  mlir::Operation* owner = argument.getOwner()->getParentOp();
  if (auto equation = mlir::dyn_cast<ir::EquationOp>(owner))
    return ExtentsOf(equation)[argument.getArgNumber()];
  if (auto reduce = mlir::dyn_cast<ir::ReduceOp>(owner)) {
    if (mlir::getConstantIntValue(reduce.getLower()[argument.getArgNumber()]) != 0) return {};
    return mlir::getAsOpFoldResult(reduce.getUpper()[argument.getArgNumber()]);
  }
  return {};
}

bool IsInRange(Value tensor, int64_t axis, Value subscript) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(axis) && RangeOf(subscript).Within(0, type.getDimSize(axis))) return true;
  mlir::OpFoldResult extent = ExtentOfBareIndex(subscript);
  return extent && AxisHasSize(tensor, axis, extent);
}

}  // namespace

bool IsPositive(mlir::OpFoldResult size) {
  if (auto number = mlir::getConstantIntValue(size)) return *number >= 1;
  return RangeOf(mlir::cast<Value>(size)).lo >= 1;
}

bool IsSpeculatable(mlir::Operation* op) {
  bool safe = true;
  op->walk([&](ir::ReadOp read) {
    llvm::SmallVector<ir::Outside> outside = OutsideOf(read);
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
      if (outside[axis] == ir::Outside::fill) continue;
      // Clamped, mirrored and wrapped subscripts need an element to end up at.
      if (outside[axis] != ir::Outside::inside) {
        mlir::OpFoldResult size = KnownSize(read.getTensor(), axis);
        safe &= size && IsPositive(size);
        continue;
      }
      safe &= IsInRange(read.getTensor(), axis, subscript);
    }
  });
  return safe;
}

}  // namespace weft::passes
