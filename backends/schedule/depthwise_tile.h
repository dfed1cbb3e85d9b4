#ifndef WEFT_BACKENDS_SCHEDULE_DEPTHWISE_TILE_H_
#define WEFT_BACKENDS_SCHEDULE_DEPTHWISE_TILE_H_

// The tile of results of a window per channel, where no result shares what another one loads.

#include <cstdint>
#include <vector>

#include "backends/schedule/kernel_view.h"
#include "backends/schedule/knobs.h"
#include "backends/schedule/target.h"

namespace weft::backends {

// Where registers are many, two vectors of channels: they lie in lines beside each other, which the cache
// fetches together; unless the second would often be computed for nothing.
int64_t DepthwiseColumns(int64_t extent, const Target& target, Knobs& knobs);

// Without reuse every lane loads for itself: enough rows to hide latencies, few enough to share the loads of
// overlapping windows in registers. `most`: what SharedPlaces gives.
int64_t DepthwiseRows(int64_t extent, int64_t vectors, int64_t most, const Target& target, Knobs& knobs);

// How many neighbours along `row` are worth computing together for what they share. Those of a depthwise
// convolution share weights; a pool's windows share where they overlap, and else only read from many places
// at once.
int64_t SharedPlaces(const EquationView& view, mlir::Value row, const std::vector<mlir::Value>& lane);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_DEPTHWISE_TILE_H_
