#ifndef WEFT_BACKENDS_SCHEDULE_SHARED_REST_H_
#define WEFT_BACKENDS_SCHEDULE_SHARED_REST_H_

// The steps of a parallel loop that are left when every thread has done as many as the others.

#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Makes the loop inside of the parallel one, number `shared` of `outer` (names and extents, outermost first;
// -1: none), parallel too where whole steps do not come out even: who has no step left then takes part in
// another's. `cycles`: of the equation, without what is computed inside of it.
void ShareInside(Plan& plan, const std::vector<std::pair<std::string, int64_t>>& outer, int shared,
                 double cycles, const Target& target, Knobs& knobs);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SHARED_REST_H_
