#ifndef WEFT_PASSES_MATH_PHILOX_H_
#define WEFT_PASSES_MATH_PHILOX_H_

#include "compiler/ir/weft_dialect.h"

namespace weft::passes {

// The bits of `random` by multiplications and exclusive ors of i64, before it.
mlir::Value BuildPhilox(mlir::OpBuilder& builder, ir::RandomOp random);

}  // namespace weft::passes

#endif  // WEFT_PASSES_MATH_PHILOX_H_
