#include "backends/host/function_code.h"

#include "backends/host/call_tables.h"
#include "backends/host/late_sizes.h"
#include "backends/host/step_states.h"
#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/until.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace weft::backends {
namespace {

namespace arith = mlir::arith;
namespace cf = mlir::cf;
namespace func = mlir::func;
namespace LLVM = mlir::LLVM;
using mlir::SmallVector;
using mlir::Value;

// Fields of runtime::Frame.
enum FrameField { kInputDims, kInputs, kOutputs, kArena, kSlots, kWeights, kPrepared, kOutputDims, kBytes };

// No memory has so many bytes: a request for them fails with a message.
constexpr int64_t kTooManyBytes = (int64_t{1} << 46) + 1;

class FunctionEmitter : StepStates {
 public:
  FunctionEmitter(HostFunction kind, func::FuncOp source, const ProgramView& program,
                  const std::map<std::string, std::string>& kernel_symbols, mlir::ModuleOp module)
      : StepStates(module, source.getLoc()),
        kind_(kind),
        source_(source),
        program_(program),
        kernel_symbols_(kernel_symbols) {}

  mlir::LogicalResult Run(absl::string_view symbol) {
    late_.Run(source_);
    Begin(symbol);
    BindArguments();
    mlir::Block& body = source_.getBody().front();
    if (!shapes() && mlir::failed(PlanSegment(0, &body.front()))) return mlir::failure();
    if (mlir::failed(EmitFrom(&body.front()))) return mlir::failure();
    if (mlir::failed(EmitReturn())) return mlir::failure();
    if (!shapes()) DeferUpdates();
    func::ReturnOp::create(b_, loc_, I32(0));
    return mlir::success();
  }

 private:
  bool shapes() const { return kind_ == HostFunction::kShapes; }
  // Whether sizes alone are computed: of all that only the data does not decide, or of a segment.
  bool sizes_only() const { return shapes() || is_planning_; }
  void Begin(absl::string_view symbol) {
    // shapes(context, input_dims, output_dims); run(context, frame)
    SmallVector<mlir::Type> inputs(shapes() ? 3 : 2, pointer_);
    mlir::OpBuilder at_end = mlir::OpBuilder::atBlockEnd(module_.getBody());
    function_ = func::FuncOp::create(at_end, loc_, llvm::StringRef(symbol.data(), symbol.size()),
                                     b_.getFunctionType(inputs, {b_.getI32Type()}));
    mlir::Block* entry = function_.addEntryBlock();
    b_.setInsertionPointToStart(entry);
    context_ = entry->getArgument(0);
    if (shapes()) {
      input_dims_ = entry->getArgument(1);
      output_dims_ = entry->getArgument(2);
    } else {
      Value frame = entry->getArgument(1);
      for (int field = kInputDims; field <= kBytes; ++field) frame_.push_back(LoadPointer(frame, field));
      input_dims_ = frame_[kInputDims];
    }
    // One table of each kind for all launches, on the stack of the entry block.
    CallTables tables = TablesOf(source_);
    if (!shapes()) buffers_ = LLVM::AllocaOp::create(b_, loc_, pointer_, pointer_, I64(tables.buffers));
    numbers_ = LLVM::AllocaOp::create(b_, loc_, pointer_, b_.getI64Type(), I64(tables.numbers));
  }

  void BindArguments() {
    int64_t axes = 0;
    for (auto [number, argument] : llvm::enumerate(source_.getArguments())) {
      auto type = mlir::cast<mlir::RankedTensorType>(argument.getType());
      Place& place = places_[argument];
      for (int64_t axis = 0; axis < type.getRank(); ++axis, ++axes)
        place.sizes.push_back(type.isDynamicDim(axis) ? LoadSize(input_dims_, axes)
                                                      : Index(type.getDimSize(axis)));
      if (!shapes()) place.pointer = LoadPointer(frame_[kInputs], static_cast<int64_t>(number));
    }
  }

  // Sizes of a static type.
  Place StaticPlace(Value value) {
    Place place;
    for (int64_t size : mlir::cast<mlir::RankedTensorType>(value.getType()).getShape())
      place.sizes.push_back(Index(size));
    return place;
  }

