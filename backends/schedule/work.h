#ifndef WEFT_BACKENDS_SCHEDULE_WORK_H_
#define WEFT_BACKENDS_SCHEDULE_WORK_H_

// How long an equation takes, roughly: for what is worth threads, and how much a task should hold.

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Cycles of one thread for one point of the equation's domain, if everything is vectorized. Sizes that are
// known at run time only count as 16 steps of a reduction.
double CyclesPerPoint(const EquationView& equation, const Target& target);

// Over how many steps of a loop of `extent` (kUnknown: at run time only) one task should go, where a step
// takes `cycles`: enough for a task to outweigh its start, as many for each thread of the target, and no more
// tasks than it takes to even out threads that are interrupted. 1: every step may be a task.
int64_t StepsPerTask(int64_t extent, double cycles, const Target& target);

// Whether work of so many cycles is done sooner when threads share it.
bool WorthThreads(double cycles, const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_WORK_H_
