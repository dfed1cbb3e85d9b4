#include "compiler/tune/search.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/schedule/check_schedule.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/kernel_view.h"
#include "compiler/driver/canonical_kernel.h"

namespace weft::tune {
namespace {

constexpr size_t kByPrior = 12;  // candidates that the model of the machine chooses

template <typename Moves>
void CheapestFirst(Moves& moves) {
  std::stable_sort(moves.begin(), moves.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
}

}  // namespace

Search::Search(ir::KernelOp kernel, const backends::Target& target) : kernel_(kernel), target_(target) {
  incumbent_ = *Make({}, "");
  seen_.insert(incumbent_.text);
  BeginWithPrior();
}

std::optional<Candidate> Search::Make(const backends::KnobSetting& setting, const std::string& change) const {
  backends::Knobs knobs(setting);
  backends::KernelView view = backends::ViewKernel(kernel_);
  backends::Schedule schedule = backends::DefaultSchedule(view, target_, knobs);
  if (!setting.empty() && !backends::CheckSchedule(view, schedule).empty()) return std::nullopt;
  std::string text = driver::CanonicalText(kernel_, schedule).schedule;
  return Candidate{setting, std::move(schedule), std::move(text), change};
}

std::vector<Search::Move> Search::MovesFrom(const backends::KnobSetting& from) const {
  backends::Knobs knobs(from);
  backends::DefaultSchedule(backends::ViewKernel(kernel_), target_, knobs);
  std::vector<Move> moves;
  for (const backends::Knob& knob : knobs.chosen()) {
    double cost = 1;
    for (const backends::KnobValue& value : knob.values)
      if (value.value == knob.chosen) cost = value.cost;
    for (const backends::KnobValue& value : knob.values) {
      if (value.value == knob.chosen) continue;
      Move move{from, absl::StrCat(knob.name, " ", knob.chosen, " -> ", value.value), value.cost / cost};
      move.setting[knob.name] = value.value;
      moves.push_back(std::move(move));
    }
  }
  CheapestFirst(moves);
  return moves;
}

// Of what differs from the default in one or two knobs.
void Search::BeginWithPrior() {
  std::vector<Move> singles = MovesFrom({}), all = singles;
  for (size_t i = 0; i < singles.size(); ++i) {
    for (size_t j = i + 1; j < singles.size(); ++j) {
      Move pair = singles[i];
      pair.setting.insert(singles[j].setting.begin(), singles[j].setting.end());
      if (pair.setting.size() < 2) continue;
      absl::StrAppend(&pair.change, ", ", singles[j].change);
      pair.cost *= singles[j].cost;
      all.push_back(std::move(pair));
    }
  }
  CheapestFirst(all);
  std::set<std::string> texts = seen_;
  for (const Move& move : all) {
    if (moves_.size() == kByPrior) break;
    std::optional<Candidate> made = Make(move.setting, move.change);
    if (made && texts.insert(made->text).second) moves_.push_back(move);
  }
}

std::optional<Candidate> Search::Next() {
  for (;;) {
    if (moves_.empty()) {
      if (is_near_) return std::nullopt;
      is_near_ = true;
      std::vector<Move> near = MovesFrom(incumbent_.setting);
      moves_.assign(near.begin(), near.end());
      if (moves_.empty()) return std::nullopt;
    }
    Move move = std::move(moves_.front());
    moves_.pop_front();
    std::optional<Candidate> candidate = Make(move.setting, move.change);
    if (candidate && seen_.insert(candidate->text).second) return candidate;
  }
}

void Search::Accept(const Candidate& candidate) {
  incumbent_ = candidate;
  if (is_near_) moves_.clear();
  is_near_ = false;
}

}  // namespace weft::tune
