#include "backends/schedule/knob_values.h"

#include <algorithm>

namespace weft::backends {
namespace {

// What a tile may be slower by than the fastest, for a copy in panels: less than lines that drive each other
// out.
constexpr double kSpeedForPanels = 0.85;

// One side of tiles: what the estimate says of each, beside the one that was chosen.
std::vector<KnobValue> Others(const std::vector<passes::RatedTile>& tiles, int64_t by_model,
                              int64_t passes::RegisterTile::* side) {
  double speed = 1;
  for (const passes::RatedTile& rated : tiles)
    if (rated.tile.*side == by_model) speed = rated.speed;
  std::vector<KnobValue> others;
  for (const passes::RatedTile& rated : tiles)
    if (rated.speed > 0) others.push_back({rated.tile.*side, speed / rated.speed});
  return others;
}

}  // namespace

double Imbalance(int64_t tasks, const Target& target) {
  if (tasks < 0) return 1.1;
  int64_t each = (tasks + target.cores - 1) / target.cores;
  return static_cast<double>(each * target.cores) / static_cast<double>(std::max<int64_t>(1, tasks));
}

std::vector<KnobValue> OtherTasks(int64_t extent, int64_t by_model, const Target& target) {
  std::vector<int64_t> steps = {1, by_model / 2, by_model * 2};
  for (int64_t tasks : {1, 2, 4})
    if (extent > 0) steps.push_back((extent + tasks * target.cores - 1) / (tasks * target.cores));
  std::vector<KnobValue> others;
  for (int64_t each : steps) {
    if (each < 1 || (extent > 0 && each >= extent)) continue;
    int64_t tasks = extent < 0 ? -1 : (extent + each - 1) / each;
    others.push_back({each, 1.02 * Imbalance(tasks, target)});
  }
  return others;
}

std::vector<KnobValue> OtherWidths(int64_t extent, int64_t lanes, std::initializer_list<int64_t> vectors) {
  std::vector<KnobValue> others;
  for (int64_t count : vectors)
    if (extent < 0 || count * lanes <= extent) others.push_back({count * lanes, 1.05});
  return others;
}

int64_t WholePanels(int64_t rows, int64_t columns, int64_t best, const Target& target) {
  double fastest = 0, whole = 0;
  int64_t width = best;
  for (auto [tile, speed] : passes::RateTileColumns(ForPasses(target), rows, columns, 0, kElementBytes)) {
    if (tile.columns == best) fastest = speed;
    if (columns >= 0 && columns % tile.columns == 0 && speed > whole) whole = speed, width = tile.columns;
  }
  return whole >= kSpeedForPanels * fastest ? width : best;
}

std::vector<KnobValue> OtherColumns(int64_t rows, int64_t columns, int64_t by_model, const Target& target) {
  return Others(passes::RateTileColumns(ForPasses(target), rows, columns, 0, kElementBytes), by_model,
                &passes::RegisterTile::columns);
}

std::vector<KnobValue> OtherRows(int64_t rows, int64_t tile_columns, int64_t by_model, const Target& target) {
  return Others(passes::RateTileRows(ForPasses(target), rows, tile_columns, kElementBytes), by_model,
                &passes::RegisterTile::rows);
}

}  // namespace weft::backends
