#include "passes/target/target.h"

#include <algorithm>

namespace weft::passes {

// The register tile of a contraction is rows x block, with block / lanes accumulators per row beside block /
// lanes loaded weights and one broadcast. Wide blocks (4 vectors) load fewest inputs per multiplication and
// suit long rows of a matrix product; convolutions and few rows want 2 vectors, so that the tile has enough
// rows to hide the latency of the multiply-add. Then the block that pads least wins, wide before narrow.
int64_t PackedBlock(const TargetDescription& target, int64_t rows, int64_t columns, int64_t taps,
                    int64_t element_bytes) {
  int64_t lanes = std::max<int64_t>(1, target.vector_bytes / element_bytes);
  if (columns < lanes / 2) return 0;
  int64_t widest = 4;
  if (taps > 1 || (rows > 0 && rows < 64) || target.vector_registers < 32) widest = 2;
  if (columns <= lanes) widest = 1;
  int64_t best = lanes, best_padded = (columns + lanes - 1) / lanes * lanes;
  for (int64_t vectors = widest; vectors >= 1; --vectors) {
    int64_t block = vectors * lanes;
    int64_t padded = (columns + block - 1) / block * block;
    // Up to 1/16 of padding is cheaper than a narrower tile.
    if (padded * 16 <= best_padded * 17) {
      best = block;
      break;
    }
  }
  return best;
}

}  // namespace weft::passes
