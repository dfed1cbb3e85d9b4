#include "runtime/selection.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "runtime/element_type.h"
#include "runtime/program_table.h"

namespace weft::runtime {
namespace {

// Keys as unsigned numbers in the same order: what is sorted is pairs of such a key and its position, so that
// no two are equal and any sort is stable. Short keys share one word with their positions.
struct LongPair {
  uint64_t key;
  uint64_t position;
  friend bool operator<(const LongPair& a, const LongPair& b) {
    return a.key != b.key ? a.key < b.key : a.position < b.position;
  }
};

template <typename Bits, typename Float>
Bits OrderOfFloat(Float value) {
  if (value != value) return std::numeric_limits<Bits>::max();
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  Bits bits = std::bit_cast<Bits>(value == 0 ? Float{0} : value);
  return bits & kSign ? ~bits : bits | kSign;
}

bool IsShort(weft_type type, int64_t n) {
  return ByteSize(type) <= 4 && n <= std::numeric_limits<uint32_t>::max();
}

// In 32 bits.
uint64_t OrderOfShortKey(weft_type type, const void* keys, int64_t i) {
  switch (type) {
    case WEFT_F32:
      return OrderOfFloat<uint32_t>(static_cast<const float*>(keys)[i]);
    case WEFT_F16:
      return OrderOfFloat<uint32_t>(HalfToFloat(static_cast<const uint16_t*>(keys)[i]));
    case WEFT_BF16:
      return OrderOfFloat<uint32_t>(Bfloat16ToFloat(static_cast<const uint16_t*>(keys)[i]));
    case WEFT_I32:
      return static_cast<uint32_t>(static_cast<const int32_t*>(keys)[i]) ^ 0x80000000U;
    default:
      return static_cast<uint32_t>(static_cast<const int8_t*>(keys)[i] + 128);
  }
}

uint64_t OrderOfKey(weft_type type, const void* keys, int64_t i) {
  if (type == WEFT_F64) return OrderOfFloat<uint64_t>(static_cast<const double*>(keys)[i]);
  if (ByteSize(type) <= 4) return OrderOfShortKey(type, keys, i);
  return static_cast<uint64_t>(static_cast<const int64_t*>(keys)[i]) ^ (uint64_t{1} << 63);
}

// All in order, or the first k where these are few.
template <typename T>
void SortFirst(T* pairs, int64_t n, int64_t k) {
  if (k < n / 4) {
    std::partial_sort(pairs, pairs + k, pairs + n);
  } else {
    std::sort(pairs, pairs + n);
  }
}

}  // namespace

int64_t SortScratchBytes(weft_type type, int64_t n) {
  return n * static_cast<int64_t>(IsShort(type, n) ? sizeof(uint64_t) : sizeof(LongPair));
}

void SortRow(weft_type type, bool descending, const void* keys, int64_t n, int64_t k, void* scratch,
             int64_t* order) {
  if (IsShort(type, n)) {
    auto* pairs = static_cast<uint64_t*>(scratch);
    const uint64_t flip = descending ? 0xFFFFFFFFU : 0;
    for (int64_t i = 0; i < n; ++i)
      pairs[i] = (OrderOfShortKey(type, keys, i) ^ flip) << 32 | static_cast<uint64_t>(i);
    SortFirst(pairs, n, k);
    for (int64_t i = 0; i < k; ++i) order[i] = static_cast<int64_t>(pairs[i] & 0xFFFFFFFFU);
    return;
  }
  auto* pairs = static_cast<LongPair*>(scratch);
  const uint64_t flip = descending ? ~uint64_t{0} : 0;
  for (int64_t i = 0; i < n; ++i) pairs[i] = {OrderOfKey(type, keys, i) ^ flip, static_cast<uint64_t>(i)};
  SortFirst(pairs, n, k);
  for (int64_t i = 0; i < k; ++i) order[i] = static_cast<int64_t>(pairs[i].position);
}

void SegmentRow(const int64_t* keys, int64_t n, int64_t segments, int64_t* order, int64_t* starts) {
  const auto count = static_cast<uint64_t>(segments);
  auto is_in_segment = [count](int64_t key) { return static_cast<uint64_t>(key) < count; };
  std::fill_n(starts, segments + 1, 0);
  for (int64_t i = 0; i < n; ++i)
    if (is_in_segment(keys[i])) ++starts[keys[i]];
  // Now where each segment ends; filled from behind, each comes down to its beginning.
  int64_t total = 0;
  for (int64_t k = 0; k <= segments; ++k) total = starts[k] += total;
  int64_t behind = n;
  for (int64_t i = n - 1; i >= 0; --i) order[is_in_segment(keys[i]) ? --starts[keys[i]] : --behind] = i;
}

int64_t FilterRow(const uint8_t* mask, int64_t n, int64_t most, int64_t* positions) {
  int64_t count = 0;
  for (int64_t i = 0; i < n && count < most; ++i) {
    positions[count] = i;
    count += mask[i];
  }
  return count;
}

}  // namespace weft::runtime

extern "C" {

int32_t weft_sort(void* context, int32_t type, int32_t descending, const void* keys, int64_t rows, int64_t n,
                  int64_t k, int64_t* order) {
  struct Task {
    weft_type type;
    bool descending;
    const char* keys;
    int64_t n, k;
    int64_t* order;
  } task{static_cast<weft_type>(type), descending != 0, static_cast<const char*>(keys), n, k, order};
  if (k == 0) return 0;
  return weft_parallel_for(
      context,
      [](void* inner, int64_t row, void* closure) -> int32_t {
        const Task& all = *static_cast<Task*>(closure);
        void* scratch = weft_malloc(inner, weft::runtime::SortScratchBytes(all.type, all.n));
        if (scratch == nullptr) return 2;
        weft::runtime::SortRow(all.type, all.descending,
                               all.keys + row * all.n * weft::runtime::ByteSize(all.type), all.n, all.k,
                               scratch, all.order + row * all.k);
        weft_free(inner, scratch);
        return 0;
      },
      rows, &task);
}

void weft_segments(const int64_t* keys, int64_t rows, int64_t n, int64_t starts_per_row, int64_t* order,
                   int64_t* starts) {
  for (int64_t row = 0; row < rows; ++row)
    weft::runtime::SegmentRow(keys + row * n, n, starts_per_row - 1, order + row * n,
                              starts + row * starts_per_row);
}

void weft_filter(const uint8_t* mask, int64_t n, int64_t most, int64_t* positions, int64_t* count) {
  *count = weft::runtime::FilterRow(mask, n, most, positions);
}

}  // extern "C"
