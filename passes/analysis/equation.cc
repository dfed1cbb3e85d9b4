#include "passes/analysis/equation.h"

#include "compiler/ir/scatter_ops.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

SmallVector<OpFoldResult> ExtentsOf(ir::EquationOp equation) { return equation.getMixedExtents(); }
SmallVector<OpFoldResult> ExtentsOf(ir::LoopOp loop) { return loop.getMixedExtents(); }

namespace {

// A run-time size of what a loop of steps keeps; null where a state before it is not kept, so that its sizes
// are not seen from the results.
OpFoldResult SizeOfState(const ir::LoopStates& states, OpFoldResult extent, mlir::OperandRange sizes,
                         mlir::TypeRange results, mlir::OpResult tensor, int64_t axis) {
  unsigned place = 0;
  for (const ir::LoopState& state : states) {
    if (state.result < 0) return {};
    auto type = mlir::cast<mlir::RankedTensorType>(results[static_cast<unsigned>(state.result)]);
    bool all = state.keep == ir::Keep::kAll;
    unsigned of_extent = all && type.isDynamicDim(0) ? 1 : 0;
    if (static_cast<unsigned>(state.result) == tensor.getResultNumber()) {
      if (all && axis == 0) return extent;
      return OpFoldResult(sizes[place + type.getDynamicDimIndex(axis) - of_extent]);
    }
    place += static_cast<unsigned>(type.getNumDynamicDims()) - of_extent;
  }
  return {};
}

}  // namespace

OpFoldResult KnownSize(Value tensor, int64_t axis) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(axis)) return mlir::Builder(tensor.getContext()).getIndexAttr(type.getDimSize(axis));
  if (ir::EquationOp equation = DefiningEquation(tensor)) return ExtentsOf(equation)[axis];
  if (auto expand = tensor.getDefiningOp<mlir::tensor::ExpandShapeOp>())
    return expand.getMixedOutputShape()[axis];
  if (auto launch = tensor.getDefiningOp<ir::LaunchOp>()) {
    unsigned place = 0;
    for (Value result : launch.getResults()) {
      auto shape = mlir::cast<mlir::RankedTensorType>(result.getType());
      if (result == tensor) return OpFoldResult(launch.getSizes()[place + shape.getDynamicDimIndex(axis)]);
      place += shape.getNumDynamicDims();
    }
  }
  if (auto iterate = tensor.getDefiningOp<ir::IterateOp>())
    return SizeOfState(iterate.getStates(), iterate.getExtent(), iterate.getSizes(), iterate.getResultTypes(),
                       mlir::cast<mlir::OpResult>(tensor), axis);
  if (auto loop = tensor.getDefiningOp<ir::LoopOp>(); loop && !loop.isParallel())
    return SizeOfState(loop.getStates(), ExtentsOf(loop)[0], loop.getSizes(), loop.getResultTypes(),
                       mlir::cast<mlir::OpResult>(tensor), axis);
  if (auto sort = tensor.getDefiningOp<ir::SortOp>()) return OpFoldResult(sort.getSizeOf(tensor, axis));
  if (auto segments = tensor.getDefiningOp<ir::SegmentsOp>())
    return OpFoldResult(segments.getSizeOf(tensor, axis));
  if (auto update = tensor.getDefiningOp<ir::UpdateOp>()) return KnownSize(update.getTensor(), axis);
  if (auto filter = tensor.getDefiningOp<ir::FilterOp>()) return OpFoldResult(filter.getSizeOf(tensor, axis));
  if (auto call = tensor.getDefiningOp<ir::ExternOp>()) return OpFoldResult(call.getSizeOf(tensor, axis));
  if (auto slice = tensor.getDefiningOp<mlir::tensor::ExtractSliceOp>();
      slice && slice.getSourceType().getRank() == slice.getType().getRank())
    return slice.getMixedSizes()[axis];
  if (auto collapse = tensor.getDefiningOp<mlir::tensor::CollapseShapeOp>()) {
    llvm::SmallVector<int64_t, 2> group = collapse.getReassociationIndices()[axis];
    if (group.size() == 1) return KnownSize(collapse.getSrc(), group.front());
  }
  return {};
}

OpFoldResult SizeOf(mlir::OpBuilder& builder, mlir::Location location, Value tensor, int64_t axis) {
  if (OpFoldResult known = KnownSize(tensor, axis)) return known;
  return mlir::tensor::DimOp::create(builder, location, tensor, axis).getResult();
}

bool SameSize(OpFoldResult a, OpFoldResult b) {
  auto first = mlir::getConstantIntValue(a), second = mlir::getConstantIntValue(b);
  if (first || second) return first == second;
  return ProvablyEqual(mlir::cast<Value>(a), mlir::cast<Value>(b));
}

