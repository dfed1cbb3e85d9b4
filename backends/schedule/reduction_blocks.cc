#include "backends/schedule/reduction_blocks.h"

#include <algorithm>

#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

// Steps of the longest loop in one block, a divisor of its extent; 0: all.
int64_t StepsOfBlock(const std::vector<LoopInfo>& loops, size_t longest, int64_t width, const Target& target,
                     Knobs& knobs) {
  constexpr double kStays = 0.6, kBlock = 0.25;  // of the cache: measured, rows pass through it too
  constexpr int64_t kShortest = 64;              // steps that outweigh adding a tile to what there is
  auto step = static_cast<double>(width * kElementBytes);
  for (size_t i = 0; i < loops.size(); ++i) {
    if (loops[i].extent < 0) return 0;
    if (i != longest) step *= static_cast<double>(loops[i].extent);
  }
  auto cache = static_cast<double>(target.l2_bytes);
  int64_t extent = loops[longest].extent, by_model = 0;
  // Weights that come from a near cache in time need not stay in this one.
  double room = target.l3_is_near ? static_cast<double>(target.l3_bytes) / 8 : kStays * cache;
  bool stays = step * static_cast<double>(extent) <= room;
  std::vector<KnobValue> others = {{0, 1.1}};
  for (int64_t length = kShortest; length < extent; ++length) {
    double share = step * static_cast<double>(length) / cache;
    if (extent % length != 0 || share > kStays) continue;
    if (!stays && share <= kBlock) by_model = length;
    if (share > kBlock / 4) others.push_back({length, 1.05});
  }
  return knobs.Choose("block", by_model, std::move(others));
}

}  // namespace

void ReduceInBlocks(Plan& plan, const std::string& columns, int64_t width, const Target& target, Knobs& knobs,
                    std::vector<std::string>& around) {
  std::string steps = LoopWithin(columns, plan.directives, LoopPart::kInner);
  auto at = std::find(around.begin(), around.end(), steps);
  if (!HasBlocks(*plan.view) || at == around.end() || at + 1 == around.end()) return;
  for (const Directive& d : plan.directives) {
    bool is_placed = d.kind == DirectiveKind::kParallel || d.kind == DirectiveKind::kPad;
    if (is_placed && !d.names.empty() && std::find(at + 1, around.end(), d.names[0]) != around.end()) return;
  }
  auto longest = std::max_element(plan.reductions.begin(), plan.reductions.end(),
                                  [](const auto& a, const auto& b) { return a.extent < b.extent; });
  int64_t length = StepsOfBlock(plan.reductions, longest - plan.reductions.begin(), width, target, knobs);
  if (length == 0) return;
  std::erase_if(plan.directives, [](const Directive& d) {
    return d.kind == DirectiveKind::kOverlap || d.kind == DirectiveKind::kPrefetch;
  });
  std::string block, inner;
  plan.Split(longest->name, length, &block, &inner);
  *longest = {inner, length};
  around.insert(at + 1, block);
}

}  // namespace weft::backends
