#ifndef WEFT_BACKENDS_SCHEDULE_REDUCTION_BLOCKS_H_
#define WEFT_BACKENDS_SCHEDULE_REDUCTION_BLOCKS_H_

// Long reductions in blocks whose weights stay in the cache.

#include <string>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Where the weights that one step of the loop `columns` reads, `width` for each step of the reduction, do not
// stay in the cache while it goes over its rows: cuts the longest loop of the reduction into blocks, and has
// each go over all rows, the loops behind `columns` in `around`. Changes nothing where that would not pay, or
// where those loops are run by threads or read copies that are made inside of them.
void ReduceInBlocks(Plan& plan, const std::string& columns, int64_t width, const Target& target, Knobs& knobs,
                    std::vector<std::string>& around);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_REDUCTION_BLOCKS_H_
