// What weft.sort, weft.segments, weft.filter, weft.update and weft.extern demand, and the sizes of their
// results.

#include <functional>

#include "compiler/ir/scatter_ops.h"
#include "llvm/ADT/Sequence.h"

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

mlir::Value SegmentsOp::getSizeOf(mlir::Value result, int64_t axis) {
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

LogicalResult SegmentsOp::verify() {
  auto keys = mlir::cast<RankedTensorType>(getKeys().getType());
  auto starts = mlir::cast<RankedTensorType>(getStarts().getType());
  if (keys.getRank() == 0 || !keys.getElementType().isInteger(64))
    return emitOpError("C1: has keys ") << keys;
  bool fits = getOrder().getType() == keys && starts.getRank() == keys.getRank() &&
              starts.getElementType().isInteger(64);
  fits = fits && starts.getShape().drop_back() == keys.getShape().drop_back();
  if (!fits || starts.getShape().back() == 0)
    return emitOpError("C2: gives ") << getOrder().getType() << " and " << starts << " for keys " << keys;
  return VerifySizes(*this, getSizes());
}

mlir::Value ExternOp::getSizeOf(mlir::Value result, int64_t axis) {
  return SizeOf(*this, getSizes(), result, axis);
}

LogicalResult ExternOp::verify() {
  size_t results = getResults().size();
  if (getElements().size() != getInputs().size() + results || getNames().size() != results)
    return emitOpError("C1: has ") << getElements().size() << " types and " << getNames().size() << " names";
  auto ranges = static_cast<size_t>(llvm::count(getRanged(), true));
  if (getRanged().size() != results || getBounds().size() != 2 * ranges)
    return emitOpError("C2: has ") << getBounds().size() << " bounds for " << ranges << " ranges";
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

bool ChangesState(IterateOp iterate, unsigned state) {
  auto changes = iterate->getAttrOfType<mlir::DenseBoolArrayAttr>(kChangesState);
  return changes && changes[state];
}

bool IsStateOfSteps(mlir::Value value) {
  auto iterate = value.getDefiningOp<IterateOp>();
  if (!iterate) return false;
  int result = static_cast<int>(mlir::cast<mlir::OpResult>(value).getResultNumber());
  for (auto [number, state] : llvm::enumerate(iterate.getStates()))
    if (state.result == result) return ChangesState(iterate, static_cast<unsigned>(number));
  return false;
}

int64_t RingSize(IterateOp iterate, unsigned state) {
  if (ChangesState(iterate, state)) return 0;
  auto in_place = iterate->getAttrOfType<mlir::DenseBoolArrayAttr>(kInPlace);
  return iterate.getWindow()[state] + (in_place && in_place[state] ? 0 : 1);
}

LogicalResult UpdateOp::verify() {
  auto tensor = mlir::cast<RankedTensorType>(getTensor().getType());
  auto slice = mlir::cast<RankedTensorType>(getSlice().getType());
  if (getResult().getType() != tensor)
    return emitOpError("C1: gives ") << getResult().getType() << " for " << tensor;
  auto is_part = [](llvm::ArrayRef<int64_t> axes, llvm::ArrayRef<int64_t> all) {
    return llvm::is_sorted(axes, std::less_equal<>()) &&  // each once
           llvm::all_of(axes, [&](int64_t axis) { return llvm::is_contained(all, axis); });
  };
  llvm::SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(tensor.getRank()));
  bool fits = is_part(getAxes(), all) && getPositions().size() == getAxes().size() &&
              slice.getElementType() == tensor.getElementType();
  int64_t kept = 0;
  for (int64_t axis : all) {
    bool spans = llvm::is_contained(getSpans(), axis);
    if (llvm::is_contained(getAxes(), axis) && !spans) continue;
    fits &= kept < slice.getRank() && (spans || slice.getDimSize(kept) == tensor.getDimSize(axis));
    ++kept;
  }
  if (!fits || slice.getRank() != kept)
    return emitOpError("C2: puts ") << slice << " at " << getAxes().size() << " axes of " << tensor;
  if (!is_part(getSpans(), getAxes()) || !is_part(getWraps(), getSpans()))
    return emitOpError("C3: spans or wraps along an axis that has no position");
  return mlir::success();
}

}  // namespace weft::ir
