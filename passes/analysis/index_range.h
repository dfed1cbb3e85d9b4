#ifndef WEFT_PASSES_ANALYSIS_INDEX_RANGE_H_
#define WEFT_PASSES_ANALYSIS_INDEX_RANGE_H_

// What is known of whole numbers: between which bounds an `index` or i64 value lies, and how it is a sum of
// multiples of simpler ones. Indices of equations and reductions get the range of their extents and bounds.

#include <cstdint>
#include <limits>

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/Value.h"

namespace weft::passes {

// All numbers from lo to hi, both included. The extremes of int64_t stand for "no bound known".
struct IndexRange {
  static constexpr int64_t kNoLower = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kNoUpper = std::numeric_limits<int64_t>::max();

  int64_t lo = kNoLower;
  int64_t hi = kNoUpper;

  bool IsConstant() const { return lo == hi; }
  // Whether every number of the range is in lower..upper, upper excluded.
  bool Within(int64_t lower, int64_t upper) const { return lo >= lower && hi < upper; }
};

// The range of `value`, an `index` or an integer. A range that holds wherever `value` is computed: the index
// of an empty axis is nowhere computed.
IndexRange RangeOf(mlir::Value value);

// value = constant + sum of coefficient * atom. Every value is an atom of itself at worst.
struct LinearForm {
  struct Term {
    mlir::Value atom;
    int64_t coefficient;
  };
  llvm::SmallVector<Term, 4> terms;  // no atom twice, no coefficient 0
  int64_t constant = 0;
};
LinearForm LinearFormOf(mlir::Value value);
IndexRange RangeOf(const LinearForm& form);

// Whether the two index values are shown to be equal: the same linear form, where `tensor.dim` of one axis
// counts as one atom whichever operation asks for it.
bool ProvablyEqual(mlir::Value a, mlir::Value b);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_INDEX_RANGE_H_
