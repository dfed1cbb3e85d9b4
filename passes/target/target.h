#ifndef WEFT_PASSES_TARGET_TARGET_H_
#define WEFT_PASSES_TARGET_TARGET_H_

// What the passes need to know about the machine. Cost rules and packing ask this description only, so a
// program's kernels are a function of it and never of a table of known shapes.

#include <cstdint>
#include <vector>

namespace weft::passes {

struct TargetDescription {
  int64_t vector_bytes = 64;      // one vector register
  int64_t vector_registers = 32;  // how many of them
  int64_t l1_bytes = 32 << 10;    // data cache of one core
  int64_t l2_bytes = 1 << 20;     // of one core
  int64_t threads = 2;
};

// The tile of results that a contraction keeps in registers: `rows` x `columns`, columns being a whole number
// of vectors (rounded up: a tile may be wider than the result).
struct RegisterTile {
  int64_t rows = 1;
  int64_t columns = 1;
};

// The register tile for a contraction whose result has `columns` elements along its innermost axis and `rows`
// along the axis (or the joined axes) before it; a negative number is a size known at run time only. Each is
// a sum over `depth` weights of its column, 0 if that is not known. Chosen by an estimate of wasted lanes,
// accumulators in flight, loads per multiplication and weights that come from behind the second cache.
RegisterTile ChooseRegisterTile(const TargetDescription& target, int64_t rows, int64_t columns, int64_t depth,
                                int64_t element_bytes);

// The tile's rows, `most_rows` at most, when the columns are given (by weights that are packed already).
int64_t ChooseTileRows(const TargetDescription& target, int64_t rows, int64_t tile_columns,
                       int64_t element_bytes, int64_t most_rows);

// How many places `stride` bytes apart the first cache holds a line of each: places that are whole pages
// apart have the same few lines there.
int64_t LinesApart(const TargetDescription& target, int64_t stride);

// What the estimate says of other tiles: `speed` is a share of the peak.
struct RatedTile {
  RegisterTile tile;
  double speed = 0;
};

// Every number of rows whose tile of these columns the registers hold.
std::vector<RatedTile> RateTileRows(const TargetDescription& target, int64_t rows, int64_t tile_columns,
                                    int64_t element_bytes);

// For every width that registers hold, the tile of the best number of rows.
std::vector<RatedTile> RateTileColumns(const TargetDescription& target, int64_t rows, int64_t columns,
                                       int64_t depth, int64_t element_bytes);

// How a contraction's weight operand is blocked: [ceil(columns / block)][taps...][channels][block]: by the
// columns of the register tile. Returns the block in elements, a multiple of the vector's lanes, or 0 where
// packing gains nothing.
int64_t PackedBlock(const TargetDescription& target, int64_t rows, int64_t columns, int64_t depth,
                    int64_t element_bytes);

// How many of `tiles` of a result are computed at once where each leaves `tile_bytes` between the equations
// that make it, and all read the same `weight_bytes`: as many as stay in the cache beside those. 0: too few,
// so that the weights would be loaded again more often than is saved.
int64_t TilesAtOnce(const TargetDescription& target, int64_t tiles, int64_t tile_bytes, int64_t weight_bytes);

}  // namespace weft::passes

#endif  // WEFT_PASSES_TARGET_TARGET_H_
