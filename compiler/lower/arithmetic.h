#ifndef WEFT_COMPILER_LOWER_ARITHMETIC_H_
#define WEFT_COMPILER_LOWER_ARITHMETIC_H_

#include "dsl/program/program.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace weft::lower {

// One function of the language that computes all its operands first (all but kSelect, kSwitch, kPow).
// `element` is the type of the operands, which decides signs: data of type u8 divides, compares and orders as
// unsigned. `natural`: no operand is negative and a divisor is not zero.
mlir::Value LowerFunction(mlir::OpBuilder& builder, mlir::Location loc, dsl::Function function,
                          mlir::ValueRange operands, dsl::ElementType element, bool natural);

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_ARITHMETIC_H_
