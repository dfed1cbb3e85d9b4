#ifndef WEFT_COMPILER_IR_OPERAND_NAME_H_
#define WEFT_COMPILER_IR_OPERAND_NAME_H_

// What the text calls the tensor of a read: the name in front of the brackets, whatever is passed for it.
// Schedules say it. It is kept in the location, so that equal reads of differently named tensors are equal.

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

namespace weft::ir {

mlir::Location WithOperandName(mlir::Location location, llvm::StringRef name);

// Empty: the text does not name it, or a pass has made the read.
llvm::StringRef OperandNameOf(mlir::Operation* read);

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_OPERAND_NAME_H_
