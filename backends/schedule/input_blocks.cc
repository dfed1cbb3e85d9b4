#include "backends/schedule/input_blocks.h"

#include <algorithm>

#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

// Bytes of the input in one step of `loop`; 0: it does not depend on it.
double BytesInStep(const Plan& plan, const std::vector<const ReadView*>& reads, const std::string& loop,
                   int64_t tall) {
  for (size_t i = 0; i < plan.domain.size(); ++i) {
    bool is_tile = plan.IsOuterPart(loop, plan.domain[i].name);
    if (plan.domain[i].name != loop && !is_tile) continue;
    double bytes = 0;
    for (const ReadView* read : reads) bytes = std::max(bytes, BytesPerStep(*read, plan.domain_indices[i]));
    return is_tile ? bytes * static_cast<double>(tall) : bytes;
  }
  return 0;
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
                                       size_t first, int64_t tall, double weight_bytes,
                                       const Target& target) {
  // Shares of a near cache, which other cores use, too: measured. A far one hands weights over no faster than
  // the input.
  constexpr double kStays = 1.0 / 10, kBlock = 1.0 / 24;
  if (!target.l3_is_near) return std::nullopt;
  auto cache = static_cast<double>(target.l3_bytes);
  if (weight_bytes > kStays * cache) return std::nullopt;
  for (size_t at = first; at < outer.size(); ++at) {
    auto [loop, extent] = outer[at];
    double step = BytesInStep(plan, reads, loop, tall);
    if (extent < 0 || step * static_cast<double>(extent) <= kStays * cache) return std::nullopt;
    if (step > kBlock * cache) continue;
    auto most = static_cast<int64_t>(kBlock * cache / step);
    return InputBlock{at, EvenSteps(extent, std::min(most, extent), target.cores)};
  }
  return std::nullopt;
}

}  // namespace weft::backends
