#ifndef WEFT_BACKENDS_SCHEDULE_KNOB_VALUES_H_
#define WEFT_BACKENDS_SCHEDULE_KNOB_VALUES_H_

// What the numbers of a default schedule may be besides what its model of the machine chooses, and what that
// model expects of them. A negative extent is known at run time only.

#include <initializer_list>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/motion.h"
#include "backends/schedule/target.h"
#include "passes/target/target.h"

namespace weft::backends {

// Steps of the busiest thread, over those of a perfect share.
double Imbalance(int64_t tasks, const Target& target);

// Numbers of steps of a loop for one task.
std::vector<KnobValue> OtherTasks(int64_t extent, int64_t by_model, const Target& target);

// Widths of so many vectors, as far as the loop is as long.
std::vector<KnobValue> OtherWidths(int64_t extent, int64_t lanes, std::initializer_list<int64_t> vectors);

// The columns of the fastest register tile that divides so many, if it is not much slower than that of `best`
// columns; else `best`.
int64_t WholePanels(int64_t rows, int64_t columns, int64_t best, const Target& target);

// Columns of a register tile, and rows for given columns.
std::vector<KnobValue> OtherColumns(int64_t rows, int64_t columns, int64_t by_model, const Target& target);
std::vector<KnobValue> OtherRows(int64_t rows, int64_t tile_columns, int64_t by_model, const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_KNOB_VALUES_H_
