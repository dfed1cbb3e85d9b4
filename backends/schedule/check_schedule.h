#ifndef WEFT_BACKENDS_SCHEDULE_CHECK_SCHEDULE_H_
#define WEFT_BACKENDS_SCHEDULE_CHECK_SCHEDULE_H_

#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/loop_nest.h"
#include "backends/schedule/schedule.h"

namespace weft::backends {

// What keeps a kernel from being computed as a schedule says: at most one problem for each equation (by its
// number). Empty: back ends apply it. The schedule has one entry per equation, in order.
std::vector<std::pair<size_t, ScheduleProblem>> CheckSchedule(const KernelView& kernel,
                                                              const Schedule& schedule);

// The equation of a kernel that a directive of `equation` names: by its path, or by an end of it; of several
// the one whose path has most in common with the equation's own. -1: none.
int FindEquation(const std::vector<std::string>& paths, size_t equation, const std::string& name);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_CHECK_SCHEDULE_H_
