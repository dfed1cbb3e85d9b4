#include "passes/memory/interval_allocator.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace weft::passes {
namespace {

// Rounds of placing a block that stands at the top of the arena earlier: so many, or what as many looks of
// one block at another allow, if that is less.
constexpr int64_t kRepairRounds = 256, kFewestRounds = 8, kMostLooks = int64_t{1} << 27;

// Places blocks in `order`, each into the smallest gap it fits among those placed before that live with it.
Placement PlaceInOrder(const std::vector<Block>& blocks, const std::vector<int>& order, int64_t alignment) {
  Placement placement;
  placement.offsets.assign(blocks.size(), 0);
  std::vector<int> placed;  // by offset
  for (int index : order) {
    const Block& block = blocks[index];
    int64_t size = RoundUp(block.bytes, alignment);
    if (size == 0) continue;
    int64_t end_of_below = 0, best = -1, best_gap = 0;
    for (int other : placed) {
      if (!Overlap(block, blocks[other])) continue;
      int64_t gap = placement.offsets[other] - end_of_below;
      if (gap >= size && (best < 0 || gap < best_gap)) {
        best = end_of_below;
        best_gap = gap;
      }
      end_of_below =
          std::max(end_of_below, placement.offsets[other] + RoundUp(blocks[other].bytes, alignment));
    }
    if (best < 0) best = end_of_below;
    placement.offsets[index] = best;
    placement.bytes = std::max(placement.bytes, best + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](int a, int b) { return placement.offsets[a] < placement.offsets[b]; }),
                  index);
  }
  return placement;
}

}  // namespace

bool Overlap(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }

int64_t RoundUp(int64_t bytes, int64_t alignment) { return (bytes + alignment - 1) / alignment * alignment; }

int64_t PeakBytes(const std::vector<Block>& blocks, int64_t alignment) {
  std::map<int64_t, int64_t> change;
  for (const Block& block : blocks) {
    change[block.first] += RoundUp(block.bytes, alignment);
    change[block.last + 1] -= RoundUp(block.bytes, alignment);
  }
  int64_t alive = 0, peak = 0;
  for (const auto& [step, bytes] : change) peak = std::max(peak, alive += bytes);
  return peak;
}

Placement PlaceBlocks(const std::vector<Block>& blocks, int64_t alignment) {
  const int64_t bound = PeakBytes(blocks, alignment);
  std::vector<int> identity(blocks.size());
  std::iota(identity.begin(), identity.end(), 0);

  Placement best;
  std::vector<int> best_order;
  auto attempt = [&](const std::vector<int>& order, bool takes_equal = false) {
    Placement placement = PlaceInOrder(blocks, order, alignment);
    bool is_better = placement.bytes < best.bytes || (takes_equal && placement.bytes == best.bytes);
    if (!best_order.empty() && !is_better) return;
    best = std::move(placement);
    best_order = order;
  };
  // Large blocks first leaves small ones to fill gaps; long-lived first keeps the arena's floor free of
  // holes; by time is what a stack would do. Which is best depends on the graph, and all are cheap.
  auto by_key = [&](auto key) {
    std::vector<int> order = identity;
    std::sort(order.begin(), order.end(), [&](int a, int b) {
      auto first = key(blocks[a]), second = key(blocks[b]);
      return first != second ? first > second : a < b;
    });
    attempt(order);
  };
  by_key([](const Block& block) { return block.bytes; });
  by_key([](const Block& block) { return (block.last - block.first + 1) * block.bytes; });
  by_key([](const Block& block) { return block.last - block.first; });
  attempt(identity);

  std::minstd_rand draw;  // the same numbers on every machine
  const auto count = static_cast<int64_t>(blocks.size());
  const int64_t rounds =
      std::clamp(kMostLooks / std::max<int64_t>(1, count * count), kFewestRounds, kRepairRounds);
  for (int64_t round = 0; round < rounds && best.bytes > bound; ++round) {
    // The block that ends the arena was placed too late: all gaps that fit were taken. How much earlier it
    // has to come is tried; orders that are as good lead to better ones.
    auto top = std::find_if(best_order.begin(), best_order.end(), [&](int index) {
      return best.offsets[index] + RoundUp(blocks[index].bytes, alignment) == best.bytes;
    });
    if (top == best_order.end() || top == best_order.begin()) break;
    std::vector<int> order = best_order;
    auto place = order.begin() + (top - best_order.begin());
    std::rotate(order.begin() + static_cast<int64_t>(draw()) % (top - best_order.begin()), place, place + 1);
    attempt(order, true);
  }
  return best;
}

}  // namespace weft::passes
