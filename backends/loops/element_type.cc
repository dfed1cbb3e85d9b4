#include "backends/loops/element_type.h"

namespace weft::backends {

std::optional<weft_type> TypeByName(llvm::StringRef name) {
  constexpr const char* kNames[] = {"bool", "int", "i8", "u8", "i32", "i64", "f16", "bf16", "f32", "f64"};
  for (int type = 0; type < 10; ++type)
    if (name == kNames[type]) return static_cast<weft_type>(type);
  return std::nullopt;
}

weft_type TypeOfElement(mlir::Type type) {
  if (type.isF16()) return WEFT_F16;
  if (type.isBF16()) return WEFT_BF16;
  if (type.isF32()) return WEFT_F32;
  if (type.isF64()) return WEFT_F64;
  if (type.isInteger(1)) return WEFT_BOOL;
  if (type.isInteger(8)) return WEFT_I8;
  if (type.isInteger(32)) return WEFT_I32;
  return WEFT_INT;
}

}  // namespace weft::backends
