#include "compiler/ir/operand_name.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace weft::ir {

mlir::Location WithOperandName(mlir::Location location, llvm::StringRef name) {
  mlir::MLIRContext* context = location.getContext();
  return mlir::FusedLoc::get(context, {location}, mlir::StringAttr::get(context, name));
}

llvm::StringRef OperandNameOf(mlir::Operation* read) {
  auto fused = mlir::dyn_cast<mlir::FusedLoc>(read->getLoc());
  auto name = fused ? mlir::dyn_cast_or_null<mlir::StringAttr>(fused.getMetadata()) : nullptr;
  return name ? name.getValue() : llvm::StringRef();
}

}  // namespace weft::ir
