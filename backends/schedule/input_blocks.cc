#include "backends/schedule/input_blocks.h"

#include <algorithm>

#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

using Loops = std::vector<std::pair<std::string, int64_t>>;

// The position in the domain of a loop, or of what it is the outer part of; -1: it has none.
int PositionOf(const Plan& plan, const std::string& loop) {
  for (size_t i = 0; i < plan.domain.size(); ++i)
    if (plan.domain[i].name == loop || plan.IsOuterPart(loop, plan.domain[i].name))
      return static_cast<int>(i);
  return -1;
}

// Bytes of the input in one step of the last of `loops`, in one of those before it; 0: it stays the same.
double BytesInStep(const Plan& plan, const std::vector<const ReadView*>& reads, const Loops& loops,
                   int64_t tall) {
  std::vector<mlir::Value> walked;
  int last = -1;
  for (const auto& loop : loops) {
    last = PositionOf(plan, loop.first);
    if (last < 0) return 0;
    walked.insert(walked.end(), plan.domain_indices[last].begin(), plan.domain_indices[last].end());
  }
  double most = 0;
  for (const ReadView* read : reads) {
    if (MotionOf(*read, plan.domain_indices[last]) != Motion::kStill)
      most = std::max(most, BytesCovered(*read, walked));
  }
  bool is_tile = loops.back().first != plan.domain[last].name;
  return is_tile ? most * static_cast<double>(tall) : most;
}

// Steps of blocks, `most` at best, of which every thread takes as many, all about as long.
int64_t EvenSteps(int64_t extent, int64_t most, int64_t threads) {
  for (int64_t blocks = (extent + most - 1) / most; blocks < 2 * extent / most; ++blocks) {
    int64_t steps = (extent + blocks - 1) / blocks;
    if ((extent + steps - 1) / steps % threads == 0) return steps;
  }
  return most;
}

}  // namespace

std::optional<InputBlock> BlockOfInput(const Plan& plan, const std::vector<const ReadView*>& reads,
                                       const std::vector<std::pair<std::string, int64_t>>& outer,
                                       size_t first, int64_t tall, const ColumnWeights& weights,
                                       const Target& target) {
  // Shares of a near third cache, which other cores use, too: measured; of a second one beside a far one.
  constexpr double kStays = 1.0 / 10, kBlock = 1.0 / 24, kHalf = 0.5;
  // Where weights come from a far cache once for each block, what is saved must be much more.
  constexpr double kMuchMore = 3;
  bool is_near = target.l3_is_near;
  auto cache = static_cast<double>(is_near ? target.l3_bytes : target.l2_bytes);
  double stays = (is_near ? kStays : kHalf) * cache, room = (is_near ? kBlock : kHalf) * cache;
  if (is_near && weights.bytes > stays) return std::nullopt;
  for (size_t at = first; at < outer.size(); ++at) {
    auto [loop, extent] = outer[at];
    double step = BytesInStep(plan, reads, Loops(outer.begin(), outer.begin() + at + 1), tall);
    if (extent == 1 || step > room) continue;  // there is nothing to cut, or not enough of it
    double input = step * static_cast<double>(extent);
    if (extent < 0 || input <= stays) return std::nullopt;
    int64_t steps = EvenSteps(extent, std::min(static_cast<int64_t>(room / step), extent), target.cores);
    int64_t parts = (extent + steps - 1) / steps;
    double again = static_cast<double>(parts) * weights.bytes;
    if (!is_near && again * kMuchMore > input * static_cast<double>(weights.blocks)) return std::nullopt;
    return InputBlock{at, steps};
  }
  return std::nullopt;
}

}  // namespace weft::backends
