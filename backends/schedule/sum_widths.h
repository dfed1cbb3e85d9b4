#ifndef WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_
#define WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_

// How many elements a reduction without a register tile takes at once. An addition waits for the one before
// it: several vectors hide that.

#include <cstdint>

#include "backends/schedule/knobs.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Of results beside each other, in lines that are read to their end.
int64_t ColumnsAtOnce(int64_t extent, const Target& target, Knobs& knobs);

// Of what one result sums, in partial results that are joined at the end. What fills no whole step is taken
// by single vectors.
int64_t LanesAtOnce(int64_t extent, const Target& target, Knobs& knobs);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_
