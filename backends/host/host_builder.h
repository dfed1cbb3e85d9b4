#ifndef WEFT_BACKENDS_HOST_HOST_BUILDER_H_
#define WEFT_BACKENDS_HOST_HOST_BUILDER_H_

// Small constructions of host code.

#include <iterator>
#include <string>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::backends {

class HostBuilder {
 public:
  HostBuilder(mlir::ModuleOp module, mlir::Location location)
      : module_(module),
        b_(module.getContext()),
        loc_(location),
        pointer_(mlir::LLVM::LLVMPointerType::get(module.getContext())) {}

 protected:
  using Value = mlir::Value;

  Value I32(int32_t value) { return mlir::arith::ConstantIntOp::create(b_, loc_, b_.getI32Type(), value); }
  Value I64(int64_t value) { return mlir::arith::ConstantIntOp::create(b_, loc_, b_.getI64Type(), value); }
  Value Index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b_, loc_, value); }
  Value ToI64(Value index) { return mlir::arith::IndexCastOp::create(b_, loc_, b_.getI64Type(), index); }

  Value Element(Value base, mlir::Type type, int64_t position) {
    return mlir::LLVM::GEPOp::create(b_, loc_, pointer_, type, base,
                                     llvm::ArrayRef<mlir::LLVM::GEPArg>{static_cast<int32_t>(position)});
  }
  Value LoadPointer(Value base, int64_t position) {
    return mlir::LLVM::LoadOp::create(b_, loc_, pointer_, Element(base, pointer_, position));
  }
  Value LoadSize(Value base, int64_t position) {
    Value wide =
        mlir::LLVM::LoadOp::create(b_, loc_, b_.getI64Type(), Element(base, b_.getI64Type(), position));
    return mlir::arith::IndexCastOp::create(b_, loc_, b_.getIndexType(), wide);
  }
  void Store(Value value, Value base, int64_t position) {
    mlir::LLVM::StoreOp::create(b_, loc_, value, Element(base, value.getType(), position));
  }
  Value Advance(Value pointer, Value bytes) {
    return mlir::LLVM::GEPOp::create(b_, loc_, pointer_, b_.getI8Type(), pointer, mlir::ValueRange{bytes});
  }

  // The address of constant data.
  Value Bytes(llvm::StringRef bytes) {
    std::string name =
        "weft_data_" + std::to_string(std::distance(module_.getBody()->begin(), module_.getBody()->end()));
    mlir::OpBuilder at_end = mlir::OpBuilder::atBlockEnd(module_.getBody());
    auto type = mlir::LLVM::LLVMArrayType::get(b_.getI8Type(), bytes.size());
    auto global =
        mlir::LLVM::GlobalOp::create(at_end, loc_, type, /*isConstant=*/true, mlir::LLVM::Linkage::Private,
                                     name, b_.getStringAttr(bytes), /*alignment=*/64);
    return mlir::LLVM::AddressOfOp::create(b_, loc_, pointer_, global.getSymName());
  }

  mlir::LLVM::LLVMFuncOp Declare(llvm::StringRef name, mlir::Type result,
                                 llvm::ArrayRef<mlir::Type> arguments) {
    if (auto known = module_.lookupSymbol<mlir::LLVM::LLVMFuncOp>(name)) return known;
    mlir::OpBuilder at_start = mlir::OpBuilder::atBlockBegin(module_.getBody());
    return mlir::LLVM::LLVMFuncOp::create(at_start, module_.getLoc(), name,
                                          mlir::LLVM::LLVMFunctionType::get(result, arguments));
  }

  mlir::ModuleOp module_;
  mlir::OpBuilder b_;
  mlir::Location loc_;
  mlir::Type pointer_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_HOST_BUILDER_H_
