#ifndef WEFT_BACKENDS_SCHEDULE_INPUT_BLOCKS_H_
#define WEFT_BACKENDS_SCHEDULE_INPUT_BLOCKS_H_

// Blocks of what all columns of a contraction read: large pictures, many rows.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

struct InputBlock {
  size_t loop = 0;    // of `outer`
  int64_t steps = 0;  // of that loop
};

// All weights of a contraction, in blocks of its columns.
struct ColumnWeights {
  double bytes = 0;
  int64_t blocks = 1;
};

// Every block of columns goes over all of the input. Where that does not stay in a near cache: the steps of
// one of `outer`'s loops, from number `first` on, whose part of the input does, so that all columns go over
// one part before the next. `tall` rows are in one tile. Nothing where no loop has such a part, or where
// weights that pass again for each would take as long.
std::optional<InputBlock> BlockOfInput(const Plan& plan, const std::vector<const ReadView*>& reads,
                                       const std::vector<std::pair<std::string, int64_t>>& outer,
                                       size_t first, int64_t tall, const ColumnWeights& weights,
                                       const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_INPUT_BLOCKS_H_
