#ifndef WEFT_COMPILER_LOWER_INTEGER_DIVISION_H_
#define WEFT_COMPILER_LOWER_INTEGER_DIVISION_H_

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace weft::lower {

// What is known of the operands of a division: nothing, or that neither is negative and the divisor is not
// zero.
enum class Signs { kUnknown, kNatural };

// `a div b` and `a % b` of the language: rounded toward minus infinity, 0 where b is 0. Of integers or
// indices.
mlir::Value FloorDivide(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value a, mlir::Value b,
                        Signs signs);
mlir::Value FloorRemainder(mlir::OpBuilder& builder, mlir::Location loc, mlir::Value a, mlir::Value b,
                           Signs signs);

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_INTEGER_DIVISION_H_
