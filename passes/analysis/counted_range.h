#ifndef WEFT_PASSES_ANALYSIS_COUNTED_RANGE_H_
#define WEFT_PASSES_ANALYSIS_COUNTED_RANGE_H_

// What `counted_from` and `counted_to` of a reduction say, as sums of multiples of indices.

#include "compiler/ir/weft_dialect.h"

namespace weft::passes {

// Attributes of a reduction: maps from the indices of its equation.
inline constexpr llvm::StringLiteral kCountedFrom = "counted_from", kCountedTo = "counted_to";

struct CountedEnd {
  llvm::SmallVector<int64_t> coefficients;  // by index of the equation's domain
  int64_t constant = 0;
};

// One per result of the map that is the attribute `name`; none without it.
llvm::SmallVector<CountedEnd> CountedEndsOf(ir::ReduceOp reduce, llvm::StringRef name);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_COUNTED_RANGE_H_
