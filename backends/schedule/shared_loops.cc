#include "backends/schedule/shared_loops.h"

#include "absl/algorithm/container.h"
#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

constexpr int64_t kAssumedLength = 256;

int64_t ElementsOf(const std::vector<LoopInfo>& loops) {
  int64_t elements = 1;
  for (const LoopInfo& loop : loops) elements *= loop.extent < 0 ? kAssumedLength : loop.extent;
  return elements;
}

// Whether `read` is of what the kernel has computed for each turn of the common loops, as the mean of a row.
// That is at hand for one turn too.
bool IsAtHand(const KernelView& kernel, const ReadView& read) {
  return absl::c_any_of(kernel.equations, [&](const EquationView& maker) {
    return absl::c_linear_search(maker.results, read.tensor) &&
           maker.common.size() == maker.loops.domain.size();
  });
}

// Whether neighbours along the last index sum neighbours. Where the rows stay in the near caches what is at
// hand counts as well: a loop over all rows is the faster one then.
bool SumsNeighbours(const KernelView& kernel, const EquationView& view, const Target& target) {
  bool stays = ElementsOf(view.loops.domain) * ElementsOf(view.loops.reductions) * kElementBytes <=
               target.l2_bytes / 4;
  return absl::c_any_of(InnerReads(view), [&](const ReadView* read) {
    return MotionOf(*read, {view.indices.back()}) == Motion::kDense && (stays || !IsAtHand(kernel, *read));
  });
}

// Whether the common loop number `k` is the axis that some equation is dense along.
bool IsDense(const KernelView& kernel, size_t k, const Target& target) {
  return absl::c_any_of(kernel.equations, [&](const EquationView& view) {
    const std::vector<LoopInfo>& loops = view.loops.domain;
    if (view.common[k] + 1 != std::ssize(loops)) return false;
    int64_t others = absl::c_count_if(loops, [](const LoopInfo& loop) { return loop.extent != 1; });
    return std::ssize(view.common) < others || SumsNeighbours(kernel, view, target);
  });
}

}  // namespace

std::vector<size_t> SharedLoops(const KernelView& kernel, const Target& target) {
  std::vector<size_t> shared;
  if (kernel.equations.size() < 2 || kernel.returned.size() != 1) return shared;
  const EquationView& last = kernel.equations.back();
  if (last.results.size() != 1 || kernel.returned[0] != last.results[0]) return shared;
  for (const EquationView& view : kernel.equations)
    if (view.common.size() != last.common.size()) return shared;
  for (size_t k = 0; k < last.common.size(); ++k)
    if (!IsDense(kernel, k, target)) shared.push_back(k);
  return shared;
}

}  // namespace weft::backends
