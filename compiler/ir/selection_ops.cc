// What weft.sort and weft.filter demand, and the sizes of their results.

#include "compiler/ir/weft_dialect.h"

namespace weft::ir {
namespace {

using mlir::LogicalResult;
using mlir::RankedTensorType;

// Of the results in order, their run-time axes in order; null for a size that is a number.
mlir::Value SizeOf(mlir::Operation* op, mlir::ValueRange sizes, mlir::Value result, int64_t axis) {
  unsigned place = 0;
  for (mlir::Value each : op->getResults()) {
    auto type = mlir::cast<RankedTensorType>(each.getType());
    if (each == result)
      return type.isDynamicDim(axis) ? sizes[place + type.getDynamicDimIndex(axis)] : mlir::Value();
    place += type.getNumDynamicDims();
  }
  return {};
}

LogicalResult VerifySizes(mlir::Operation* op, mlir::ValueRange sizes) {
  int64_t dynamic = 0;
  for (mlir::Type type : op->getResultTypes())
    dynamic += mlir::cast<RankedTensorType>(type).getNumDynamicDims();
  if (dynamic == static_cast<int64_t>(sizes.size())) return mlir::success();
  return op->emitOpError("C3: has ") << sizes.size() << " sizes for " << dynamic << " run-time axes";
}

}  // namespace

mlir::Value SortOp::getSizeOf(mlir::Value result, int64_t axis) {
  return SizeOf(*this, getSizes(), result, axis);
}

mlir::Value FilterOp::getSizeOf(mlir::Value result, int64_t axis) {
  return SizeOf(*this, getSizes(), result, axis);
}

LogicalResult SortOp::verify() {
  auto keys = mlir::cast<RankedTensorType>(getKeys().getType());
  auto order = mlir::cast<RankedTensorType>(getOrder().getType());
  if (keys.getRank() == 0 || !keys.getElementType().isIntOrFloat() || keys.getElementType().isInteger(1))
    return emitOpError("C1: sorts ") << keys;
  bool fits = order.getElementType().isInteger(64) && order.getRank() == keys.getRank();
  fits = fits && order.getShape().drop_back() == keys.getShape().drop_back();
  if (fits && !keys.isDynamicDim(keys.getRank() - 1) && !order.isDynamicDim(order.getRank() - 1))
    fits = order.getShape().back() <= keys.getShape().back();
  if (!fits) return emitOpError("C2: gives ") << order << " for keys " << keys;
  return VerifySizes(*this, getSizes());
}

LogicalResult FilterOp::verify() {
  auto mask = mlir::cast<RankedTensorType>(getMask().getType());
  auto positions = mlir::cast<RankedTensorType>(getPositions().getType());
  auto count = mlir::cast<RankedTensorType>(getCount().getType());
  if (mask.getRank() != 1 || !mask.getElementType().isInteger(1))
    return emitOpError("C1: filters by ") << mask;
  if (positions.getRank() != 1 || !positions.getElementType().isInteger(64) || count.getRank() != 0 ||
      !count.getElementType().isInteger(64))
    return emitOpError("C2: gives ") << positions << " and " << count;
  return VerifySizes(*this, getSizes());
}

}  // namespace weft::ir
