#ifndef WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_
#define WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_

#include <optional>

#include "mlir/IR/Types.h"
#include "runtime/weft.h"

namespace weft::backends {

// What the runtime calls the elements of tensors of `type`; i8 stands for u8 as well.
// "f32", "int": as files say it; nothing for another word.
std::optional<weft_type> TypeByName(llvm::StringRef name);

weft_type TypeOfElement(mlir::Type type);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_
