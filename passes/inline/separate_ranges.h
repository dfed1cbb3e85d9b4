#ifndef WEFT_PASSES_INLINE_SEPARATE_RANGES_H_
#define WEFT_PASSES_INLINE_SEPARATE_RANGES_H_

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::passes {

// `sum(a <= i, b <= j) x[a, b]` becomes `sum(a <= i) part[a, j]` with `part[a, j] = sum(b <= j) x[a, b]`: of
// a reduction with several ranges one that lies before, or behind, an index of the equation stays alone, so
// that each can be carried along its own axis.
void SeparateRanges(mlir::func::FuncOp function);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_SEPARATE_RANGES_H_
