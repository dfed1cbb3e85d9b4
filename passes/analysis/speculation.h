#ifndef WEFT_PASSES_ANALYSIS_SPECULATION_H_
#define WEFT_PASSES_ANALYSIS_SPECULATION_H_

// Whether a computation may run where the program as written might not have run it. Bodies have no effects;
// the one danger is a read that was proved inside for the points of an index range and is not when that range
// is empty: `y[i < N] = x[0]` reads nothing if N is 0.

#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/OpDefinition.h"

namespace weft::passes {

// Whether `size` is shown to be at least 1.
bool IsPositive(mlir::OpFoldResult size);

// Whether every read in `op` (and in its regions) is in range wherever the indices it mentions are, whatever
// else holds around it: guarded subscripts, indices that run over an axis of the size of the one they
// subscript, numbers and ranges that the sizes of the types contain.
bool IsSpeculatable(mlir::Operation* op);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_SPECULATION_H_
