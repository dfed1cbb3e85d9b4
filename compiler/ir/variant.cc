#include "compiler/ir/variant.h"

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/Builders.h"

namespace weft::ir {

namespace {

constexpr llvm::StringLiteral kVariantOf = "weft.variant_of", kSizes = "weft.sizes";

}  // namespace

void MarkVariant(mlir::func::FuncOp function, const std::map<std::string, int64_t>& sizes) {
  mlir::Builder builder(function.getContext());
  llvm::SmallVector<mlir::NamedAttribute> numbers;
  for (const auto& [name, size] : sizes)
    numbers.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(size)));
  std::string method = function.getSymName().str();
  function->setAttr(kVariantOf, builder.getStringAttr(method));
  function->setAttr(kSizes, builder.getDictionaryAttr(numbers));
  function.setSymName(method + "[" + VariantSizes(function, "=", ", ") + "]");
}

llvm::StringRef VariantOf(mlir::func::FuncOp function) {
  auto method = function->getAttrOfType<mlir::StringAttr>(kVariantOf);
  return method ? method.getValue() : llvm::StringRef();
}

void CopyVariantSizes(mlir::func::FuncOp from, mlir::func::FuncOp to) {
  if (mlir::Attribute sizes = from->getAttr(kSizes)) to->setAttr(kSizes, sizes);
}

std::string VariantSizes(mlir::func::FuncOp function, llvm::StringRef equal, llvm::StringRef separator) {
  std::string text;
  auto sizes = function->getAttrOfType<mlir::DictionaryAttr>(kSizes);
  if (!sizes) return text;
  for (mlir::NamedAttribute size : sizes) {
    if (!text.empty()) text += separator;
    text += size.getName().str() + equal.str() +
            std::to_string(mlir::cast<mlir::IntegerAttr>(size.getValue()).getInt());
  }
  return text;
}

}  // namespace weft::ir
