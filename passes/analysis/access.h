#ifndef WEFT_PASSES_ANALYSIS_ACCESS_H_
#define WEFT_PASSES_ANALYSIS_ACCESS_H_

// Whether an access stays inside its tensor.

#include <cstdint>

#include "mlir/IR/Value.h"

namespace weft::passes {

// Whether 0 <= subscript < size of the axis is shown wherever the subscript is computed: by numbers, or where
// sizes are known at run time only by forms: an index goes to its extent less one, and d * (x div d) is no
// more than x.
bool StaysInside(mlir::Value subscript, mlir::Value tensor, int64_t axis);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_ACCESS_H_
