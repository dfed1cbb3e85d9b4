#ifndef WEFT_COMPILER_TUNE_SEARCH_H_
#define WEFT_COMPILER_TUNE_SEARCH_H_

// Which schedules of a kernel to try, in which order: those that the model of the machine thinks best first,
// then what is near the best of them. The same outcomes lead to the same candidates every time.

#include <deque>
#include <optional>
#include <set>
#include <string>

#include "backends/schedule/knobs.h"
#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::tune {

struct Candidate {
  backends::KnobSetting setting;
  backends::Schedule schedule;
  std::string text;    // canonical, see driver::CanonicalText
  std::string change;  // of the setting that it was made from: "0.rows 6 -> 8"
};

class Search {
 public:
  Search(ir::KernelOp kernel, const backends::Target& target);

  // The one to begin with: the default schedule.
  const Candidate& incumbent() const { return incumbent_; }
  // The next that was not given out yet; nothing once all that is near the incumbent was.
  std::optional<Candidate> Next();
  // It has won: the search goes on from there.
  void Accept(const Candidate& candidate);

 private:
  struct Move {
    backends::KnobSetting setting;
    std::string change;
    double cost;  // expected, over that of what it was made from
  };

  std::optional<Candidate> Make(const backends::KnobSetting& setting, const std::string& change) const;
  // All schedules that differ from `from` in one knob; the cheapest first.
  std::vector<Move> MovesFrom(const backends::KnobSetting& from) const;
  void BeginWithPrior();

  ir::KernelOp kernel_;
  const backends::Target& target_;
  Candidate incumbent_;
  std::deque<Move> moves_;
  std::set<std::string> seen_;  // texts
  bool is_near_ = false;        // the moves are those from the incumbent
};

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_SEARCH_H_
