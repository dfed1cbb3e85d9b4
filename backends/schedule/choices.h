#ifndef WEFT_BACKENDS_SCHEDULE_CHOICES_H_
#define WEFT_BACKENDS_SCHEDULE_CHOICES_H_

// Choices among expressions that an equation makes by the place of its result: which row of a small matrix it
// multiplies by. Where the loops that decide them are unrolled each copy has the one expression that it
// needs, and what several copies compute is computed once.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// By loop of the domain, after how many steps the choices that it decides repeat: its extent where its index
// is compared with numbers, m where its remainder by m is. 0: it is to stay a loop. Only loops from `first`
// on right in front of the last one, and not more than a body may be copied.
std::vector<int64_t> PeriodsOfChoices(const Plan& plan, size_t first);

// Unrolls a period of `loop`: all of it, or the inner part of a split. Adds what stays a loop to `outer`
// (names and extents) and what is unrolled to `inner`.
void UnrollPeriod(Plan& plan, const LoopInfo& loop, int64_t period,
                  std::vector<std::pair<std::string, int64_t>>& outer, std::vector<std::string>& inner);

// Of a kernel that computes tiles of a result together, as many as are computed at once; 1 for others.
int64_t TilesAtOnce(const KernelView& kernel, const Target& target);

// The equation inside of whose loops `equation` is computed: the only one that reads it, where none of the
// two reduces. Null: the last of the kernel.
const EquationView* OnlyReader(const KernelView& kernel, const EquationView& equation);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_CHOICES_H_
