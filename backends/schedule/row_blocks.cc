#include "backends/schedule/row_blocks.h"

#include <algorithm>
#include <cstdlib>

#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

constexpr int64_t kUnknownExtent = 1024;

// What equations hand over for one row.
int64_t RowBytes(const KernelView& kernel) {
  int64_t bytes = 0;
  for (const EquationView& equation : kernel.equations) {
    if (&equation == &kernel.equations.back()) continue;
    int64_t elements = 1;
    for (size_t i = 0; i < equation.loops.domain.size(); ++i) {
      if (std::find(equation.common.begin(), equation.common.end(), i) != equation.common.end()) continue;
      int64_t extent = equation.loops.domain[i].extent;
      elements *= extent < 0 ? kUnknownExtent : extent;
    }
    bytes += elements * kElementBytes;
  }
  return bytes;
}

}  // namespace

int64_t RowTilesAtOnce(const KernelView& kernel, int64_t rows, int64_t tall, const Target& target,
                       Knobs& knobs) {
  constexpr double kStays = 0.5;       // of the cache
  constexpr int64_t kMostRows = 96;    // beyond, what is shared is nothing beside the work
  constexpr int64_t kFewestRows = 32;  // with fewer it would pass too often, whatever stays
  if (rows < 0) return 1;
  double fits = kStays * static_cast<double>(target.l2_bytes) /
                static_cast<double>(std::max<int64_t>(1, RowBytes(kernel)));
  int64_t most = std::max<int64_t>(1, std::clamp(static_cast<int64_t>(fits), kFewestRows, kMostRows) / tall);
  int64_t all = (rows + tall - 1) / tall;
  int64_t blocks = (all + most - 1) / most;
  int64_t tiles = (all + blocks - 1) / blocks;
  std::vector<KnobValue> others;
  for (int64_t other : {1, 2, 4, 6, 8, 11, 12, 16}) others.push_back({std::min<int64_t>(other, all), 1.1});
  return knobs.Choose("tiles", tiles, std::move(others));
}

void ReduceTilesInBlocks(Plan& plan, const std::string& tile, Knobs& knobs,
                         std::vector<std::string>& around) {
  constexpr int64_t kShortest = 64, kWanted = 128, kLongest = 256;  // steps
  auto at = std::find(around.begin(), around.end(), tile);
  if (!HasBlocks(*plan.view) || at == around.end() || plan.reductions.empty()) return;
  for (const Directive& d : plan.directives)
    if (d.kind == DirectiveKind::kOverlap || d.kind == DirectiveKind::kTranspose) return;
  auto longest = std::max_element(plan.reductions.begin(), plan.reductions.end(),
                                  [](const auto& a, const auto& b) { return a.extent < b.extent; });
  int64_t best = 0;
  std::vector<KnobValue> others = {{0, 1.1}};
  for (int64_t length = kShortest; length <= kLongest && 2 * length <= longest->extent; ++length) {
    if (longest->extent % length != 0) continue;
    others.push_back({length, 1.05});
    if (best == 0 || std::abs(length - kWanted) < std::abs(best - kWanted)) best = length;
  }
  int64_t length = knobs.Choose("block", best, std::move(others));
  if (length == 0) return;
  std::string block, inner;
  plan.Split(longest->name, length, &block, &inner);
  *longest = {inner, length};
  around.insert(at, block);
}

}  // namespace weft::backends
