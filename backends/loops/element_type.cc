#include "backends/loops/element_type.h"

namespace weft::backends {

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
