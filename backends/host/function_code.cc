#include "backends/host/function_code.h"

#include <algorithm>

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
enum FrameField { kInputDims, kInputs, kOutputs, kArena, kSlots, kWeights, kPrepared };

// No memory has so many bytes: a request for them fails with a message.
constexpr int64_t kTooManyBytes = (int64_t{1} << 46) + 1;

class FunctionEmitter {
 public:
  FunctionEmitter(HostFunction kind, func::FuncOp source, const ProgramView& program,
                  const std::map<std::string, std::string>& kernel_symbols, mlir::ModuleOp module)
      : kind_(kind),
        source_(source),
        program_(program),
        kernel_symbols_(kernel_symbols),
        module_(module),
        b_(module.getContext()),
        loc_(source.getLoc()),
        pointer_(LLVM::LLVMPointerType::get(module.getContext())) {}

  mlir::LogicalResult Run(absl::string_view symbol) {
    Begin(symbol);
    BindArguments();
    for (mlir::Operation& op : source_.getBody().front().without_terminator())
      if (mlir::failed(Emit(op))) return mlir::failure();
    if (mlir::failed(EmitReturn())) return mlir::failure();
    func::ReturnOp::create(b_, loc_, I32(0));
    return mlir::success();
  }

 private:
  struct Place {
    Value pointer;             // null in a shapes function
    SmallVector<Value> sizes;  // index, one per axis
  };

  bool shapes() const { return kind_ == HostFunction::kShapes; }
  Value I32(int32_t value) { return arith::ConstantIntOp::create(b_, loc_, b_.getI32Type(), value); }
  Value I64(int64_t value) { return arith::ConstantIntOp::create(b_, loc_, b_.getI64Type(), value); }
  Value Index(int64_t value) { return arith::ConstantIndexOp::create(b_, loc_, value); }
  Value ToI64(Value index) { return arith::IndexCastOp::create(b_, loc_, b_.getI64Type(), index); }

