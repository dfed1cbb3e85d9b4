#ifndef WEFT_COMPILER_IR_LOCATION_H_
#define WEFT_COMPILER_IR_LOCATION_H_

#include "mlir/IR/Location.h"

namespace weft::ir {

// The first place in a file that `location` leads to; null if there is none.
mlir::FileLineColLoc FilePlace(mlir::Location location);

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_LOCATION_H_
