#include "backends/schedule/sum_widths.h"

#include <algorithm>

#include "backends/schedule/knob_values.h"

namespace weft::backends {

constexpr int64_t kMostVectors = 4;
constexpr int64_t kLatency = 4;  // of an addition, in vectors that could begin meanwhile

int64_t ColumnsAtOnce(int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes), vectors = kMostVectors;
  while (vectors > 1 && extent >= 0 && extent < vectors * lanes) vectors /= 2;
  return knobs.Choose("columns", vectors * lanes, OtherWidths(extent, lanes, {1, 2, 4, 8}));
}

int64_t LanesAtOnce(int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes), width = kMostVectors * lanes;
  auto cycles = [&](int64_t vectors) {
    int64_t rest = (extent % (vectors * lanes) + lanes - 1) / lanes;
    return extent / (vectors * lanes) * std::max(vectors, kLatency) + rest * kLatency;
  };
  for (int64_t vectors = kMostVectors - 1; vectors > 0 && extent >= 0; --vectors) {
    bool fits = width <= extent;
    if (!fits || cycles(vectors) < cycles(width / lanes)) width = vectors * lanes;
  }
  return knobs.Choose("lanes", width, OtherWidths(extent, lanes, {1, 2, 3, 4, 8}));
}

}  // namespace weft::backends