  Value Element(Value base, mlir::Type type, int64_t position) {
    return LLVM::GEPOp::create(b_, loc_, pointer_, type, base,
                               llvm::ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(position)});
  }
  Value LoadPointer(Value base, int64_t position) {
    return LLVM::LoadOp::create(b_, loc_, pointer_, Element(base, pointer_, position));
  }
  Value LoadSize(Value base, int64_t position) {
    Value wide = LLVM::LoadOp::create(b_, loc_, b_.getI64Type(), Element(base, b_.getI64Type(), position));
    return arith::IndexCastOp::create(b_, loc_, b_.getIndexType(), wide);
  }
  void Store(Value value, Value base, int64_t position) {
    LLVM::StoreOp::create(b_, loc_, value, Element(base, value.getType(), position));
  }

  void Begin(absl::string_view symbol) {
    // shapes(context, input_dims, output_dims, slot_bytes); run(context, frame)
    SmallVector<mlir::Type> inputs(shapes() ? 4 : 2, pointer_);
    mlir::OpBuilder at_end = mlir::OpBuilder::atBlockEnd(module_.getBody());
    function_ = func::FuncOp::create(at_end, loc_, llvm::StringRef(symbol.data(), symbol.size()),
                                     b_.getFunctionType(inputs, {b_.getI32Type()}));
    mlir::Block* entry = function_.addEntryBlock();
    b_.setInsertionPointToStart(entry);
    context_ = entry->getArgument(0);
    if (shapes()) {
      input_dims_ = entry->getArgument(1);
      output_dims_ = entry->getArgument(2);
      slot_bytes_ = entry->getArgument(3);
      auto slots = source_->getAttrOfType<mlir::IntegerAttr>("weft.slots");
      for (int64_t slot = 0; slots && slot < slots.getInt(); ++slot) Store(I64(0), slot_bytes_, slot);
    } else {
      Value frame = entry->getArgument(1);
      for (int field = kInputDims; field <= kPrepared; ++field) frame_.push_back(LoadPointer(frame, field));
      input_dims_ = frame_[kInputDims];
    }
    // One table of each kind for all launches, on the stack of the entry block.
    int64_t buffers = 1, numbers = 1;
    source_.walk([&](ir::LaunchOp launch) {
      int64_t axes = 0;
      for (mlir::Type type :
           llvm::concat<const mlir::Type>(launch.getOperandTypes(), launch.getResultTypes())) {
        auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
        axes += tensor ? tensor.getRank() : 1;
      }
      buffers = std::max<int64_t>(buffers, launch->getNumOperands() + launch->getNumResults());
      numbers = std::max(numbers, axes);
    });
    source_.walk([&](ir::CheckOp check) { numbers = std::max<int64_t>(numbers, check.getValues().size()); });
    if (!shapes()) buffers_ = LLVM::AllocaOp::create(b_, loc_, pointer_, pointer_, I64(buffers));
    numbers_ = LLVM::AllocaOp::create(b_, loc_, pointer_, b_.getI64Type(), I64(numbers));
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

  mlir::LogicalResult Emit(mlir::Operation& op) {
    loc_ = op.getLoc();
    if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) return EmitLaunch(launch);
    if (auto check = mlir::dyn_cast<ir::CheckOp>(op)) {
      if (shapes()) EmitCheck(check);
      return mlir::success();
    }
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) {
      Place place = StaticPlace(weight);
      if (!shapes())
        place.pointer = LoadPointer(frame_[kWeights], program_.weight_numbers.lookup(weight.getPath()));
      places_[weight] = place;
      return mlir::success();
    }
    if (auto prepared = mlir::dyn_cast<ir::PreparedOp>(op)) {
      Place place = StaticPlace(prepared);
      if (!shapes()) place.pointer = LoadPointer(frame_[kPrepared], prepared.getPosition());
      places_[prepared] = place;
      return mlir::success();
    }
    if (auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(op)) {
      std::optional<int64_t> axis = dim.getConstantIndex();
      if (!axis) return op.emitError("the axis of a size must be a number");
      scalars_.map(dim.getResult(), places_[dim.getSource()].sizes[static_cast<size_t>(*axis)]);
      return mlir::success();
    }
    if (mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp>(op)) {
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

  void EmitView(mlir::Operation& op) {
    const Place source = places_.lookup(op.getOperand(0));
    auto type = mlir::cast<mlir::RankedTensorType>(op.getResult(0).getType());
    Place place;
    place.pointer = source.pointer;
    if (auto collapse = mlir::dyn_cast<mlir::tensor::CollapseShapeOp>(op)) {
      for (const mlir::ReassociationIndices& group : collapse.getReassociationIndices()) {
        Value size = Index(1);
        for (int64_t axis : group)
          size = arith::MulIOp::create(b_, loc_, size, source.sizes[static_cast<size_t>(axis)]);
        place.sizes.push_back(size);
      }
    } else if (auto expand = mlir::dyn_cast<mlir::tensor::ExpandShapeOp>(op)) {
      for (mlir::OpFoldResult size : expand.getMixedOutputShape()) {
        if (auto value = mlir::dyn_cast<Value>(size)) {
          place.sizes.push_back(scalars_.lookup(value));
        } else {
          place.sizes.push_back(
              Index(mlir::cast<mlir::IntegerAttr>(mlir::cast<mlir::Attribute>(size)).getInt()));
        }
      }
    } else {
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        place.sizes.push_back(type.isDynamicDim(axis) ? source.sizes[static_cast<size_t>(axis)]
                                                      : Index(type.getDimSize(axis)));
    }
    places_[op.getResult(0)] = place;
  }

  Value Bytes(llvm::StringRef bytes) {
    std::string name =
        "weft_data_" + std::to_string(std::distance(module_.getBody()->begin(), module_.getBody()->end()));
    mlir::OpBuilder at_end = mlir::OpBuilder::atBlockEnd(module_.getBody());
    auto type = LLVM::LLVMArrayType::get(b_.getI8Type(), bytes.size());
    auto global = LLVM::GlobalOp::create(at_end, loc_, type, /*isConstant=*/true, LLVM::Linkage::Private,
                                         name, b_.getStringAttr(bytes), /*alignment=*/64);
    return LLVM::AddressOfOp::create(b_, loc_, pointer_, global.getSymName());
  }

  mlir::LogicalResult EmitConstant(arith::ConstantOp constant) {
    Place place = StaticPlace(constant);
    if (!shapes()) {
      auto elements = mlir::dyn_cast<mlir::DenseElementsAttr>(constant.getValue());
      if (!elements) return constant.emitError("the elements of this constant are not at hand");
      std::string bytes;
      if (elements.getElementType().isInteger(1)) {
        for (bool element : elements.getValues<bool>()) bytes += element ? '\1' : '\0';
      } else {
        llvm::ArrayRef<char> raw = elements.getRawData();
        for (int64_t i = elements.isSplat() ? elements.getNumElements() : 1; i > 0; --i)
          bytes.append(raw.data(), raw.size());
      }
      if (bytes.empty()) bytes += '\0';  // an address is needed even for nothing
      place.pointer = Bytes(bytes);
    }
    places_[constant] = place;
    return mlir::success();
  }

  LLVM::LLVMFuncOp Declare(llvm::StringRef name, mlir::Type result, llvm::ArrayRef<mlir::Type> arguments) {
    if (auto known = module_.lookupSymbol<LLVM::LLVMFuncOp>(name)) return known;
    mlir::OpBuilder at_start = mlir::OpBuilder::atBlockBegin(module_.getBody());
    return LLVM::LLVMFuncOp::create(at_start, module_.getLoc(), name,
                                    LLVM::LLVMFunctionType::get(result, arguments));
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
    auto plan = [&](llvm::StringRef name) { return launch->getAttrOfType<mlir::DenseI64ArrayAttr>(name); };
    auto outputs = plan("weft.output"), offsets = plan("weft.offset"), slots = plan("weft.dynamic");
    if (!outputs || !offsets || !slots) return launch.emitError("has no memory plan");
    size_t next_size = 0;
    for (auto [number, result] : llvm::enumerate(launch.getResults())) {
      auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
      Place place;
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        place.sizes.push_back(type.isDynamicDim(axis) ? scalars_.lookup(launch.getSizes()[next_size++])
                                                      : Index(type.getDimSize(axis)));
      int64_t slot = slots[number];
      if (shapes() && slot >= 0) {
        Value bytes = BytesOf(place, ElementBytes(type.getElementType()));
        Value before =
            LLVM::LoadOp::create(b_, loc_, b_.getI64Type(), Element(slot_bytes_, b_.getI64Type(), slot));
        Store(arith::MaxSIOp::create(b_, loc_, before, bytes), slot_bytes_, slot);
      } else if (!shapes() && outputs[number] >= 0) {
        place.pointer = LoadPointer(frame_[kOutputs], outputs[number]);
        written_.insert(place.pointer);
      } else if (!shapes() && offsets[number] >= 0) {
        place.pointer = LLVM::GEPOp::create(b_, loc_, pointer_, b_.getI8Type(), frame_[kArena],
                                            mlir::ValueRange{I64(offsets[number])});
      } else if (!shapes() && slot >= 0) {
        place.pointer = LoadPointer(frame_[kSlots], slot);
      } else if (!shapes()) {
        return launch.emitError("has a result without a place");
      }
      places_[result] = place;
    }
    if (!shapes()) EmitCall(launch);
    return mlir::success();
  }

  void EmitCall(ir::LaunchOp launch) {
    int64_t buffers = 0, extents = 0;
    auto add_tensor = [&](Value tensor) {
      const Place& place = places_[tensor];
      Store(place.pointer, buffers_, buffers++);
      auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
      for (int64_t axis = 0; axis < type.getRank(); ++axis)
        if (type.isDynamicDim(axis))
          Store(ToI64(place.sizes[static_cast<size_t>(axis)]), numbers_, extents++);
    };
    for (Value input : launch.getInputs())
      if (mlir::isa<mlir::RankedTensorType>(input.getType())) add_tensor(input);
    for (Value result : launch.getResults()) add_tensor(result);
    for (Value input : launch.getInputs())
      if (input.getType().isIndex()) Store(ToI64(scalars_.lookup(input)), numbers_, extents++);

    std::string kernel = launch.getCallee().str();
    if (auto symbol = kernel_symbols_.find(kernel); symbol != kernel_symbols_.end()) kernel = symbol->second;
    mlir::Type i32 = b_.getI32Type();
    auto callee = Declare(kernel, i32, {pointer_, pointer_, pointer_});
    auto launcher = Declare("weft_launch", i32, {pointer_, i32, pointer_, pointer_, pointer_});
    Value address = LLVM::AddressOfOp::create(b_, loc_, pointer_, callee.getSymName());
    Value number = I32(program_.launch_numbers.lookup(launch));
    Value result = LLVM::CallOp::create(b_, loc_, launcher,
                                        mlir::ValueRange{context_, number, address, buffers_, numbers_})
                       .getResult();
    Value good = arith::CmpIOp::create(b_, loc_, arith::CmpIPredicate::eq, result, I32(0));
    ReturnUnless(good, [&] { return result; });
  }

  mlir::LogicalResult EmitReturn() {
    int64_t axes = 0;
    mlir::Operation* terminator = source_.getBody().front().getTerminator();
    loc_ = terminator->getLoc();
    for (Value output : terminator->getOperands()) {
      const Place& place = places_[output];
      if (!shapes() && !written_.contains(place.pointer))
        return terminator->emitError("returns what no kernel writes");
      if (shapes())
        for (Value size : place.sizes) Store(ToI64(size), output_dims_, axes++);
    }
    return mlir::success();
  }

  HostFunction kind_;
  func::FuncOp source_;
  const ProgramView& program_;
  const std::map<std::string, std::string>& kernel_symbols_;
  mlir::ModuleOp module_;
  mlir::OpBuilder b_;
  mlir::Location loc_;
  mlir::Type pointer_;
  func::FuncOp function_;
  Value context_, input_dims_, output_dims_, slot_bytes_, buffers_, numbers_;
  SmallVector<Value> frame_;
  llvm::DenseMap<Value, Place> places_;
  llvm::DenseSet<Value> written_;
  mlir::IRMapping scalars_;
};

}  // namespace

mlir::LogicalResult AddHostFunction(HostFunction kind, func::FuncOp source, const ProgramView& program,
                                    const std::map<std::string, std::string>& kernel_symbols,
                                    absl::string_view symbol, mlir::ModuleOp module) {
  return FunctionEmitter(kind, source, program, kernel_symbols, module).Run(symbol);
}

}  // namespace weft::backends
