#ifndef WEFT_BACKENDS_SCHEDULE_ROW_BLOCKS_H_
#define WEFT_BACKENDS_SCHEDULE_ROW_BLOCKS_H_

// Blocks of rows of equations that share loops, of which the last is a product of matrices: attention. What
// all rows share (keys, values) passes through the cache once for each block.

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// How many tiles of `tall` rows are computed at once: what the equations hand over for them stays in the
// second-level cache, and blocks are about equal. 1: no blocks.
int64_t RowTilesAtOnce(const KernelView& kernel, int64_t rows, int64_t tall, const Target& target,
                       Knobs& knobs);

// Lets all tiles of a block, the loop `tile` of `around`, go over the same part of the longest reduction
// before the next: what it reads of the other factor stays in the first-level cache.
void ReduceTilesInBlocks(Plan& plan, const std::string& tile, Knobs& knobs, std::vector<std::string>& around);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_ROW_BLOCKS_H_
