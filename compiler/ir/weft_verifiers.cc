// The numbered constraints of weft_ops.td.

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace weft::ir {

// C1 and C3 to C6 of a loop of steps; in loop_states.cc.
mlir::LogicalResult VerifySteps(LoopOp loop);

namespace {

using mlir::LogicalResult;

LogicalResult VerifyIndices(mlir::Operation* op, mlir::Region& body, size_t count, size_t names) {
  if (body.getNumArguments() != count || names != count)
    return op->emitOpError("C1: has ") << count << " index ranges, but " << body.getNumArguments()
                                       << " region arguments and " << names << " names";
  for (mlir::BlockArgument argument : body.getArguments())
    if (!argument.getType().isIndex()) return op->emitOpError("C1: region argument is no index");
  return mlir::success();
}

LogicalResult VerifyDynamicCount(mlir::Operation* op, llvm::ArrayRef<int64_t> numbers, size_t operands) {
  size_t dynamic = llvm::count(numbers, mlir::ShapedType::kDynamic);
  if (dynamic != operands)
    return op->emitOpError("has ") << dynamic << " run-time extents, but " << operands
                                   << " operands for them";
  return mlir::success();
}

mlir::Type ElementType(mlir::Type type) { return mlir::cast<mlir::RankedTensorType>(type).getElementType(); }

YieldOp TerminatorOf(mlir::Region& body) {
  return body.front().empty() ? nullptr : mlir::dyn_cast<YieldOp>(body.front().back());
}

}  // namespace

LogicalResult EquationOp::verify() {
  if (mlir::failed(VerifyIndices(*this, getBody(), getStaticExtents().size(), getNames().size())) ||
      mlir::failed(VerifyDynamicCount(*this, getStaticExtents(), getExtents().size())))
    return mlir::failure();
  for (mlir::Type type : getResultTypes())
    if (mlir::cast<mlir::RankedTensorType>(type).getShape() != getStaticExtents())
      return emitOpError("C2: result ") << type << " does not have the shape of the extents";
  YieldOp yield = TerminatorOf(getBody());
  if (!yield || yield.getCondition() || yield.getValues().size() != getNumResults())
    return emitOpError("C3: must yield one value per result, without condition");
  for (auto [value, type] : llvm::zip_equal(yield.getValues(), getResultTypes()))
    if (value.getType() != ElementType(type))
      return emitOpError("C3: yields ") << value.getType() << " for " << type;
  return mlir::success();
}

LogicalResult ReduceOp::verify() {
  if (getLower().size() != getUpper().size())
    return emitOpError("C1: lower and upper bounds differ in number");
  if (mlir::failed(VerifyIndices(*this, getBody(), getLower().size(), getNames().size())))
    return mlir::failure();
  YieldOp yield = TerminatorOf(getBody());
  if (!yield || yield.getValues().size() != 1) return emitOpError("C2: must yield one value");
  mlir::Type body = yield.getValues()[0].getType();
  bool gives_position = getKind() == ReduceKind::argmax || getKind() == ReduceKind::argmin;
  if (gives_position ? !getType().isIndex() : getType() != body)
    return emitOpError("C3: result ") << getType() << " of a body of " << body;
  if ((getKind() == ReduceKind::any || getKind() == ReduceKind::all) && !body.isInteger(1))
    return emitOpError("C4: reduces ") << body << ", not i1";
  if (getIfEmpty() && getIfEmpty().getType() != getType())
    return emitOpError("C5: value if empty is ") << getIfEmpty().getType() << ", not " << getType();
  for (llvm::StringRef name : {"counted_from", "counted_to"}) {
    if (!(*this)->hasAttr(name)) continue;
    auto counted = (*this)->getAttrOfType<mlir::AffineMapAttr>(name);
    if (!counted) return emitOpError("C6: ") << name << " is no map from the indices of its equation";
    mlir::AffineMap map = counted.getValue();
    auto equation = (*this)->getParentOfType<EquationOp>();
    if (!equation || map.getNumDims() != equation.getBody().getNumArguments() || map.getNumSymbols() != 0 ||
        map.getNumResults() == 0)
      return emitOpError("C6: ") << counted << " is no map from the indices of its equation";
    if (getLower().size() != 1 || getIfEmpty() || yield.getCondition())
      return emitOpError(
          "C6: counts some elements of several ranges, of a condition or with a value if empty");
  }
  return mlir::success();
}

LogicalResult ReadOp::verify() {
  auto type = mlir::cast<mlir::RankedTensorType>(getTensor().getType());
  if (static_cast<int64_t>(getSubscripts().size()) != type.getRank() ||
      getOutside().size() != getSubscripts().size())
    return emitOpError("C1: ") << getSubscripts().size() << " subscripts and " << getOutside().size()
                               << " words of `outside` for " << type;
  bool fills = false;
  for (int32_t word : getOutside()) {
    if (!symbolizeOutside(word)) return emitOpError("C1: unknown word of `outside`");
    fills |= static_cast<Outside>(word) == Outside::fill;
  }
  if (fills != static_cast<bool>(getFill()))
    return emitOpError(fills ? "C2: lacks the value that fills" : "C2: has a value that nothing fills");
  if (getFill() && getFill().getType() != type.getElementType())
    return emitOpError("C2: fill has another type");
  if (getType() != type.getElementType()) return emitOpError("C3: reads ") << getType() << " from " << type;
  return mlir::success();
}

LogicalResult RandomOp::verify() {
  if (getCounters().size() != 4) return emitOpError("C1: has ") << getCounters().size() << " counters, not 4";
  return mlir::success();
}

LogicalResult LoopOp::verify() {
  if (!isParallel()) return VerifySteps(*this);
  if (!getFrom().empty() || !getSizes().empty() || getGiven() || getWindow() || getHistory() || getKeep())
    return emitOpError("C3: a parallel loop has no states");
  if (mlir::failed(VerifyIndices(*this, getBody(), getStaticExtents().size(), getNames().size())) ||
      mlir::failed(VerifyDynamicCount(*this, getStaticExtents(), getExtents().size())))
    return mlir::failure();
  YieldOp yield = TerminatorOf(getBody());
  if (!yield || yield.getCondition() || yield.getValues().size() != getNumResults())
    return emitOpError("C2: must yield one tensor per result");
  for (auto [value, type] : llvm::zip_equal(yield.getValues(), getResultTypes())) {
    auto inner = mlir::dyn_cast<mlir::RankedTensorType>(value.getType());
    auto outer = mlir::cast<mlir::RankedTensorType>(type);
    llvm::SmallVector<int64_t> shape(getStaticExtents());
    if (inner) llvm::append_range(shape, inner.getShape());
    if (!inner || outer.getShape() != llvm::ArrayRef(shape) ||
        outer.getElementType() != inner.getElementType())
      return emitOpError("C2: yields ") << value.getType() << " for " << type;
  }
  return mlir::success();
}

LogicalResult KernelOp::verify() {
  if (llvm::to_vector(getBody().getArgumentTypes()) != llvm::to_vector(getFunctionType().getInputs()))
    return emitOpError("C1: region arguments differ from the type");
  bool sizes = false;
  for (mlir::Type type : getFunctionType().getInputs()) {
    if (type.isIndex()) {
      sizes = true;
    } else if (sizes || !mlir::isa<mlir::RankedTensorType>(type)) {
      return emitOpError("C1: takes tensors, then index values, not ") << type;
    }
  }
  auto result = getBody().front().empty() ? nullptr : mlir::dyn_cast<ReturnOp>(getBody().front().back());
  if (!result ||
      llvm::to_vector(result.getValues().getTypes()) != llvm::to_vector(getFunctionType().getResults()))
    return emitOpError("C2: does not return its results");
  return mlir::success();
}

LogicalResult LaunchOp::verify() {
  size_t dynamic = 0;
  for (mlir::Type type : getResultTypes())
    dynamic += mlir::cast<mlir::RankedTensorType>(type).getNumDynamicDims();
  if (getSizes().size() != dynamic)
    return emitOpError("C2: has ") << getSizes().size() << " sizes for " << dynamic
                                   << " run-time sizes of its results";
  return mlir::success();
}

LogicalResult LaunchOp::verifySymbolUses(mlir::SymbolTableCollection& symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getCalleeAttr());
  if (!kernel) return emitOpError("C1: no kernel is called ") << getCallee();
  auto type = mlir::FunctionType::get(getContext(), getInputs().getTypes(), getResultTypes());
  if (kernel.getFunctionType() != type)
    return emitOpError("C1: launches ") << type << ", but the kernel is " << kernel.getFunctionType();
  return mlir::success();
}

}  // namespace weft::ir
