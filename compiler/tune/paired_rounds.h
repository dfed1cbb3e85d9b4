#ifndef WEFT_COMPILER_TUNE_PAIRED_ROUNDS_H_
#define WEFT_COMPILER_TUNE_PAIRED_ROUNDS_H_

// What can be said of two contenders on a machine that others use too: they run by turns in one process, and
// what counts is how the ratio of their times is spread over the rounds.

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace weft::tune {

struct Rounds {
  std::string problem;  // why there are no numbers; empty: there are
  // The incumbent's time over the challenger's, of the single rounds: more than 1 if the challenger is
  // faster.
  double lower_quartile = 0, median = 0, upper_quartile = 0;
  double incumbent_seconds = 0, challenger_seconds = 0;  // of one call, the medians
  int count = 0;
};

// Each call gives false if it failed. In every other round the challenger begins. Rounds in which another
// process took a processor away do not count, where there are enough others. Stops early once the challenger
// is plainly slower.
Rounds RunRounds(const std::function<bool()>& incumbent, const std::function<bool()>& challenger);

std::string ToBytes(const Rounds& rounds);
Rounds RoundsFrom(absl::string_view bytes);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_PAIRED_ROUNDS_H_
