#ifndef WEFT_BACKENDS_SCHEDULE_KNOBS_H_
#define WEFT_BACKENDS_SCHEDULE_KNOBS_H_

// The numbers that a default schedule chooses by its model of the machine, each with what else it may be:
// what a tuner turns. A schedule is valid whatever its knobs are set to.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace weft::backends {

struct KnobValue {
  int64_t value = 0;
  double cost = 1;  // what the model expects of the time, over that of what it chose itself
};

struct Knob {
  std::string name;  // "0.rows": the number of the equation and what is chosen for it
  int64_t chosen = 0;
  std::vector<KnobValue> values;  // ascending, no value twice
};

using KnobSetting = std::map<std::string, int64_t>;

class Knobs {
 public:
  // All as the model has them.
  Knobs() = default;
  // Those that are named, if they may have that value; the others as the model has them.
  explicit Knobs(KnobSetting setting) : setting_(std::move(setting)) {}

  // Forgets what was chosen; what is set stays.
  void Restart();
  // The choices that follow are of this equation, by its number.
  void Begin(size_t equation) { equation_ = equation; }
  // `by_model`, or what this knob is set to. `values` may repeat values and need not have the model's.
  int64_t Choose(absl::string_view name, int64_t by_model, std::vector<KnobValue> values);
  bool Choose(absl::string_view name, bool by_model, double cost_of_other);

  // What was chosen, in that order; only where there is a choice.
  const std::vector<Knob>& chosen() const { return chosen_; }

 private:
  KnobSetting setting_;
  size_t equation_ = 0;
  std::vector<Knob> chosen_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_KNOBS_H_
