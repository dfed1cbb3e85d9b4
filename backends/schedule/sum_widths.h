#ifndef WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_
#define WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_

// How many elements a reduction without a register tile takes at once. An addition waits for the one before
// it: several vectors hide that.

#include <cstdint>

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/knobs.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Of results beside each other, `extent` of them: rows are read in long pieces, since the next row may lie in
// another page; where more is computed than a sum of products, in as many vectors as hide latencies.
int64_t ColumnsAtOnce(const EquationView& view, int64_t extent, const Target& target, Knobs& knobs);

// Of what one result sums, in partial results that are joined at the end. What fills no whole step is taken
// by single vectors.
int64_t LanesAtOnce(int64_t extent, const Target& target, Knobs& knobs);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SUM_WIDTHS_H_
