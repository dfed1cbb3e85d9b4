// Ops in C: calls through the runtime, which makes the tensors that C sees and checks what comes back.

#include "backends/loops/element_type.h"
#include "backends/loops/translator.h"

namespace weft::backends::loops {

void Translator::EmitExtern(ir::ExternOp op) {
  SmallVector<Place> places;
  for (Value input : op.getInputs()) places.push_back(tensors_[input]);
  for (mlir::OpResult result : op.getResults()) {
    auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
    SmallVector<Value> sizes;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      Value size = op.getSizeOf(result, axis);
      sizes.push_back(size ? Mapped(size) : Index(type.getDimSize(axis)));
    }
    places.push_back(Allocate(type, sizes, result));
    tensors_[result] = places.back();
  }

  Type i32 = b_.getI32Type(), i64 = b_.getI64Type();
  auto array = [&](Type type, llvm::ArrayRef<Value> values) -> Value {
    Value memory = LLVM::AllocaOp::create(b_, loc_, pointer_type_, type,
                                          I64(std::max<int64_t>(1, static_cast<int64_t>(values.size()))));
    for (auto [position, value] : llvm::enumerate(values)) {
      Value at = LLVM::GEPOp::create(b_, loc_, pointer_type_, type, memory,
                                     llvm::ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(position)});
      LLVM::StoreOp::create(b_, loc_, value, at);
    }
    return memory;
  };
  SmallVector<Value> types, ranks, pointers, dims, bounds;
  for (auto [place, type] : llvm::zip_equal(places, op.getElements())) {
    types.push_back(I32(*TypeByName(mlir::cast<mlir::StringAttr>(type).getValue())));
    ranks.push_back(I32(static_cast<int64_t>(place.sizes.size())));
    pointers.push_back(place.pointer);
    for (Value size : place.sizes) dims.push_back(ToI64(size));
  }
  size_t next_bound = 0;
  for (bool ranged : op.getRanged()) {
    for (int64_t open : {INT64_MIN, INT64_MAX})
      bounds.push_back(ranged ? ToI64(Mapped(op.getBounds()[next_bound++])) : I64(open));
  }
  std::string names = op.getCallee().str();
  for (mlir::Attribute name : op.getNames())
    names += '\0' + mlir::cast<mlir::StringAttr>(name).getValue().str();
  names += '\0';
  std::string text = symbol_ + "_names_" + std::to_string(constants_++);
  {
    OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(module_.getBody());
    LLVM::GlobalOp::create(b_, loc_, LLVM::LLVMArrayType::get(b_.getI8Type(), names.size()),
                           /*isConstant=*/true, LLVM::Linkage::Internal, text, b_.getStringAttr(names));
  }
  func::FuncOp callee = Declare(op.getCallee(), b_.getFunctionType({pointer_type_, pointer_type_}, {i32}));
  func::FuncOp call =
      Declare("weft_call_extern",
              b_.getFunctionType({pointer_type_, pointer_type_, pointer_type_, i32, i32, pointer_type_,
                                  pointer_type_, pointer_type_, pointer_type_, pointer_type_},
                                 {i32}));
  Value function = func::ConstantOp::create(b_, loc_, callee.getFunctionType(), callee.getSymName());
  Value address = mlir::UnrealizedConversionCastOp::create(b_, loc_, pointer_type_, function).getResult(0);
  auto inputs = static_cast<int64_t>(op.getInputs().size());
  Value result =
      func::CallOp::create(
          b_, loc_, call,
          mlir::ValueRange{context_, address, LLVM::AddressOfOp::create(b_, loc_, pointer_type_, text),
                           I32(inputs), I32(static_cast<int64_t>(places.size())), array(i32, types),
                           array(i32, ranks), array(pointer_type_, pointers), array(i64, dims),
                           array(i64, bounds)})
          .getResult(0);
  ReturnUnless(Compare(arith::CmpIPredicate::eq, result, I32(0)), kExternFailed);
}

}  // namespace weft::backends::loops
