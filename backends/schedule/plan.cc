#include "backends/schedule/plan.h"

namespace weft::backends {

std::string Plan::Fresh(const std::string& base, const std::string& suffix) {
  std::string name = base + suffix;
  while (!names.insert(name).second) name += "_";
  return name;
}

void Plan::Split(const std::string& loop, int64_t factor, std::string* outer, std::string* inner) {
  *outer = Fresh(loop, "o"), *inner = Fresh(loop, "i");
  directives.push_back({DirectiveKind::kSplit, {loop, *outer, *inner}, factor});
}

bool Plan::IsOuterPart(const std::string& name, const std::string& loop) const {
  for (const Directive& d : directives)
    if (d.kind == DirectiveKind::kSplit && d.names[1] == name) return d.names[0] == loop;
  return false;
}

bool Plan::IsInnerPart(const std::string& loop) const {
  for (const Directive& d : directives)
    if (d.kind == DirectiveKind::kSplit && d.names[2] == loop) return true;
  return false;
}

void Plan::Mark(DirectiveKind kind, const std::string& loop) {
  for (Directive& d : directives) {
    if (d.kind == kind && kind != DirectiveKind::kPad) {
      d.names.push_back(loop);
      return;
    }
  }
  directives.push_back({kind, {loop}});
}

void Plan::Order(const std::vector<std::string>& outer, const std::vector<std::string>& reductions,
                 const std::vector<std::string>& inner) {
  Directive order{DirectiveKind::kOrder, outer};
  order.bar1 = static_cast<int>(outer.size());
  order.names.insert(order.names.end(), reductions.begin(), reductions.end());
  order.bar2 = static_cast<int>(order.names.size());
  order.names.insert(order.names.end(), inner.begin(), inner.end());
  if (!order.names.empty()) directives.push_back(order);
}

Plan MakePlan(const EquationView& view, const Joins& joins, const std::set<int>& borders) {
  Plan plan;
  plan.view = &view;
  for (const auto* loops : {&view.loops.domain, &view.loops.reductions}) {
    for (const LoopInfo& loop : *loops) plan.names.insert(loop.name);
  }
  auto join = [&](mlir::Operation* owner, const std::vector<mlir::Value>& indices, auto loop_at,
                  std::vector<LoopInfo>& loops, std::vector<std::vector<mlir::Value>>& members,
                  const std::set<int>& not_before) {
    for (size_t i = 0; i < indices.size();) {
      Directive d{DirectiveKind::kJoin, {}};
      LoopInfo joined{"", 1};
      std::vector<mlir::Value> own;
      size_t end = i;
      bool goes_on = true;
      for (; goes_on; ++end) {
        LoopInfo loop = loop_at(end);
        d.names.push_back(loop.name);
        joined.name += loop.name;
        joined.extent = joined.extent < 0 || loop.extent < 0 ? kUnknown : joined.extent * loop.extent;
        own.push_back(indices[end]);
        goes_on = joins.Loop(owner, static_cast<int>(end)) && end + 1 < indices.size() &&
                  !not_before.count(static_cast<int>(end + 1));
      }
      if (d.names.size() > 1) {
        while (!plan.names.insert(joined.name).second) joined.name += "_";
        d.names.push_back(joined.name);
        plan.directives.push_back(d);
      } else {
        joined.name = d.names[0];
      }
      loops.push_back(joined);
      members.push_back(own);
      i = end;
    }
  };
  join(
      view.op, view.indices, [&](size_t i) { return view.loops.domain[i]; }, plan.domain, plan.domain_indices,
      borders);
  size_t at = 0;
  for (const ReduceView& reduce : view.reduces) {
    join(reduce.op, reduce.indices, [&](size_t i) { return view.loops.reductions[at + i]; }, plan.reductions,
         plan.reduction_indices, {});
    at += reduce.indices.size();
  }
  return plan;
}

}  // namespace weft::backends
