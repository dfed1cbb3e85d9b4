#ifndef WEFT_PASSES_FUSION_WINDOW_GROUPS_H_
#define WEFT_PASSES_FUSION_WINDOW_GROUPS_H_

// A 1x1 convolution and the window per channel over its result (an inverted residual, Sandler et al. 2018,
// section 3.3) in one kernel: a block of channels of some rows is widened and at once read by the windows, so
// that what lies between them never leaves the cache.

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "passes/fusion/tile_groups.h"
#include "passes/target/target.h"

namespace weft::passes {

// The group of `window` and what it reads, if they are better computed together. The loop that they share is
// the one over channels.
std::optional<TileGroup> FindWindowGroup(ir::EquationOp window, const TargetDescription& target);

}  // namespace weft::passes

#endif  // WEFT_PASSES_FUSION_WINDOW_GROUPS_H_
