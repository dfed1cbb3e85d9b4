#ifndef WEFT_BACKENDS_SCHEDULE_PADDED_COPY_H_
#define WEFT_BACKENDS_SCHEDULE_PADDED_COPY_H_

// The padded copy of what windows read.

#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Where the loop over blocks of columns stands.
struct ColumnPlace {
  std::string input_blocks;      // the loop around it, over blocks of the input; empty: there is none
  bool weights_at_hand = false;  // all their weights stay in the first caches
};

// Says where the copy is made: in front of everything, or, where threads share rows or blocks of the input,
// which is loop number `shared` of `outer` (-1: they share none), for every block of them, which then stays
// in the cache of the thread that made it. Such a loop over rows is split.
void PlacePaddedCopy(Plan& plan, const std::vector<const ReadView*>& reads, const ColumnPlace& columns,
                     int shared, int64_t threads, const Target& target, Knobs& knobs,
                     std::vector<std::pair<std::string, int64_t>>& outer);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_PADDED_COPY_H_
