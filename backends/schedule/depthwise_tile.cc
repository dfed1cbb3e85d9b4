#include "backends/schedule/depthwise_tile.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/schedule/knob_values.h"
#include "backends/schedule/motion.h"

namespace weft::backends {

int64_t DepthwiseColumns(int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes);
  int64_t vectors = (extent + lanes - 1) / lanes;
  // Vectors of half a line read each line twice, the second time when it has left the cache.
  int64_t odd = lanes * kElementBytes < kLineBytes ? 4 : 16;
  bool in_pairs = extent >= 2 * lanes && (vectors % 2 == 0 || vectors > odd);
  return knobs.Choose("columns", in_pairs ? 2 * lanes : lanes, OtherWidths(extent, lanes, {1, 2, 4}));
}

int64_t DepthwiseRows(int64_t extent, int64_t vectors, const Target& target, Knobs& knobs) {
  if (extent < 0) return 4;
  int64_t most = (target.vector_registers >= 32 ? 14 : 6) / vectors, best = 1;
  // Places that a line of results loads: each tile two more than it has rows. The last tile ends with them.
  auto loads = [&](int64_t rows) { return static_cast<double>(extent + 2 * ((extent + rows - 1) / rows)); };
  std::vector<KnobValue> others;
  for (int64_t rows = 1; rows <= std::min(most, extent); ++rows) {
    if (loads(rows) < loads(best)) best = rows;
    others.push_back({rows, loads(rows)});
  }
  for (KnobValue& other : others) other.cost /= loads(best);
  return knobs.Choose("rows", best, std::move(others));
}

}  // namespace weft::backends
