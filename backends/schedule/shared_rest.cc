#include "backends/schedule/shared_rest.h"

#include "backends/schedule/knob_values.h"

namespace weft::backends {

void ShareInside(Plan& plan, const std::vector<std::pair<std::string, int64_t>>& outer, int shared,
                 double cycles, const Target& target, Knobs& knobs) {
  constexpr double kStart = 500;       // cycles that a step takes to be begun by itself, on either thread
  constexpr double kLeastGain = 1.01;  // below, it is nothing beside what else makes threads uneven
  if (shared < 0) return;
  double steps = 1;
  auto inside = outer.begin();
  for (; inside != outer.end(); ++inside) {
    steps *= static_cast<double>(inside->second < 0 ? 16 : inside->second);
    if (inside > outer.begin() + shared && inside->second != 1) break;
  }
  if (inside == outer.end()) return;
  double gain = Imbalance(outer[shared].second, target) / (1 + kStart * steps / cycles);
  bool pays = gain > kLeastGain;
  if (knobs.Choose("share_inside", pays, pays ? gain : 1.02))
    plan.Mark(DirectiveKind::kParallel, inside->first);
}

}  // namespace weft::backends