  // From `op` to the end of its block; where a segment is planned, to the end of the segment.
  mlir::LogicalResult EmitFrom(mlir::Operation* op) {
    for (; op && !op->hasTrait<mlir::OpTrait::IsTerminator>(); op = op->getNextNode()) {
      bool ends_segment = mlir::isa<ir::FoundOp>(op);
      if (is_planning_ && ends_segment) break;
      if (mlir::failed(Emit(*op))) return mlir::failure();
      if (shapes() || !ends_segment) continue;
      auto segment = op->getAttrOfType<mlir::IntegerAttr>("weft.segment");
      if (!segment) return op->emitError("begins no segment");
      if (mlir::failed(PlanSegment(segment_base_ + segment.getInt(), op->getNextNode())))
        return mlir::failure();
    }
    return mlir::success();
  }

  // Memory for what the segment that begins at `op` computes: its sizes are known now.
  mlir::LogicalResult PlanSegment(int64_t segment, mlir::Operation* op) {
    if (!HasSlots(segment)) return mlir::success();
    is_planning_ = true;
    mlir::LogicalResult result = EmitFrom(op);
    is_planning_ = false;
    if (mlir::failed(result)) return result;
    mlir::Type i32 = b_.getI32Type();
    auto plan = Declare("weft_plan_segment", i32, {pointer_, b_.getI64Type()});
    Value code = LLVM::CallOp::create(b_, loc_, plan, mlir::ValueRange{context_, I64(segment)}).getResult();
    Value good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, code, I32(0));
    ReturnUnless(good, [&] { return code; });
    return mlir::success();
  }

  bool HasSlots(int64_t segment) {
    return llvm::any_of(SlotsOf(source_), [&](const ProgramSlot& slot) { return slot.segment == segment; });
  }

