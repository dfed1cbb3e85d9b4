#ifndef WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_
#define WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_

#include "mlir/IR/Types.h"
#include "runtime/weft.h"

namespace weft::backends {

// What the runtime calls the elements of tensors of `type`; i8 stands for u8 as well.
weft_type TypeOfElement(mlir::Type type);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_ELEMENT_TYPE_H_
