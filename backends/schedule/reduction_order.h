#ifndef WEFT_BACKENDS_SCHEDULE_REDUCTION_ORDER_H_
#define WEFT_BACKENDS_SCHEDULE_REDUCTION_ORDER_H_

// The order of a reduction's loops, where the result is vectorized.

#include <string>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/motion.h"
#include "backends/schedule/plan.h"

namespace weft::backends {

// Outermost first: as the operand that moves along the lanes, the loop `lane` of the domain, lies in memory,
// so that it is read straight through. The innermost is unrolled by a few steps. `reuse`: rows of a register
// tile share what is read along the lanes.
std::vector<std::string> OrderReductions(Plan& plan, const std::vector<const ReadView*>& reads, size_t lane,
                                         bool reuse, Knobs& knobs);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_REDUCTION_ORDER_H_
