#ifndef WEFT_BACKENDS_SCHEDULE_DEFAULT_SCHEDULE_H_
#define WEFT_BACKENDS_SCHEDULE_DEFAULT_SCHEDULE_H_

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/knobs.h"
#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// The schedule that a kernel has unless something else is asked for: from the shape of its loops and an
// estimate of the target, never from known sizes. One entry per equation, in order.
Schedule DefaultSchedule(const KernelView& kernel, const Target& target);

// The same with some numbers chosen otherwise; `knobs` then tells what was chosen.
Schedule DefaultSchedule(const KernelView& kernel, const Target& target, Knobs& knobs);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_DEFAULT_SCHEDULE_H_
