#ifndef WEFT_PASSES_MATH_SIGN_H_
#define WEFT_PASSES_MATH_SIGN_H_

// Which signs of floats are known from how they are computed.

#include "mlir/IR/Value.h"

namespace weft::passes {

// Whether `value` is nowhere above 0, wherever it is no NaN: -|a|, the least of a and 0, products of such
// numbers, and what softmax subtracts, x[n] - max(m) x[m].
bool IsNeverPositive(mlir::Value value);

}  // namespace weft::passes

#endif  // WEFT_PASSES_MATH_SIGN_H_
