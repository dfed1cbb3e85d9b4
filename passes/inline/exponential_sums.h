#ifndef WEFT_PASSES_INLINE_EXPONENTIAL_SUMS_H_
#define WEFT_PASSES_INLINE_EXPONENTIAL_SUMS_H_

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::passes {

// What `logsumexp(j <= i) x[j]` is made of: `sum(j <= i) exp(x[j] - peak)`, where the peak is the maximum of
// the same, or 0 where that is infinite. Its elements depend on i, but the sum can be carried all the same:
// with the peak so far beside it, and scaled whenever that rises (Milakov and Gimelshein, 2018).
void ScanExponentialSums(mlir::func::FuncOp function, bool explain);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_EXPONENTIAL_SUMS_H_