  mlir::LogicalResult Emit(mlir::Operation& op) {
    loc_ = op.getLoc();
    if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) return EmitLaunch(launch);
    if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op)) return EmitIterate(iterate);
    if (auto check = mlir::dyn_cast<ir::CheckOp>(op)) {
      // What fails must say so before memory is asked for, but a step may not run at all.
      bool is_due =
          is_planning_ ? planned_steps_ == 0 && late_.IsLate(check) : shapes() != late_.IsLate(check);
      if (is_due) EmitCheck(check);
      return mlir::success();
    }
    if (auto found = mlir::dyn_cast<ir::FoundOp>(op)) {
      if (!shapes()) scalars_.map(found.getSize(), LoadSize(places_[found.getCount()].pointer, 0));
      return mlir::success();
    }
    // What only the data decides is not known yet.
    bool is_scalar = op.getNumResults() == 1 && op.getResult(0).getType().isIntOrIndexOrFloat();
    if (shapes() && is_scalar && late_.IsLate(op.getResult(0))) return mlir::success();
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) {
      Place place = StaticPlace(weight);
      if (!sizes_only())
        place.pointer = LoadPointer(frame_[kWeights], program_.weight_numbers.lookup(weight.getPath()));
      places_[weight] = place;
      return mlir::success();
    }
    if (auto prepared = mlir::dyn_cast<ir::PreparedOp>(op)) {
      Place place = StaticPlace(prepared);
      if (!sizes_only()) place.pointer = LoadPointer(frame_[kPrepared], prepared.getPosition());
      places_[prepared] = place;
      return mlir::success();
    }
    if (auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(op)) {
      std::optional<int64_t> axis = dim.getConstantIndex();
      if (!axis) return op.emitError("the axis of a size must be a number");
      scalars_.map(dim.getResult(), places_[dim.getSource()].sizes[static_cast<size_t>(*axis)]);
      return mlir::success();
    }
    if (mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp,
                  mlir::tensor::ExtractSliceOp>(op)) {
      EmitView(op);
      return mlir::success();
    }
    auto is_tensor = [](mlir::Type type) { return mlir::isa<mlir::TensorType>(type); };
    if (auto constant = mlir::dyn_cast<arith::ConstantOp>(op); constant && is_tensor(constant.getType()))
      return EmitConstant(constant);
    if (llvm::any_of(op.getOperandTypes(), is_tensor) || llvm::any_of(op.getResultTypes(), is_tensor))
      return op.emitError("host code cannot hold this operation");
    b_.clone(op, scalars_);
    return mlir::success();
  }

  // Null where only the data decides it, in a shapes function.
  Value SizeFrom(mlir::OpFoldResult size) {
    auto value = mlir::dyn_cast<Value>(size);
    return value ? scalars_.lookupOrNull(value) : Index(*mlir::getConstantIntValue(size));
  }

  // A slice is the beginning of a vector: the same place, fewer elements.
  void EmitView(mlir::Operation& op) {
    const Place source = places_.lookup(op.getOperand(0));
    auto type = mlir::cast<mlir::RankedTensorType>(op.getResult(0).getType());
    Place place;
    place.pointer = source.pointer;
    if (shapes() && late_.IsLate(op.getResult(0))) {
      place.sizes.resize(static_cast<size_t>(type.getRank()));
    } else if (auto collapse = mlir::dyn_cast<mlir::tensor::CollapseShapeOp>(op)) {
      for (const mlir::ReassociationIndices& group : collapse.getReassociationIndices()) {
        Value size = Index(1);
        for (int64_t axis : group)
          size = arith::MulIOp::create(b_, loc_, size, source.sizes[static_cast<size_t>(axis)]);
        place.sizes.push_back(size);
      }
    } else if (auto expand = mlir::dyn_cast<mlir::tensor::ExpandShapeOp>(op)) {
      for (mlir::OpFoldResult size : expand.getMixedOutputShape()) place.sizes.push_back(SizeFrom(size));
    } else if (auto slice = mlir::dyn_cast<mlir::tensor::ExtractSliceOp>(op)) {
      for (mlir::OpFoldResult size : slice.getMixedSizes()) place.sizes.push_back(SizeFrom(size));
    } else {
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        place.sizes.push_back(type.isDynamicDim(axis) ? source.sizes[static_cast<size_t>(axis)]
                                                      : Index(type.getDimSize(axis)));
    }
    places_[op.getResult(0)] = place;
  }

  mlir::LogicalResult EmitConstant(arith::ConstantOp constant) {
    Place place = StaticPlace(constant);
    if (!sizes_only()) {
      auto elements = mlir::dyn_cast<mlir::DenseElementsAttr>(constant.getValue());
      if (!elements) return constant.emitError("the elements of this constant are not at hand");
      std::string bytes = BytesInMemory(elements);
      if (bytes.empty()) bytes += '\0';  // an address is needed even for nothing
      place.pointer = Bytes(bytes);
    }
    places_[constant] = place;
    return mlir::success();
  }

  // Returns `code` unless `good`.
  void ReturnUnless(Value good, llvm::function_ref<Value()> code) {
    mlir::Block* bad_block = function_.addBlock();
    mlir::Block* next = function_.addBlock();
    cf::CondBranchOp::create(b_, loc_, good, next, mlir::ValueRange(), bad_block, mlir::ValueRange());
    b_.setInsertionPointToEnd(bad_block);
    func::ReturnOp::create(b_, loc_, code());
    b_.setInsertionPointToEnd(next);
  }

  void EmitCheck(ir::CheckOp check) {
    Value lhs = scalars_.lookup(check.getLhs()), rhs = scalars_.lookup(check.getRhs()), good;
    switch (check.getRelation()) {
      case ir::CheckRelation::equal:
        good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, lhs, rhs);
        break;
      case ir::CheckRelation::at_most:
        good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::sle, lhs, rhs);
        break;
      case ir::CheckRelation::divisible: {
        // Zero divides nothing but zero.
        Value zero = Index(0);
        Value by_zero = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, rhs, zero);
        Value divisor = arith::SelectOp::create(b_, loc_, by_zero, Index(1), rhs);
        Value rest = arith::RemSIOp::create(b_, loc_, lhs, divisor);
        Value left = arith::SelectOp::create(b_, loc_, by_zero, lhs, rest);
        good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, left, zero);
        break;
      }
    }
    ReturnUnless(good, [&]() -> Value {
      for (auto [i, value] : llvm::enumerate(check.getValues()))
        Store(ToI64(scalars_.lookup(value)), numbers_, static_cast<int64_t>(i));
      Value message = Bytes(check.getMessage().str() + '\0');
      auto failed =
          Declare("weft_check_failed", b_.getI32Type(), {pointer_, pointer_, pointer_, b_.getI32Type()});
      return LLVM::CallOp::create(b_, loc_, failed,
                                  mlir::ValueRange{context_, message, numbers_,
                                                   I32(static_cast<int32_t>(check.getValues().size()))})
          .getResult();
    });
  }

  // The bytes of a tensor; more than any memory has where the number would not fit.
  Value BytesOf(const Place& place, int64_t element_bytes) {
    mlir::Type real = b_.getF64Type();
    Value bytes = I64(element_bytes);
    Value estimate =
        arith::ConstantOp::create(b_, loc_, b_.getF64FloatAttr(static_cast<double>(element_bytes)));
    for (Value size : place.sizes) {
      Value wide = ToI64(size);
      bytes = arith::MulIOp::create(b_, loc_, bytes, wide);
      estimate = arith::MulFOp::create(b_, loc_, estimate, arith::SIToFPOp::create(b_, loc_, real, wide));
    }
    Value most = arith::ConstantOp::create(b_, loc_, b_.getF64FloatAttr(static_cast<double>(kTooManyBytes)));
    Value fits = arith::CmpFOp::create(b_, loc_, arith::CmpFPredicate::OLT, estimate, most);
    return arith::SelectOp::create(b_, loc_, fits, bytes, I64(kTooManyBytes));
  }

  mlir::LogicalResult EmitLaunch(ir::LaunchOp launch) {
    size_t next_size = 0;
    for (mlir::OpResult result : launch->getResults()) {
      auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
      SmallVector<Value> sizes;
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        sizes.push_back(type.isDynamicDim(axis) ? SizeFrom(launch.getSizes()[next_size++])
                                                : Index(type.getDimSize(axis)));
      if (mlir::failed(PlaceResult(result, std::move(sizes)))) return mlir::failure();
    }
    if (!sizes_only()) EmitCall(launch);
    return mlir::success();
  }

  // Where the memory plan puts a result of a launch or a loop.
  mlir::LogicalResult PlaceResult(mlir::OpResult result, SmallVector<Value> sizes) {
    mlir::Operation* op = result.getOwner();
    auto plan = [&](llvm::StringRef name) {
      auto places = op->getAttrOfType<mlir::DenseI64ArrayAttr>(name);
      return places ? places[result.getResultNumber()] : -1;
    };
    int64_t output = plan("weft.output"), offset = plan("weft.offset"), slot = plan("weft.dynamic");
    Place place{nullptr, std::move(sizes)};
    int64_t element_bytes =
        ElementBytes(mlir::cast<mlir::RankedTensorType>(result.getType()).getElementType());
    if (output < 0 && offset < 0 && slot < 0) return op->emitError("has a result without a place");
    if (sizes_only()) {
      if (slot >= 0 && is_planning_) NeedSlot(slot, BytesOf(place, element_bytes));
    } else if (output >= 0 && !step_outputs_.empty()) {
      place.pointer = step_outputs_[static_cast<size_t>(output)];
    } else if (output >= 0) {
      mlir::Operation* end = source_.getBody().front().getTerminator();
      bool is_output_late = late_.IsLate(end->getOperand(static_cast<unsigned>(output)));
      place.pointer = is_output_late ? ReserveOutput(output, BytesOf(place, element_bytes))
                                     : LoadPointer(frame_[kOutputs], output);
    } else {
      place.pointer = PointerAt(offset, slot);
    }
    if (output >= 0) written_.insert(place.pointer);
    places_[result] = place;
    return mlir::success();
  }

  // Into the arena, or the slot's memory. Both count from what belongs to the step that is emitted.
  Value PointerAt(int64_t offset, int64_t slot) {
    if (offset < 0) return LoadPointer(frame_[kSlots], slot_base_ + slot);
    return Advance(frame_[kArena], I64(arena_base_ + offset));
  }
  void NeedSlot(int64_t slot, Value bytes) { Store(bytes, frame_[kBytes], slot_base_ + slot); }
  func::FuncOp StepOf(ir::IterateOp iterate) {
    return source_->getParentOfType<mlir::ModuleOp>().lookupSymbol<func::FuncOp>(iterate.getCallee());
  }

  mlir::LogicalResult EmitIterate(ir::IterateOp iterate) {
    func::FuncOp step = StepOf(iterate);
    Value extent = SizeFrom(iterate.getExtent());
    SmallVector<RunningState> states;
    size_t next_size = 0;
    for (auto [number, state] : llvm::enumerate(iterate.getStates())) {
      auto type = mlir::cast<mlir::RankedTensorType>(step.getResultTypes()[number]);
      RunningState running;
      running.state = state;
      running.is_program_state = ir::ChangesState(iterate, static_cast<unsigned>(number));
      running.ring_size = ir::RingSize(iterate, static_cast<unsigned>(number));
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        running.slice.sizes.push_back(type.isDynamicDim(axis) ? SizeFrom(iterate.getSizes()[next_size++])
                                                              : Index(type.getDimSize(axis)));
      running.is_late =
          llvm::any_of(iterate.getSizes().take_front(next_size).take_back(type.getNumDynamicDims()),
                       [&](Value size) { return late_.IsLate(size); });
      if (!shapes() || !running.is_late) {
        running.row_bytes = BytesOf(running.slice, ElementBytes(type.getElementType()));
        Value padded = arith::AddIOp::create(b_, loc_, running.row_bytes, I64(63));
        running.aligned_bytes = arith::AndIOp::create(b_, loc_, padded, I64(-64));
      }
      PlaceScratch(iterate, number, extent, running);
      if (state.result >= 0) {
        SmallVector<Value> sizes;
        if (state.keep == ir::Keep::kAll) sizes.push_back(extent);
        llvm::append_range(sizes, running.slice.sizes);
        mlir::OpResult result = iterate->getResult(static_cast<unsigned>(state.result));
        if (mlir::failed(PlaceResult(result, std::move(sizes)))) return mlir::failure();
        running.result = places_[result].pointer;
      }
      if (running.is_program_state) running.ring = running.result;
      for (int64_t i = 0; i < state.given; ++i)
        running.given.push_back(
            places_[iterate.getFrom()[state.first_given + static_cast<unsigned>(i)]].pointer);
      states.push_back(std::move(running));
    }
    if (ir::EndsEarly(iterate) && mlir::failed(PlaceResult(ir::StepCount(iterate), {})))
      return mlir::failure();
    bool down = iterate.getOrder() == ir::LoopOrder::down;
    if (sizes_only()) return EmitStep(iterate, step, states, extent, Index(0), Index(0), down);

    for (RunningState& state : states) StartState(state, extent, down);
    // for (count = 0; count < extent; ++count), or until a step says that it is the last one.
    mlir::Block* head = function_.addBlock();
    Value count = head->addArgument(b_.getIndexType(), loc_);
    mlir::Block* body = function_.addBlock();
    mlir::Block* end = function_.addBlock();
    Value made = end->addArgument(b_.getIndexType(), loc_);
    cf::BranchOp::create(b_, loc_, head, mlir::ValueRange{Index(0)});
    b_.setInsertionPointToEnd(head);
    Value more = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::slt, count, extent);
    cf::CondBranchOp::create(b_, loc_, more, body, mlir::ValueRange(), end, mlir::ValueRange{count});
    b_.setInsertionPointToEnd(body);
    BeginStep(count);
    Value index = count;
    if (down)
      index = arith::SubIOp::create(b_, loc_, arith::SubIOp::create(b_, loc_, extent, Index(1)), count);
    if (mlir::failed(EmitStep(iterate, step, states, extent, count, index, down))) return mlir::failure();
    loc_ = iterate.getLoc();
    for (RunningState& state : states) KeepSlice(state, count, index, down);
    Value next = arith::AddIOp::create(b_, loc_, count, Index(1));
    if (ir::EndsEarly(iterate)) {
      Value stop = LLVM::LoadOp::create(b_, loc_, b_.getI8Type(), RingRow(states.back(), count));
      Value zero = arith::ConstantIntOp::create(b_, loc_, b_.getI8Type(), 0);
      Value go_on = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, stop, zero);
      cf::CondBranchOp::create(b_, loc_, go_on, head, mlir::ValueRange{next}, end, mlir::ValueRange{next});
    } else {
      cf::BranchOp::create(b_, loc_, head, mlir::ValueRange{next});
    }
    b_.setInsertionPointToEnd(end);
    BeginStep(Index(0));
    if (ir::EndsEarly(iterate)) Store(ToI64(made), places_[ir::StepCount(iterate)].pointer, 0);
    Value last = arith::SubIOp::create(b_, loc_, made, Index(1));
    for (RunningState& state : states)
      if (state.state.keep == ir::Keep::kLast && !state.is_program_state)
        CopyRow(state, state.result, RingRow(state, last));
    return mlir::success();
  }

  void BeginStep(Value number) {
    auto begin =
        Declare("weft_begin_step", LLVM::LLVMVoidType::get(b_.getContext()), {pointer_, b_.getI64Type()});
    LLVM::CallOp::create(b_, loc_, begin, mlir::ValueRange{context_, ToI64(number)});
  }

  // The ring and the history of state `number`.
  void PlaceScratch(ir::IterateOp iterate, size_t number, Value extent, RunningState& running) {
    auto offsets = iterate->getAttrOfType<mlir::DenseI64ArrayAttr>("weft.scratch_offset");
    auto slots = iterate->getAttrOfType<mlir::DenseI64ArrayAttr>("weft.scratch_dynamic");
    auto place = [&](size_t part, Value rows, Value row_bytes) -> Value {
      if (!sizes_only()) return PointerAt(offsets[part], slots[part]);
      if (!is_planning_ || slots[part] < 0) return nullptr;
      Value bytes = arith::MulIOp::create(b_, loc_, ToI64(rows), row_bytes);
      // A product that does not fit is more than any memory has.
      Value most = arith::DivSIOp::create(b_, loc_, I64(kTooManyBytes),
                                          arith::MaxSIOp::create(b_, loc_, row_bytes, I64(1)));
      Value fits = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::sle, ToI64(rows), most);
      bytes = arith::SelectOp::create(b_, loc_, fits, bytes, I64(kTooManyBytes));
      NeedSlot(slots[part], bytes);
      return nullptr;
    };
    running.ring = place(2 * number, Index(running.ring_size), running.aligned_bytes);
    if (!running.state.history) return;
    running.history = place(2 * number + 1, Positions(extent, running.state.given), running.row_bytes);
  }

  // The operations of one step, with its arguments bound.
  mlir::LogicalResult EmitStep(ir::IterateOp iterate, func::FuncOp step, llvm::ArrayRef<RunningState> states,
                               Value extent, Value count, Value index, bool down) {
    scalars_.map(step.getArgument(0), index);
    SmallVector<Value> outputs;
    unsigned next = 1;
    for (const RunningState& state : states) {
      if (!sizes_only()) outputs.push_back(RingRow(state, count));
      if (!sizes_only() && state.is_program_state)
        repeated_[step.front().getTerminator()->getOperand(static_cast<unsigned>(outputs.size() - 1))] =
            state.given[0];
      for (int64_t i = 0; i < state.state.window; ++i) {
        Place place = state.slice;
        if (!sizes_only())
          place.pointer = RingRow(state, arith::SubIOp::create(b_, loc_, count, Index(i + 1)));
        places_[step.getArgument(next++)] = place;
      }
      if (!state.state.history) continue;
      Place whole{state.history, {Positions(extent, state.state.given)}};
      llvm::append_range(whole.sizes, state.slice.sizes);
      places_[step.getArgument(next++)] = whole;
    }
    for (Value input : iterate.getInputs()) {
      mlir::BlockArgument argument = step.getArgument(next++);
      if (input.getType().isIndex() || !mlir::isa<mlir::RankedTensorType>(input.getType())) {
        if (Value number = scalars_.lookupOrNull(input)) scalars_.map(argument, number);
      } else {
        Place place = places_[input];
        places_[argument] = place;
      }
    }
    auto attribute = [&](llvm::StringRef name) {
      return iterate->getAttrOfType<mlir::IntegerAttr>(name).getInt();
    };
    int64_t arena = arena_base_, slot = slot_base_, segment = segment_base_;
    arena_base_ += attribute("weft.step_offset");
    slot_base_ += attribute("weft.step_slot");
    segment_base_ += attribute("weft.step_segment");
    std::swap(outputs, step_outputs_);
    planned_steps_ += is_planning_;
    mlir::LogicalResult result = EmitFrom(&step.getBody().front().front());
    planned_steps_ -= is_planning_;
    std::swap(outputs, step_outputs_);
    arena_base_ = arena;
    slot_base_ = slot;
    segment_base_ = segment;
    return result;
  }

  // Memory of an output whose size the data decides, from the runtime.
  Value ReserveOutput(int64_t number, Value bytes) {
    mlir::Type i64 = b_.getI64Type();
    auto reserve = Declare("weft_reserve_output", pointer_, {pointer_, i64, i64});
    return MemoryFrom(reserve, {context_, I64(number), bytes});
  }

  // What a function of the runtime gives; the method fails if that is null.
  Value MemoryFrom(LLVM::LLVMFuncOp function, mlir::ValueRange arguments) {
    Value pointer = LLVM::CallOp::create(b_, loc_, function, arguments).getResult();
    Value null = LLVM::ZeroOp::create(b_, loc_, pointer_);
    Value good = LLVM::ICmpOp::create(b_, loc_, LLVM::ICmpPredicate::ne, pointer, null);
    ReturnUnless(good, [&] { return I32(1); });
    return pointer;
  }

  struct Call {
    Value number, address;
    int64_t buffers = 0, numbers = 0;  // in the tables
  };

  // Fills the tables with what the kernel takes. An update in place changes `changed`.
  Call FillTables(ir::LaunchOp launch, Value changed) {
    Call call;
    auto add_tensor = [&](Value tensor) {
      const Place& place = places_[tensor];
      bool is_changed = changed && (tensor == launch.getInputs()[0] || tensor == launch.getResult(0));
      Store(is_changed ? changed : place.pointer, buffers_, call.buffers++);
      auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        if (type.isDynamicDim(axis))
          Store(ToI64(place.sizes[static_cast<size_t>(axis)]), numbers_, call.numbers++);
    };
    for (Value input : launch.getInputs())
      if (mlir::isa<mlir::RankedTensorType>(input.getType())) add_tensor(input);
    for (Value result : launch.getResults()) add_tensor(result);
    for (Value input : launch.getInputs())
      if (input.getType().isIndex()) Store(ToI64(scalars_.lookup(input)), numbers_, call.numbers++);

    std::string kernel = launch.getCallee().str();
    if (auto symbol = kernel_symbols_.find(kernel); symbol != kernel_symbols_.end()) kernel = symbol->second;
    auto callee = Declare(kernel, b_.getI32Type(), {pointer_, pointer_, pointer_});
    call.address = LLVM::AddressOfOp::create(b_, loc_, pointer_, callee.getSymName());
    call.number = I32(program_.launch_numbers.lookup(launch));
    return call;
  }

  void EmitCall(ir::LaunchOp launch) {
    bool in_place = launch->hasAttr(ir::kInPlace);
    Call call = FillTables(launch, in_place ? places_[launch.getResult(0)].pointer : Value());
    mlir::Type i32 = b_.getI32Type();
    auto launcher = Declare("weft_launch", i32, {pointer_, i32, pointer_, pointer_, pointer_});
    Value result =
        LLVM::CallOp::create(b_, loc_, launcher,
                             mlir::ValueRange{context_, call.number, call.address, buffers_, numbers_})
            .getResult();
    Value good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, result, I32(0));
    ReturnUnless(good, [&] { return result; });
    if (launch->getNumResults() != 1) return;
    if (Value state = repeated_.lookup(launch.getResult(0))) RepeatLater(launch, state);
  }

  // What a step has changed of the next value of a state is changed of the state, when the run has succeeded:
  // as by then other steps have used the memory of this one, copies are put into it.
  void RepeatLater(ir::LaunchOp launch, Value state) {
    auto keep = Declare("weft_keep", pointer_, {pointer_, pointer_, b_.getI64Type()});
    SmallVector<std::pair<Value, Place>> places;
    for (Value input : llvm::drop_begin(launch.getInputs())) {
      auto type = mlir::dyn_cast<mlir::RankedTensorType>(input.getType());
      if (!type) continue;
      Place& place = places_[input];
      places.emplace_back(input, place);
      Value bytes = BytesOf(place, ElementBytes(type.getElementType()));
      place.pointer = MemoryFrom(keep, {context_, place.pointer, bytes});
    }
    Defer(launch, state);
    for (auto& [input, place] : places) places_[input] = place;
  }

  // States whose next values were changed in place are changed like them, when the run has succeeded.
  void DeferUpdates() {
    for (ir::LaunchOp launch : source_.getBody().front().getOps<ir::LaunchOp>()) {
      if (!launch->hasAttr(ir::kInPlace)) continue;
      Value state = launch.getInputs()[0];
      while (auto before = state.getDefiningOp<ir::LaunchOp>()) state = before.getInputs()[0];
      Defer(launch, places_[state].pointer);
    }
  }

  void Defer(ir::LaunchOp launch, Value changed) {
    Call call = FillTables(launch, changed);
    mlir::Type i32 = b_.getI32Type(), i64 = b_.getI64Type();
    auto defer = Declare("weft_defer_launch", LLVM::LLVMVoidType::get(b_.getContext()),
                         {pointer_, i32, pointer_, pointer_, i64, pointer_, i64});
    LLVM::CallOp::create(b_, loc_, defer,
                         mlir::ValueRange{context_, call.number, call.address, buffers_, I64(call.buffers),
                                          numbers_, I64(call.numbers)});
  }

  mlir::LogicalResult EmitReturn() {
    int64_t axes = 0;
    mlir::Operation* terminator = source_.getBody().front().getTerminator();
    loc_ = terminator->getLoc();
    for (Value output : terminator->getOperands()) {
      const Place& place = places_[output];
      if (!shapes() && !written_.contains(place.pointer))
        return terminator->emitError("returns what no kernel writes");
      // The data decides some sizes: those are told when they are known.
      bool is_late = late_.IsLate(output);
      for (Value size : place.sizes) {
        Value dims = shapes() ? output_dims_ : frame_[kOutputDims];
        if (shapes() || is_late) Store(size ? ToI64(size) : I64(-1), dims, axes);
        ++axes;
      }
    }
    return mlir::success();
  }

  HostFunction kind_;
  func::FuncOp source_;
  const ProgramView& program_;
  const std::map<std::string, std::string>& kernel_symbols_;
  func::FuncOp function_;
  Value context_, input_dims_, output_dims_, buffers_, numbers_;
  SmallVector<Value> frame_;
  SmallVector<Value> step_outputs_;  // of the step that is emitted; none: the method itself
  int64_t arena_base_ = 0, slot_base_ = 0, segment_base_ = 0;
  bool is_planning_ = false;
  int planned_steps_ = 0;  // around what is planned
  llvm::DenseMap<Value, Place> places_;
  llvm::DenseSet<Value> written_;
  // Of the step that is emitted: updates of states of the program, and where these are.
  llvm::DenseMap<Value, Value> repeated_;
  mlir::IRMapping scalars_;
  LateSizes late_;
};

}  // namespace

mlir::LogicalResult AddHostFunction(HostFunction kind, func::FuncOp source, const ProgramView& program,
                                    const std::map<std::string, std::string>& kernel_symbols,
                                    absl::string_view symbol, mlir::ModuleOp module) {
  return FunctionEmitter(kind, source, program, kernel_symbols, module).Run(symbol);
}

}  // namespace weft::backends
