#ifndef WEFT_BACKENDS_SCHEDULE_SHARED_LOOPS_H_
#define WEFT_BACKENDS_SCHEDULE_SHARED_LOOPS_H_

// Which loops of a kernel run once for all its equations.

#include <cstddef>
#include <vector>

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Numbers of those among the loops that all equations have in common; none where each has its own. What the
// others compute for a turn is read by the last one at once. The axis that is dense in memory is none of
// them: it has to stay inside, for vectors.
std::vector<size_t> SharedLoops(const KernelView& kernel, const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SHARED_LOOPS_H_
