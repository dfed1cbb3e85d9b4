#ifndef WEFT_PASSES_FUSION_TILE_GROUPS_H_
#define WEFT_PASSES_FUSION_TILE_GROUPS_H_

// The equations that transform-convolutions makes of one, in one kernel: tiles of the input, their products
// with the weights and the results of some tiles at a time, so that what lies between them stays in the
// cache.

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/SmallVector.h"
#include "passes/target/target.h"

namespace weft::passes {

// Stands for a size that is not a number and has no useful bound.
inline constexpr int64_t kUnknownSize = 1024;

struct TileGroup {
  llvm::SmallVector<ir::EquationOp> equations;  // in order
  // Positions of the loops over tiles, the same in all domains; in that of the last equation some steps of a
  // loop are one tile.
  llvm::SmallVector<int64_t> common;
};

// The group whose last equation is `last`, if they are better computed together.
std::optional<TileGroup> FindTileGroup(ir::EquationOp last, const TargetDescription& target);

}  // namespace weft::passes

#endif  // WEFT_PASSES_FUSION_TILE_GROUPS_H_
