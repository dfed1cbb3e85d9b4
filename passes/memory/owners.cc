#include "passes/memory/owners.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

namespace weft::passes {
namespace {

constexpr size_t kMostBlocks = 400;            // each is looked at with all others
constexpr int64_t kMostThreads = 8;            // more are taken together: neighbours share caches
constexpr int kMostRounds = 200;               // of placing a block earlier
constexpr int64_t kMostLooksPerBlock = 10000;  // at another one, in all orders together

// Parts of memory by the thread that had each last.
class Owners {
 public:
  // Gives [begin, end) to `thread`; the bytes of it that another had.
  int64_t Give(int64_t begin, int64_t end, int64_t thread) {
    if (begin >= end) return 0;
    Cut(begin), Cut(end);
    int64_t others = 0;
    auto part = parts_.find(begin);
    while (part != parts_.end() && part->first < end) {
      auto next = std::next(part);
      int64_t part_end = next == parts_.end() ? end : next->first;
      if (part->second != thread && part->second != kNobody) others += part_end - part->first;
      part = parts_.erase(part);
    }
    parts_[begin] = thread;
    return others;
  }

 private:
  static constexpr int64_t kNobody = -1;

  // Makes a part begin at `at`.
  void Cut(int64_t at) {
    auto next = parts_.upper_bound(at);
    parts_.emplace(at, next == parts_.begin() ? kNobody : std::prev(next)->second);
  }

  std::map<int64_t, int64_t> parts_;  // where each begins; up to the next one
};

class Placer {
 public:
  Placer(const std::vector<Block>& blocks, int64_t alignment, int64_t threads, int64_t most_bytes)
      : blocks_(blocks), alignment_(alignment), threads_(threads), most_bytes_(most_bytes) {}

  // Places each block where it agrees best with those before it in `order`; gives how many found a place.
  size_t InOrder(const std::vector<size_t>& order) {
    placement_.offsets.assign(blocks_.size(), 0);
    placement_.bytes = 0;
    placed_.clear();
    for (size_t block : order) {
      if (blocks_[block].bytes > 0) {
        std::optional<int64_t> place = BestPlace(block);
        if (!place) return placed_.size();
        placement_.offsets[block] = *place;
        placement_.bytes = std::max(placement_.bytes, *place + Size(block));
      }
      placed_.push_back(block);
    }
    return placed_.size();
  }

  const Placement& placement() const { return placement_; }
  int64_t looks() const { return looks_; }  // so far

 private:
  int64_t Size(size_t block) const { return RoundUp(blocks_[block].bytes, alignment_); }

  std::optional<int64_t> BestPlace(size_t block) {
    std::optional<int64_t> best;
    int64_t least = 0;
    for (const auto& [begin, end] : GapsFor(block)) {
      const std::vector<size_t> inside = PlacedIn(begin, end);
      for (int64_t place : PlacesIn(begin, end, block)) {
        int64_t others = Disagreement(block, place, inside);
        if (best && others >= least) continue;
        best = place;
        least = others;
      }
    }
    return best;
  }

  // What blocks alive at the same time leave free, where it is large enough.
  std::vector<std::pair<int64_t, int64_t>> GapsFor(size_t block) {
    looks_ += 1 + static_cast<int64_t>(placed_.size());
    std::vector<std::pair<int64_t, int64_t>> taken = {{most_bytes_, most_bytes_}}, gaps;
    for (size_t other : placed_)
      if (blocks_[other].bytes > 0 && Overlap(blocks_[block], blocks_[other]))
        taken.emplace_back(placement_.offsets[other], placement_.offsets[other] + Size(other));
    std::sort(taken.begin(), taken.end());
    int64_t begin = 0;
    for (const auto& [next, end] : taken) {
      if (next - begin >= Size(block)) gaps.emplace_back(begin, next);
      begin = std::max(begin, end);
    }
    return gaps;
  }

  // The ends of a gap, and where the block's middle lies at another's: the second half of the threads begins
  // there.
  std::vector<int64_t> PlacesIn(int64_t begin, int64_t end, size_t block) const {
    int64_t last = (end - Size(block)) / alignment_ * alignment_;
    std::vector<int64_t> places = {begin, last};
    for (size_t i = 0; i < std::min(placed_.size(), kMostMiddles); ++i) {
      int64_t place = placement_.offsets[placed_[i]] + (blocks_[placed_[i]].bytes - blocks_[block].bytes) / 2;
      places.push_back(std::clamp((place + alignment_ / 2) / alignment_ * alignment_, begin, last));
    }
    std::sort(places.begin(), places.end());  // many are clamped to the same end
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
  }

