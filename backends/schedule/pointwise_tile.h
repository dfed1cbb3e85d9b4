#ifndef WEFT_BACKENDS_SCHEDULE_POINTWISE_TILE_H_
#define WEFT_BACKENDS_SCHEDULE_POINTWISE_TILE_H_

// How an equation without reductions goes over its result.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/knobs.h"
#include "backends/schedule/plan.h"

namespace weft::backends {

struct PointwiseTile {
  int64_t columns = 1;  // elements of the innermost loop that are computed at once
  // Into how many equal pieces comparisons of the innermost index with numbers cut it, as those of a
  // concatenation do. With a loop for each piece its reads are dense; together they are gathers.
  int64_t pieces = 1;
  // A loop that some operand lies densely along while the innermost one strides through it, and its block:
  // the lines of that operand which a vector touches are read to their ends while they are in the cache.
  int across = -1;  // position in the domain; -1: none
  int64_t rows = 1;
  // Turns of the loop before the last that are computed at once, with other equations for them in between:
  // they share what they read.
  int64_t together = 1;
};

// What else is computed in an equation's loops.
enum class LoopUse {
  kAlone,   // nothing
  kHolder,  // what it reads
  kInside,  // it is itself in the holder's loops
};

// `plan` has at least one loop. Only columns are chosen inside of other loops, and where the period of
// choices unrolls some of them: `chooses`.
PointwiseTile TilePointwise(const Plan& plan, int64_t lanes, LoopUse use, bool chooses, Knobs& knobs);

// How many registers take each step of an equation's function together, or of a reduction's for its elements.
// One after the other, the many steps of functions like exp wait for each other; with still more, of gelu,
// what is kept for four registers has no place. 1: it is short, sums other sums, or is not in f32 alone.
int64_t RegistersAtOnce(mlir::Operation* op);

// Takes the last loop out of `outer` and cuts it into pieces, the loops `within`. Names and extents,
// outermost first.
void InPieces(Plan& plan, int64_t pieces, std::vector<std::pair<std::string, int64_t>>& outer,
              std::vector<std::pair<std::string, int64_t>>& within);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_POINTWISE_TILE_H_
