#include "passes/analysis/outputs.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/analysis/equation.h"

namespace weft::passes {

using mlir::SmallVector;
using mlir::Value;

Value ViewedValue(Value value) {
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (!mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

Value CreateCopy(mlir::OpBuilder& builder, mlir::Location location, Value tensor) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  SmallVector<mlir::OpFoldResult> extents;
  SmallVector<mlir::Attribute> names;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    extents.push_back(SizeOf(builder, location, tensor, axis));
    names.push_back(builder.getStringAttr("i" + std::to_string(axis)));
  }
  auto equation = CreateEquation(builder, {location, nullptr}, extents, names, type.getElementType(),
                                 [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                   return {CreateRead(body, location, tensor, indices)};
                                 });
  return equation->getResult(0);
}

}  // namespace weft::passes
