#ifndef WEFT_RUNTIME_SELECTION_H_
#define WEFT_RUNTIME_SELECTION_H_

// Sorting, grouping and filtering: what generated code calls (weft_sort, weft_segments, weft_filter) in terms
// of memory.

#include <cstdint>

#include "runtime/weft.h"

namespace weft::runtime {

// Bytes of scratch memory for sorting a row of n keys.
int64_t SortScratchBytes(weft_type type, int64_t n);

// order[0..k) = the positions of the k smallest of n keys (largest: with `descending`), in order; equal keys
// in the order of their positions, -0 equals 0, NaN is the largest. 0 <= k <= n. Of the types that generated
// code stores: i8, i32, i64 and floats.
void SortRow(weft_type type, bool descending, const void* keys, int64_t n, int64_t k, void* scratch,
             int64_t* order);

// A counting sort of n keys: order[starts[k]..starts[k + 1]) = the positions of key k, in order, for the keys
// 0..segments; behind them the positions of all other keys. `starts` has segments + 1 elements.
void SegmentRow(const int64_t* keys, int64_t n, int64_t segments, int64_t* order, int64_t* starts);

// The positions where the mask (bytes, 0 or 1) holds, at most `most`, in order. Returns how many.
int64_t FilterRow(const uint8_t* mask, int64_t n, int64_t most, int64_t* positions);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_SELECTION_H_