bool AxisHasSize(Value tensor, int64_t axis, OpFoldResult size) {
  if (OpFoldResult known = KnownSize(tensor, axis)) return SameSize(known, size);
  auto value = mlir::dyn_cast<Value>(size);
  auto dim = value ? value.getDefiningOp<mlir::tensor::DimOp>() : nullptr;
  return dim && dim.getSource() == tensor && dim.getConstantIndex() == axis;
}

Value AsIndex(mlir::OpBuilder& builder, mlir::Location location, OpFoldResult size) {
  return mlir::getValueOrCreateConstantIndexOp(builder, location, size);
}

ir::EquationOp DefiningEquation(Value value) { return value.getDefiningOp<ir::EquationOp>(); }

std::optional<SmallVector<ir::ReadOp>> OnlyReads(Value tensor) {
  SmallVector<ir::ReadOp> reads;
  for (mlir::Operation* user : tensor.getUsers()) {
    auto read = mlir::dyn_cast<ir::ReadOp>(user);
    if (!read) return std::nullopt;
    reads.push_back(read);
  }
  return reads;
}

ir::EquationOp EnclosingEquation(mlir::Operation* op) { return op->getParentOfType<ir::EquationOp>(); }

SmallVector<ir::Outside> OutsideOf(ir::ReadOp read) {
  return llvm::map_to_vector(read.getOutside(), [](int32_t word) { return static_cast<ir::Outside>(word); });
}

bool IsInside(ir::ReadOp read) {
  return llvm::all_of(OutsideOf(read), [](ir::Outside outside) { return outside == ir::Outside::inside; });
}

Value YieldedValue(ir::EquationOp equation, unsigned result) {
  return equation.getBody().front().getTerminator()->getOperand(result);
}

EquationLabel LabelOf(ir::EquationOp equation) { return {equation.getLoc(), equation.getPathAttr()}; }

EquationLabel LabelAt(mlir::Location location) {
  auto named = mlir::dyn_cast<mlir::NameLoc>(location);
  return {location, named ? named.getName() : nullptr};
}

EquationLabel PartOf(EquationLabel whole, llvm::StringRef part) {
  if (whole.path)
    whole.path = mlir::StringAttr::get(whole.path.getContext(), whole.path.getValue() + "." + part);
  return whole;
}

void NoteFused(ir::EquationOp equation, ir::EquationOp part) {
  llvm::SetVector<mlir::Attribute> paths;
  for (ir::EquationOp op : {part, equation})
    if (auto before = op->getAttrOfType<mlir::ArrayAttr>("fused")) paths.insert(before.begin(), before.end());
  mlir::StringAttr path = part.getPathAttr();
  if (path && path != equation.getPathAttr()) paths.insert(path);
  if (!paths.empty())
    equation->setAttr("fused", mlir::ArrayAttr::get(equation.getContext(), paths.getArrayRef()));
}

ir::EquationOp CreateEquation(mlir::OpBuilder& builder, EquationLabel label,
                              llvm::ArrayRef<OpFoldResult> extents, llvm::ArrayRef<mlir::Attribute> names,
                              llvm::ArrayRef<mlir::Type> element_types, BodyBuilder body) {
  SmallVector<int64_t> shape = llvm::map_to_vector(extents, [](OpFoldResult extent) {
    return mlir::isa<mlir::Attribute>(extent) ? *mlir::getConstantIntValue(extent)
                                              : mlir::ShapedType::kDynamic;
  });
  SmallVector<mlir::Type> types = llvm::map_to_vector(
      element_types, [&](mlir::Type type) -> mlir::Type { return mlir::RankedTensorType::get(shape, type); });
  SmallVector<llvm::StringRef> words = llvm::map_to_vector(
      names, [](mlir::Attribute name) { return mlir::cast<mlir::StringAttr>(name).getValue(); });
  return ir::EquationOp::create(
      builder, label.location, types, extents, words, label.path ? label.path.getValue() : llvm::StringRef(),
      [&](mlir::OpBuilder& inner, mlir::Location location, mlir::ValueRange indices) {
        ir::YieldOp::create(inner, location, body(inner, indices));
      });
}

ir::ReadOp CreateRead(mlir::OpBuilder& builder, mlir::Location location, Value tensor,
                      mlir::ValueRange subscripts) {
  return ir::ReadOp::create(builder, location, tensor, subscripts, {}, Value());
}

ir::ReadOp CreateRead(mlir::OpBuilder& builder, mlir::Location location, Value tensor,
                      mlir::ValueRange subscripts, llvm::ArrayRef<ir::Outside> outside, Value fill) {
  return ir::ReadOp::create(builder, location, tensor, subscripts, outside, fill);
}

}  // namespace weft::passes