  // The placed blocks that have memory of a gap at other times.
  std::vector<size_t> PlacedIn(int64_t begin, int64_t end) const {
    std::vector<size_t> inside;
    for (size_t other : placed_)
      if (placement_.offsets[other] < end && placement_.offsets[other] + blocks_[other].bytes > begin)
        inside.push_back(other);
    return inside;
  }

  // The bytes of a block at `place` in a gap that are another thread's in a block `inside` of it.
  int64_t Disagreement(size_t block, int64_t place, const std::vector<size_t>& inside) {
    int64_t sum = 0;
    looks_ += static_cast<int64_t>(inside.size());
    for (size_t other : inside) {
      int64_t offset = placement_.offsets[other];
      if (offset >= place + blocks_[block].bytes || place >= offset + blocks_[other].bytes) continue;
      sum += std::min(place + blocks_[block].bytes, offset + blocks_[other].bytes) - std::max(place, offset);
      for (int64_t thread = 0; thread < threads_; ++thread) {
        int64_t begin = std::max(BeginOf(block, place, thread), BeginOf(other, offset, thread));
        int64_t end = std::min(BeginOf(block, place, thread + 1), BeginOf(other, offset, thread + 1));
        sum -= std::max<int64_t>(0, end - begin);
      }
    }
    return sum;
  }

  int64_t BeginOf(size_t block, int64_t offset, int64_t thread) const {
    return offset + blocks_[block].bytes * thread / threads_;
  }

  static constexpr size_t kMostMiddles = 32;  // of the blocks that were placed first

  const std::vector<Block>& blocks_;
  int64_t alignment_, threads_, most_bytes_;
  Placement placement_;
  std::vector<size_t> placed_;
  int64_t looks_ = 0;
};

}  // namespace

int64_t BytesOfOthers(const std::vector<Block>& blocks, const std::vector<int64_t>& offsets,
                      int64_t threads) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(blocks[a].first, a) < std::pair(blocks[b].first, b);
  });
  Owners owners;
  int64_t others = 0;
  for (int run = 0; run < 2; ++run) {
    others = 0;
    for (size_t i : order) {
      for (int64_t thread = 0; thread < threads; ++thread) {
        others += owners.Give(offsets[i] + blocks[i].bytes * thread / threads,
                              offsets[i] + blocks[i].bytes * (thread + 1) / threads, thread);
      }
    }
  }
  return others;
}

Placement KeepOwners(const std::vector<Block>& blocks, Placement placement, int64_t alignment,
                     int64_t threads, int64_t most_bytes) {
  const auto count = static_cast<int64_t>(blocks.size());
  if (threads < 2 || count < 2 || blocks.size() > kMostBlocks) return placement;
  threads = std::min(threads, kMostThreads);
  most_bytes = std::max(placement.bytes, most_bytes) / alignment * alignment;
  Placer placer(blocks, alignment, threads, most_bytes);
  const int64_t most_looks = kMostLooksPerBlock * count;
  int64_t least = BytesOfOthers(blocks, placement.offsets, threads);
  std::vector<size_t> best_order(blocks.size());
  std::iota(best_order.begin(), best_order.end(), size_t{0});
  auto attempt = [&](std::vector<size_t> order) {
    // What finds no place is placed earlier.
    size_t found = placer.InOrder(order);
    while (found < order.size() && placer.looks() < most_looks) {
      auto late = order.begin() + static_cast<int64_t>(found);
      std::rotate(order.begin() + static_cast<int64_t>(found) / 2, late, late + 1);
      found = placer.InOrder(order);
    }
    if (found < order.size()) return;
    int64_t others = BytesOfOthers(blocks, placer.placement().offsets, threads);
    if (others > least) return;
    placement = placer.placement();
    best_order = std::move(order);
    least = others;
  };
  // Which order is best depends on the graph; what lives long or is large has the least choice.
  auto by_key = [&](auto key) {
    std::vector<size_t> order(blocks.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      auto first = key(blocks[a]), second = key(blocks[b]);
      return first != second ? first > second : a < b;
    });
    attempt(std::move(order));
  };
  by_key([](const Block& block) { return block.bytes; });
  by_key([](const Block& block) { return (block.last - block.first + 1) * block.bytes; });
  by_key([](const Block& block) { return block.last - block.first; });

  std::minstd_rand draw;  // the same numbers on every machine
  for (int round = 0; round < kMostRounds && least > 0 && placer.looks() < most_looks; ++round) {
    std::vector<size_t> order = best_order;
    auto place = order.begin() + 1 + static_cast<int64_t>(draw()) % (count - 1);
    std::rotate(order.begin() + static_cast<int64_t>(draw()) % (place - order.begin()), place, place + 1);
    attempt(std::move(order));
  }
  return placement;
}

}  // namespace weft::passes
