#include "backends/loops/kernel_to_loops.h"

#include <utility>

#include "backends/loops/translator.h"
#include "llvm/ADT/TypeSwitch.h"
#include "passes/analysis/counted_range.h"

namespace weft::backends {
namespace loops {

func::FuncOp Translator::Declare(llvm::StringRef name, mlir::FunctionType type) {
  if (auto known = module_.lookupSymbol<func::FuncOp>(name)) return known;
  OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(module_.getBody());
  auto function = func::FuncOp::create(b_, loc_, name, type);
  function.setPrivate();
  return function;
}

LogicalResult Translator::Run() {
  b_.setInsertionPointToEnd(module_.getBody());
  auto type = b_.getFunctionType({pointer_type_, pointer_type_, pointer_type_}, {b_.getI32Type()});
  function_ = func::FuncOp::create(b_, loc_, symbol_, type);
  Block* entry = function_.addEntryBlock();
  b_.setInsertionPointToStart(entry);
  context_ = entry->getArgument(0), buffers_ = entry->getArgument(1), extents_ = entry->getArgument(2);
  if (check_reads_) {
    status_ = LLVM::AllocaOp::create(b_, loc_, pointer_type_, b_.getI32Type(), I64(1));
    LLVM::StoreOp::create(b_, loc_, I32(kKernelOk), status_);
  }
  BindArguments();
  PlanResults();
  for (Operation& op : kernel_.getBody().front()) {
    if (mlir::failed(EmitOp(&op))) return mlir::failure();
  }
  return mlir::success();
}

// `extents`: the run-time sizes of operands, then of results, then the operands that are sizes themselves.
void Translator::BindArguments() {
  int64_t next_extent = 0, next_buffer = 0, result_extents = 0;
  for (Type type : kernel_.getFunctionType().getResults()) {
    result_extents += mlir::cast<mlir::RankedTensorType>(type).getNumDynamicDims();
  }
  auto extent = [&] {
    Value at = LLVM::GEPOp::create(b_, loc_, pointer_type_, b_.getI64Type(), extents_,
                                   mlir::ValueRange{I64(next_extent++)});
    Value number = LLVM::LoadOp::create(b_, loc_, b_.getI64Type(), at);
    return arith::IndexCastOp::create(b_, loc_, b_.getIndexType(), number).getResult();
  };
  for (mlir::BlockArgument argument : kernel_.getBody().getArguments()) {
    auto type = mlir::dyn_cast<mlir::RankedTensorType>(argument.getType());
    if (!type) {  // stands behind all tensors
      next_extent += std::exchange(result_extents, 0);
      scalars_.map(argument, extent());
      continue;
    }
    Value at = LLVM::GEPOp::create(b_, loc_, pointer_type_, pointer_type_, buffers_,
                                   mlir::ValueRange{I64(next_buffer++)});
    Place place{LLVM::LoadOp::create(b_, loc_, pointer_type_, at), {}, type.getElementType()};
    for (int64_t size : type.getShape()) {
      place.sizes.push_back(mlir::ShapedType::isDynamic(size) ? extent() : Index(size));
    }
    tensors_[argument] = place;
  }
}

// A tensor that an equation computes and the kernel returns is computed where the result must be.
void Translator::PlanResults() {
  int64_t operands = 0;
  for (Type type : kernel_.getFunctionType().getInputs()) operands += mlir::isa<mlir::RankedTensorType>(type);
  auto op = mlir::cast<ir::ReturnOp>(kernel_.getBody().front().back());
  for (auto [position, value] : llvm::enumerate(op.getValues())) {
    Operation* source = value.getDefiningOp();
    bool is_computed = source && mlir::isa<ir::EquationOp, ir::LoopOp, ir::SortOp, ir::SegmentsOp,
                                           ir::UpdateOp, ir::FilterOp, ir::ExternOp>(source);
    if (!is_computed || result_buffers_.contains(value)) continue;
    Value at = LLVM::GEPOp::create(b_, loc_, pointer_type_, pointer_type_, buffers_,
                                   mlir::ValueRange{I64(operands + static_cast<int64_t>(position))});
    result_buffers_[value] = LLVM::LoadOp::create(b_, loc_, pointer_type_, at);
  }
}

Value Translator::ByteSize(const Place& place) {
  unsigned bits = StoredType(place.element).getIntOrFloatBitWidth();
  Value bytes = Index(bits / 8);
  for (Value size : place.sizes) bytes = arith::MulIOp::create(b_, loc_, bytes, size);
  return ToI64(bytes);
}

Place Translator::Allocate(mlir::RankedTensorType type, SmallVector<Value> sizes, Value tensor) {
  Place place{nullptr, std::move(sizes), type.getElementType()};
  if (auto found = result_buffers_.find(tensor); found != result_buffers_.end()) {
    place.pointer = found->second;
    return place;
  }
  int64_t element_bytes = StoredType(place.element).getIntOrFloatBitWidth() / 8;
  if (type.hasStaticShape()) {
    int64_t bytes = type.getNumElements() * element_bytes;
    if (bytes <= kStackBytes && stack_bytes_ + bytes <= kStackTotal) {
      stack_bytes_ += bytes;
      place.pointer = LLVM::AllocaOp::create(b_, loc_, pointer_type_, b_.getI8Type(),
                                             I64(std::max<int64_t>(bytes, 1)), kAlignment);
      return place;
    }
  }
  place.pointer = AllocateOnHeap(ByteSize(place));
  return place;
}

// Leaves the builder in the block where the allocation has succeeded.
Value Translator::AllocateOnHeap(Value bytes) {
  func::FuncOp malloc =
      Declare("weft_malloc", b_.getFunctionType({pointer_type_, b_.getI64Type()}, {pointer_type_}));
  Value pointer = func::CallOp::create(b_, loc_, malloc, mlir::ValueRange{context_, bytes}).getResult(0);
  Value null = LLVM::ZeroOp::create(b_, loc_, pointer_type_);
  ReturnUnless(LLVM::ICmpOp::create(b_, loc_, LLVM::ICmpPredicate::ne, pointer, null), kOutOfMemory);
  heap_.push_back(pointer);
  return pointer;
}

// Leaves the builder in the block where `good` holds.
void Translator::ReturnUnless(Value good, LoopsResult failure) {
  Block* here = b_.getInsertionBlock();
  Block* bad = b_.createBlock(&function_.getBody());
  FreeAll();
  ReturnStatus(I32(failure));
  Block* next = b_.createBlock(&function_.getBody());
  b_.setInsertionPointToEnd(here);
  cf::CondBranchOp::create(b_, loc_, good, next, mlir::ValueRange{}, bad, mlir::ValueRange{});
  b_.setInsertionPointToEnd(next);
}

void Translator::FreeAll() {
  if (heap_.empty()) return;
  func::FuncOp free = Declare("weft_free", b_.getFunctionType({pointer_type_, pointer_type_}, {}));
  for (Value pointer : llvm::reverse(heap_)) {
    func::CallOp::create(b_, loc_, free, mlir::ValueRange{context_, pointer});
  }
}

void Translator::ReturnStatus(Value status) { func::ReturnOp::create(b_, loc_, status); }

LogicalResult Translator::EmitReturn(ir::ReturnOp op) {
  int64_t operands = 0;
  for (Type type : kernel_.getFunctionType().getInputs()) operands += mlir::isa<mlir::RankedTensorType>(type);
  llvm::DenseSet<Value> in_place;
  for (auto [position, value] : llvm::enumerate(op.getValues())) {
    if (result_buffers_.contains(value) && in_place.insert(value).second) continue;
    Value at = LLVM::GEPOp::create(b_, loc_, pointer_type_, pointer_type_, buffers_,
                                   mlir::ValueRange{I64(operands + static_cast<int64_t>(position))});
    Value target = LLVM::LoadOp::create(b_, loc_, pointer_type_, at);
    const Place& source = tensors_[value];
    LLVM::MemcpyOp::create(b_, loc_, target, source.pointer, ByteSize(source), /*isVolatile=*/false);
  }
  FreeAll();
  ReturnStatus(status_ ? LLVM::LoadOp::create(b_, loc_, b_.getI32Type(), status_).getResult()
                       : I32(kKernelOk));
  return mlir::success();
}

LogicalResult Translator::EmitOp(Operation* op) {
  return llvm::TypeSwitch<Operation*, LogicalResult>(op)
      .Case([&](ir::EquationOp equation) { return EmitEquation(equation); })
      .Case([&](ir::LoopOp steps) { return EmitSteps(steps); })
      .Case([&](ir::ReduceOp reduce) { return EmitReduce(reduce); })
      .Case([&](ir::ReadOp read) { return EmitRead(read), mlir::success(); })
      .Case([&](ir::ReturnOp end) { return EmitReturn(end); })
      .Case([&](ir::SortOp sort) { return EmitSort(sort), mlir::success(); })
      .Case([&](ir::SegmentsOp segments) { return EmitSegments(segments), mlir::success(); })
      .Case([&](ir::UpdateOp update) { return EmitUpdate(update), mlir::success(); })
      .Case([&](ir::ExternOp call) { return EmitExtern(call), mlir::success(); })
      .Case([&](ir::FilterOp filter) { return EmitFilter(filter), mlir::success(); })
      .Case([&](scf::IfOp branch) { return EmitIf(branch); })
      .Case([&](tensor::DimOp dim) { return EmitDim(dim); })
      .Case([&](tensor::CollapseShapeOp view) { return EmitCollapse(view), mlir::success(); })
      .Case([&](tensor::ExpandShapeOp view) {
        return EmitView(view, view.getSrc(), view.getMixedOutputShape());
      })
      .Case([&](tensor::CastOp view) {
        tensors_[view.getResult()] = tensors_[view.getSource()];
        return mlir::success();
      })
      .Case([&](arith::ConstantOp constant) -> LogicalResult {
        if (!mlir::isa<mlir::RankedTensorType>(constant.getType())) return EmitScalarOp(op);
        return EmitTensorConstant(constant), mlir::success();
      })
      .Default([&](Operation* other) { return EmitScalarOp(other); });
}

// All but the terminator.
LogicalResult Translator::EmitBody(Block& block) {
  for (Operation& op : block.without_terminator()) {
    if (mlir::failed(EmitOp(&op))) return mlir::failure();
  }
  return mlir::success();
}

LogicalResult Translator::EmitScalarOp(Operation* op) {
  auto is_tensor = [](Type type) { return mlir::isa<mlir::TensorType>(type); };
  if (op->getNumRegions() != 0 || llvm::any_of(op->getOperandTypes(), is_tensor) ||
      llvm::any_of(op->getResultTypes(), is_tensor)) {
    return op->emitOpError("may not stand in a kernel");
  }
  // Between f64 and bf16 by way of f32, as all back ends do.
  Type from = op->getNumOperands() == 1 ? op->getOperand(0).getType() : Type();
  Type to = op->getNumResults() == 1 ? op->getResult(0).getType() : Type();
  if (mlir::isa<arith::TruncFOp>(op) && from.isF64() && to.isBF16()) {
    Value single = arith::TruncFOp::create(b_, loc_, b_.getF32Type(), Mapped(op->getOperand(0)));
    scalars_.map(op->getResult(0), arith::TruncFOp::create(b_, loc_, to, single).getResult());
  } else if (mlir::isa<arith::ExtFOp>(op) && from.isBF16() && to.isF64()) {
    Value single = arith::ExtFOp::create(b_, loc_, b_.getF32Type(), Mapped(op->getOperand(0)));
    scalars_.map(op->getResult(0), arith::ExtFOp::create(b_, loc_, to, single).getResult());
  } else {
    b_.clone(*op, scalars_);
  }
  return mlir::success();
}

LogicalResult Translator::EmitEquation(ir::EquationOp op) {
  SmallVector<Value> extents =
      llvm::map_to_vector(op.getMixedExtents(), [&](OpFoldResult extent) { return Mapped(extent); });
  for (Value result : op.getResults()) {
    Place place = Allocate(mlir::cast<mlir::RankedTensorType>(result.getType()), extents, result);
    tensors_[result] = place;
  }
  OpBuilder::InsertionGuard guard(b_);
  Value zero = Index(0), one = Index(1);
  SmallVector<Value> point;
  for (auto [extent, index] : llvm::zip_equal(extents, op.getBody().getArguments())) {
    auto loop = scf::ForOp::create(b_, loc_, zero, extent, one);
    scalars_.map(index, loop.getInductionVar());
    point.push_back(loop.getInductionVar());
    b_.setInsertionPointToStart(loop.getBody());
  }
  if (mlir::failed(EmitBody(op.getBody().front()))) return mlir::failure();
  auto yield = mlir::cast<ir::YieldOp>(op.getBody().front().getTerminator());
  for (auto [value, result] : llvm::zip_equal(yield.getValues(), op.getResults())) {
    Store(tensors_[result], point, Mapped(value));
  }
  return mlir::success();
}

LogicalResult Translator::EmitReduce(ir::ReduceOp op) {
  Reduction reduction(op);
  SmallVector<Value> lengths;
  if (reduction.needs_position()) {
    for (auto [lower, upper] : llvm::zip_equal(Mapped(op.getLower()), Mapped(op.getUpper()))) {
      lengths.push_back(arith::SubIOp::create(b_, loc_, upper, lower));
    }
  }
  SmallVector<Value> end;
  Value position = reduction.needs_position() ? Index(0) : Value();
  if (mlir::failed(EmitReduceLoops(op, reduction, 0, position, lengths, reduction.Start(b_, loc_), end))) {
    return mlir::failure();
  }
  Value if_empty = op.getIfEmpty() ? Mapped(op.getIfEmpty()) : Value();
  scalars_.map(op.getResult(), reduction.Finish(b_, loc_, end, if_empty));
  return mlir::success();
}

// Leaves out what does not count, all but one element where that is all.
static void NarrowToCounted(ir::ReduceOp op, OpBuilder& b, Location loc, mlir::ValueRange indices,
                            Value& lower, Value& upper) {
  auto number = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
  auto write = [&](const passes::CountedEnd& end) {
    Value sum = number(end.constant);
    for (auto [coefficient, index] : llvm::zip_equal(end.coefficients, indices)) {
      if (coefficient == 0) continue;
      Value part = arith::MulIOp::create(b, loc, index, number(coefficient));
      sum = arith::AddIOp::create(b, loc, sum, part);
    }
    return sum;
  };
  Value begin = lower, end = upper;
  for (const passes::CountedEnd& from : passes::CountedEndsOf(op, passes::kCountedFrom))
    begin = arith::MaxSIOp::create(b, loc, begin, write(from));
  for (const passes::CountedEnd& to : passes::CountedEndsOf(op, passes::kCountedTo))
    end = arith::MinSIOp::create(b, loc, end, write(to));
  if (begin == lower && end == upper) return;
  Value last = arith::SubIOp::create(b, loc, upper, number(1));
  begin = arith::MaxSIOp::create(b, loc, lower, arith::MinSIOp::create(b, loc, begin, last));
  Value behind = arith::AddIOp::create(b, loc, begin, number(1));
  lower = begin, upper = arith::MinSIOp::create(b, loc, upper, arith::MaxSIOp::create(b, loc, end, behind));
}

// The loop of range `depth` and all further in; the state goes in as `state` and comes out as `next`.
// `position` counts the points of the ranges further out.
LogicalResult Translator::EmitReduceLoops(ir::ReduceOp op, const Reduction& reduction, size_t depth,
                                          Value position, mlir::ValueRange lengths, mlir::ValueRange state,
                                          SmallVector<Value>& next) {
  if (depth == op.getLower().size()) {
    if (mlir::failed(EmitBody(op.getBody().front()))) return mlir::failure();
    auto yield = mlir::cast<ir::YieldOp>(op.getBody().front().getTerminator());
    Value condition = yield.getCondition() ? Mapped(yield.getCondition()) : Value();
    next = reduction.Step(b_, loc_, state, Mapped(yield.getValues()[0]), condition, position);
    return mlir::success();
  }
  Value lower = Mapped(op.getLower()[depth]), upper = Mapped(op.getUpper()[depth]);
  if (auto equation = op->getParentOfType<ir::EquationOp>())
    NarrowToCounted(op, b_, loc_, Mapped(equation.getBody().getArguments()), lower, upper);
  auto loop = scf::ForOp::create(b_, loc_, lower, upper, Index(1), state);
  OpBuilder::InsertionGuard guard(b_);
  b_.setInsertionPointToStart(loop.getBody());
  scalars_.map(op.getBody().getArgument(depth), loop.getInductionVar());
  if (position) {
    Value step = arith::SubIOp::create(b_, loc_, loop.getInductionVar(), lower);
    position =
        arith::AddIOp::create(b_, loc_, arith::MulIOp::create(b_, loc_, position, lengths[depth]), step);
  }
  SmallVector<Value> inner;
  if (mlir::failed(
          EmitReduceLoops(op, reduction, depth + 1, position, lengths, loop.getRegionIterArgs(), inner))) {
    return mlir::failure();
  }
  scf::YieldOp::create(b_, loc_, inner);
  next.assign(loop.getResults().begin(), loop.getResults().end());
  return mlir::success();
}

LogicalResult Translator::EmitIf(scf::IfOp op) {
  bool has_else = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(b_, loc_, op.getResultTypes(), Mapped(op.getCondition()), has_else);
  auto emit = [&](mlir::Region& from, mlir::Region& to) -> LogicalResult {
    OpBuilder::InsertionGuard guard(b_);
    Block& block = to.front();
    if (!block.empty() && block.back().hasTrait<mlir::OpTrait::IsTerminator>()) block.back().erase();
    b_.setInsertionPointToEnd(&block);
    if (mlir::failed(EmitBody(from.front()))) return mlir::failure();
    scf::YieldOp::create(b_, loc_, Mapped(from.front().getTerminator()->getOperands()));
    return mlir::success();
  };
  if (mlir::failed(emit(op.getThenRegion(), branch.getThenRegion()))) return mlir::failure();
  if (has_else && mlir::failed(emit(op.getElseRegion(), branch.getElseRegion()))) return mlir::failure();
  scalars_.map(op.getResults(), branch.getResults());
  return mlir::success();
}

// A guarded read tests its subscripts; clamp, mirror and wrap move them inside. An axis of length 0 has no
// element to give: what would move into it reads as the fill value, or zero.
void Translator::EmitRead(ir::ReadOp op) {
  using P = arith::CmpIPredicate;
  const Place place = tensors_[op.getTensor()];
  SmallVector<Value> subscripts = Mapped(op.getSubscripts());
  auto type = mlir::cast<mlir::RankedTensorType>(op.getTensor().getType());
  Value zero = Index(0), one = Index(1);
  Value there;  // null: always inside
  auto require = [&](Value test) {
    there = there ? arith::AndIOp::create(b_, loc_, there, test).getResult() : test;
  };
  Value proved;  // with check_reads: whether what was proved inside is
  for (auto [axis, subscript] : llvm::enumerate(subscripts)) {
    Value size = place.sizes[axis];
    Value last = arith::SubIOp::create(b_, loc_, size, one);
    bool may_be_empty = type.isDynamicDim(axis) || type.getDimSize(axis) == 0;
    ir::Outside outside = op.getOutsideAt(axis);
    switch (outside) {
      case ir::Outside::inside:
        if (check_reads_) {
          Value inside = Compare(P::ult, subscript, size);
          require(inside);
          proved = proved ? arith::AndIOp::create(b_, loc_, proved, inside).getResult() : inside;
        }
        break;
      case ir::Outside::fill:
        require(Compare(P::ult, subscript, size));
        break;
      case ir::Outside::clamp:
        subscript = arith::MaxSIOp::create(b_, loc_, subscript, zero);
        subscript = arith::MinSIOp::create(b_, loc_, subscript, last);
        break;
      case ir::Outside::mirror: {
        // Period 2(n - 1), 1 for a single element: fold the remainder over the last element.
        Value doubled = arith::AddIOp::create(b_, loc_, last, last);
        Value period = arith::MaxSIOp::create(b_, loc_, doubled, one);
        Value rest = arith::RemSIOp::create(b_, loc_, subscript, period);
        Value shifted = arith::AddIOp::create(b_, loc_, rest, period);
        rest = arith::SelectOp::create(b_, loc_, Compare(P::slt, rest, zero), shifted, rest);
        subscript = arith::MinSIOp::create(b_, loc_, rest, arith::SubIOp::create(b_, loc_, period, rest));
        subscript = arith::MinSIOp::create(b_, loc_, subscript, last);
        break;
      }
      case ir::Outside::wrap: {
        Value period = arith::MaxSIOp::create(b_, loc_, size, one);
        Value rest = arith::RemSIOp::create(b_, loc_, subscript, period);
        Value shifted = arith::AddIOp::create(b_, loc_, rest, period);
        subscript = arith::SelectOp::create(b_, loc_, Compare(P::slt, rest, zero), shifted, rest);
        break;
      }
    }
    bool moves = outside != ir::Outside::inside && outside != ir::Outside::fill;
    if (moves && may_be_empty) require(Compare(P::sgt, size, zero));
  }
  if (!there) {
    scalars_.map(op.getResult(), Load(place, subscripts));
    return;
  }
  Value otherwise = op.getFill() ? Mapped(op.getFill()) : Zero(op.getType());
  auto branch = scf::IfOp::create(
      b_, loc_, there,
      [&](OpBuilder& inner, Location loc) {
        OpBuilder::InsertionGuard guard(b_);
        b_.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
        Value loaded = Load(place, subscripts);
        scf::YieldOp::create(b_, loc, loaded);
      },
      [&](OpBuilder& inner, Location loc) { scf::YieldOp::create(inner, loc, otherwise); });
  if (proved) {
    Value failed =
        arith::XOrIOp::create(b_, loc_, proved, arith::ConstantOp::create(b_, loc_, b_.getBoolAttr(true)));
    Value before = LLVM::LoadOp::create(b_, loc_, b_.getI32Type(), status_);
    Value after = arith::SelectOp::create(b_, loc_, failed, I32(kReadOutside), before);
    LLVM::StoreOp::create(b_, loc_, after, status_);
  }
  scalars_.map(op.getResult(), branch.getResult(0));
}

LogicalResult Translator::EmitDim(tensor::DimOp op) {
  std::optional<int64_t> axis = op.getConstantIndex();
  const Place& place = tensors_[op.getSource()];
  if (!axis || *axis < 0 || *axis >= static_cast<int64_t>(place.sizes.size())) {
    return op.emitOpError("asks for an axis that is no constant of the tensor's rank");
  }
  scalars_.map(op.getResult(), place.sizes[*axis]);
  return mlir::success();
}

void Translator::EmitTensorConstant(arith::ConstantOp op) {
  auto type = mlir::cast<mlir::RankedTensorType>(op.getType());
  mlir::Attribute data = op.getValue();
  Type stored = StoredType(type.getElementType());
  if (type.getElementType().isInteger(1)) {  // a byte each
    auto bits = mlir::cast<mlir::DenseElementsAttr>(data);
    SmallVector<int8_t> bytes =
        llvm::map_to_vector(bits.getValues<bool>(), [](bool bit) -> int8_t { return bit; });
    data = mlir::DenseElementsAttr::get(mlir::RankedTensorType::get(type.getShape(), stored),
                                        llvm::ArrayRef<int8_t>(bytes));
  }
  Place place{nullptr, {}, type.getElementType()};
  for (int64_t size : type.getShape()) place.sizes.push_back(Index(size));
  if (type.getNumElements() == 0) {
    place.pointer = LLVM::ZeroOp::create(b_, loc_, pointer_type_);
    tensors_[op.getResult()] = place;
    return;
  }
  Type array = stored;
  for (int64_t size : llvm::reverse(type.getShape())) array = LLVM::LLVMArrayType::get(array, size);
  if (type.getRank() == 0) data = *mlir::cast<mlir::DenseElementsAttr>(data).value_begin<mlir::Attribute>();
  std::string name = symbol_ + "_constant_" + std::to_string(constants_++);
  {
    OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(module_.getBody());
    LLVM::GlobalOp::create(b_, loc_, array, /*isConstant=*/true, LLVM::Linkage::Internal, name, data,
                           kAlignment);
  }
  place.pointer = LLVM::AddressOfOp::create(b_, loc_, pointer_type_, name);
  tensors_[op.getResult()] = place;
}

LogicalResult Translator::EmitView(Operation* op, Value source, SmallVector<OpFoldResult> sizes) {
  Place place = tensors_[source];
  place.sizes = llvm::map_to_vector(sizes, [&](OpFoldResult size) { return Mapped(size); });
  tensors_[op->getResult(0)] = place;
  return mlir::success();
}

void Translator::EmitCollapse(tensor::CollapseShapeOp op) {
  Place place = tensors_[op.getSrc()];
  SmallVector<Value> sizes;
  for (const mlir::ReassociationIndices& group : op.getReassociationIndices()) {
    Value product = Index(1);
    for (int64_t axis : group) product = arith::MulIOp::create(b_, loc_, product, place.sizes[axis]);
    sizes.push_back(product);
  }
  place.sizes = std::move(sizes);
  tensors_[op.getResult()] = place;
}

Value Translator::Address(const Place& place, mlir::ValueRange subscripts) {
  Value offset = Index(0);
  for (auto [subscript, size] : llvm::zip_equal(subscripts, place.sizes)) {
    offset = arith::AddIOp::create(b_, loc_, arith::MulIOp::create(b_, loc_, offset, size), subscript);
  }
  return LLVM::GEPOp::create(b_, loc_, pointer_type_, StoredType(place.element), place.pointer,
                             mlir::ValueRange{ToI64(offset)});
}

Value Translator::Load(const Place& place, mlir::ValueRange subscripts) {
  Value stored = LLVM::LoadOp::create(b_, loc_, StoredType(place.element), Address(place, subscripts));
  if (!place.element.isInteger(1)) return stored;
  return Compare(arith::CmpIPredicate::ne, stored, Zero(b_.getI8Type()));
}

void Translator::Store(const Place& place, mlir::ValueRange subscripts, Value value) {
  if (place.element.isInteger(1)) value = arith::ExtUIOp::create(b_, loc_, b_.getI8Type(), value);
  LLVM::StoreOp::create(b_, loc_, value, Address(place, subscripts));
}

}  // namespace loops

mlir::LogicalResult TranslateToLoops(ir::KernelOp kernel, absl::string_view symbol, bool check_reads,
                                     mlir::ModuleOp module) {
  return loops::Translator(kernel, symbol, check_reads, module).Run();
}

}  // namespace weft::backends
