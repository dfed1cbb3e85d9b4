#include "backends/schedule/reduction_order.h"

#include <algorithm>

namespace weft::backends {

std::vector<std::string> OrderReductions(Plan& plan, const std::vector<const ReadView*>& reads, size_t lane,
                                         bool reuse, Knobs& knobs) {
  std::vector<std::pair<double, size_t>> places;
  for (size_t i = 0; i < plan.reductions.size(); ++i) {
    double place = 0;
    for (const ReadView* read : reads) {
      bool by_lane = MotionOf(*read, plan.domain_indices[lane]) != Motion::kStill;
      for (size_t a = 0; a < read->subscripts.size(); ++a) {
        if (Mentions(plan.reduction_indices[i], read->subscripts[a])) {
          place = std::max(place, (by_lane ? 100.0 : 1.0) * (static_cast<double>(a) + 1));
        }
      }
    }
    places.emplace_back(place, i);
  }
  // Reductions in one another keep their order: bounds of the inner ones may name the outer.
  bool nested = false;
  for (const ReduceView& reduce : plan.view->reduces) {
    for (const ReduceView& other : plan.view->reduces) nested |= other.op->isProperAncestor(reduce.op);
  }
  if (!nested) std::sort(places.begin(), places.end());
  std::vector<std::string> order;
  for (auto [place, i] : places) order.push_back(plan.reductions[i].name);
  if (order.empty() || nested) return order;
  int64_t unrolled = 1;
  // Short loops are unrolled whole, from the innermost; a long innermost one by four.
  for (size_t n = places.size(); n-- > 0;) {
    const LoopInfo& loop = plan.reductions[places[n].second];
    int64_t most = reuse ? 8 : Gathers(reads) ? 4 : 32;
    if (loop.extent >= 0 && loop.extent * unrolled <= most) {
      if (loop.extent > 1) plan.Mark(DirectiveKind::kUnroll, loop.name);
      unrolled *= std::max<int64_t>(1, loop.extent);
      continue;
    }
    if (unrolled == 1 && loop.extent > 0) {
      // Steps that fill no whole block have a loop of their own behind the blocks.
      auto fits = [&](int64_t factor) { return loop.extent % factor == 0 || loop.extent >= 4 * factor; };
      std::vector<KnobValue> others;
      for (int64_t factor : {1, 2, 4, 8})
        if (fits(factor)) others.push_back({factor, 1.03});
      int64_t by_model = fits(4) ? 4 : fits(2) ? 2 : 1;
      int64_t factor = knobs.Choose("unroll", by_model, std::move(others));
      if (factor > 1) {
        std::string o, i;
        plan.Split(loop.name, factor, &o, &i);
        plan.Mark(DirectiveKind::kUnroll, i);
        order[n] = o;
        order.insert(order.begin() + static_cast<int64_t>(n) + 1, i);
      }
    }
    break;
  }
  return order;
}

}  // namespace weft::backends
