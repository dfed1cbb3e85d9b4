#include "backends/schedule/knobs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace weft::backends {

void Knobs::Restart() {
  equation_ = 0;
  chosen_.clear();
}

int64_t Knobs::Choose(absl::string_view name, int64_t by_model, std::vector<KnobValue> values) {
  values.insert(values.begin(), {by_model, 1});
  auto less = [](const KnobValue& a, const KnobValue& b) { return a.value < b.value; };
  auto same = [](const KnobValue& a, const KnobValue& b) { return a.value == b.value; };
  // Stable: the model's own estimate of its choice comes first.
  std::stable_sort(values.begin(), values.end(), less);
  values.erase(std::unique(values.begin(), values.end(), same), values.end());
  if (values.size() == 1) return by_model;
  Knob knob{absl::StrCat(equation_, ".", name), by_model, std::move(values)};
  if (auto set = setting_.find(knob.name); set != setting_.end()) {
    bool possible = std::any_of(knob.values.begin(), knob.values.end(),
                                [&](const KnobValue& value) { return value.value == set->second; });
    if (possible) knob.chosen = set->second;
  }
  chosen_.push_back(std::move(knob));
  return chosen_.back().chosen;
}

bool Knobs::Choose(absl::string_view name, bool by_model, double cost_of_other) {
  return Choose(name, int64_t{by_model}, {{int64_t{!by_model}, cost_of_other}}) != 0;
}

}  // namespace weft::backends
