#include "passes/target/target.h"

#include <algorithm>
#include <numeric>

namespace weft::passes {
namespace {

constexpr int64_t kMostTileRows = 30, kMostTileVectors = 6;
constexpr int64_t kPageBytes = 4096, kLineBytes = 64;

// What a multiplication waits for weights, in multiplications: a block of columns that the second cache holds
// no longer beside what else passes through it is read from behind it for every tile, and few rows leave no
// time for that. `depth` is how many weights a column has.
double WaitForWeights(const TargetDescription& target, int64_t rows, int64_t columns, int64_t depth,
                      int64_t element_bytes) {
  double share = static_cast<double>(columns * depth * element_bytes) / static_cast<double>(target.l2_bytes);
  return std::clamp(4.0 * (share - 0.3), 0.0, 2.8) / static_cast<double>(rows * rows);
}

// Relative speed of a full tile: the share of the multiplier's peak that its dependency chains and loads
// leave. A step of the reduction does `fmas` multiplications, each waiting for the one before on the same
// accumulator (four cycles, up to two issued per cycle), and loads one vector per column group and one scalar
// per row; as many loads are issued per cycle as multiplications. `wait` is added to each multiplication.
double TileSpeed(int64_t rows, int64_t vectors, double wait = 0) {
  double fmas = static_cast<double>(rows * vectors);
  double chain = std::min(1.0, fmas / 10.0);
  double loads = static_cast<double>(rows + vectors) / fmas;
  double speed = chain / (1.0 + 0.25 * loads) / std::max(1.0, loads);
  return speed / (1.0 + speed * wait);
}

// The same for a result of one row. It uses each weight once, so that loading them takes the time, whatever
// the registers do; a wide tile has more loads in flight.
double RowSpeed(int64_t vectors) {
  return 1.0 - 0.02 * static_cast<double>(std::max<int64_t>(0, 4 - vectors));
}

// The share of the peak that `extent` rows reach in tiles of `rows`; the last one has as many as are left.
double RowsSpeed(int64_t extent, int64_t rows, int64_t vectors) {
  double full = TileSpeed(rows, vectors);
  if (extent < 0) return 0.97 * full;  // unknown, usually many tiles
  int64_t rest = extent % rows;
  double time = static_cast<double>(extent - rest) / full;
  if (rest > 0) time += static_cast<double>(rest) / TileSpeed(rest, vectors);
  return static_cast<double>(extent) / time;
}

// Result elements that are wanted, over those that tiles of size `tile` compute.
double Used(int64_t extent, int64_t tile) {
  if (extent < 0) return 0.97;  // unknown, usually many tiles
  int64_t tiles = (extent + tile - 1) / tile;
  return static_cast<double>(extent) / static_cast<double>(tiles * tile);
}

bool FitsRegisters(const TargetDescription& target, int64_t rows, int64_t vectors) {
  // The accumulators, one row of the panel, and one register for the broadcast operand.
  return rows * vectors + vectors + 1 <= target.vector_registers - (target.vector_registers > 16 ? 1 : 0);
}

int64_t Lanes(const TargetDescription& target, int64_t element_bytes) {
  return std::max<int64_t>(1, target.vector_bytes / element_bytes);
}

int64_t VectorsOf(const TargetDescription& target, int64_t columns, int64_t element_bytes) {
  return std::max<int64_t>(1, columns / Lanes(target, element_bytes));
}

// How many rows a tile of `vectors` registers of columns may have, for so many rows in all.
int64_t MostTileRows(const TargetDescription& target, int64_t rows, int64_t vectors) {
  int64_t most = rows < 0 ? kMostTileRows : std::min(rows, kMostTileRows);
  while (most > 0 && !FitsRegisters(target, most, vectors)) --most;
  return most;
}

}  // namespace

int64_t ChooseTileRows(const TargetDescription& target, int64_t rows, int64_t tile_columns,
                       int64_t element_bytes, int64_t most_rows) {
  RatedTile best{{1, tile_columns}, 0};
  for (const RatedTile& rated : RateTileRows(target, rows, tile_columns, element_bytes)) {
    if (rated.tile.rows <= most_rows && rated.speed > best.speed * 1.001) best = rated;
  }
  return best.tile.rows;
}

int64_t LinesApart(const TargetDescription& target, int64_t stride) {
  // A line's place is decided by the address within its page; `ways` lines may have the same one.
  int64_t ways = std::max<int64_t>(1, target.l1_bytes / kPageBytes);
  return ways * std::min(kPageBytes / kLineBytes, kPageBytes / std::gcd(stride, kPageBytes));
}

std::vector<RatedTile> RateTileRows(const TargetDescription& target, int64_t rows, int64_t tile_columns,
                                    int64_t element_bytes) {
  int64_t vectors = VectorsOf(target, tile_columns, element_bytes);
  std::vector<RatedTile> rated;
  for (int64_t candidate = 1; candidate <= MostTileRows(target, rows, vectors); ++candidate) {
    double speed = rows == 1 ? RowSpeed(vectors) : RowsSpeed(rows, candidate, vectors);
    rated.push_back({{candidate, tile_columns}, speed});
  }
  return rated;
}

// Widths are compared by tiles that are all whole: a wide one has few rows, and what it reads of the weights
// for those that are left is not in the estimate.
std::vector<RatedTile> RateTileColumns(const TargetDescription& target, int64_t rows, int64_t columns,
                                       int64_t depth, int64_t element_bytes) {
  int64_t lanes = Lanes(target, element_bytes);
  std::vector<RatedTile> rated;
  for (int64_t vectors = 1; vectors <= kMostTileVectors; ++vectors) {
    RatedTile best{{1, vectors * lanes}, 0};
    for (int64_t tall = 1; tall <= MostTileRows(target, rows, vectors); ++tall) {
      double wait = WaitForWeights(target, tall, best.tile.columns, depth, element_bytes);
      double speed = rows == 1 ? RowSpeed(vectors) : TileSpeed(tall, vectors, wait) * Used(rows, tall);
      if (speed > best.speed * 1.001) best.tile.rows = tall, best.speed = speed;
    }
    best.speed *= Used(columns, best.tile.columns);
    rated.push_back(best);
  }
  return rated;
}

RegisterTile ChooseRegisterTile(const TargetDescription& target, int64_t rows, int64_t columns, int64_t depth,
                                int64_t element_bytes) {
  int64_t lanes = Lanes(target, element_bytes);
  RatedTile best{{1, lanes}, 0};
  for (const RatedTile& rated : RateTileColumns(target, rows, columns, depth, element_bytes)) {
    // Wide tiles leave few rows for one load of the panel: for widths that others would waste.
    if (rated.speed > best.speed * (rated.tile.columns > 4 * lanes ? 1.03 : 1.001)) best = rated;
  }
  return best.tile;
}

int64_t PackedBlock(const TargetDescription& target, int64_t rows, int64_t columns, int64_t depth,
                    int64_t element_bytes) {
  if (columns < Lanes(target, element_bytes) / 2) return 0;
  return ChooseRegisterTile(target, rows, columns, depth, element_bytes).columns;
}

int64_t TilesAtOnce(const TargetDescription& target, int64_t tiles, int64_t tile_bytes,
                    int64_t weight_bytes) {
  // What is stored and loaded again elsewhere moves three times: into the cache, out of it, and in again.
  constexpr int64_t kMoves = 3, kFewest = 8;
  int64_t weights_stay = std::min(weight_bytes, target.l2_bytes / 2);
  int64_t most = (target.l2_bytes * 3 / 4 - weights_stay) / std::max<int64_t>(1, tile_bytes);
  if (most < std::min(kFewest, tiles)) return 0;
  int64_t blocks = (tiles + most - 1) / most;
  // Equal blocks, if that does not take many more.
  for (int64_t more = blocks; more <= 2 * blocks && more <= tiles; ++more) {
    if (tiles % more != 0) continue;
    blocks = more;
    break;
  }
  int64_t at_once = (tiles + blocks - 1) / blocks;
  bool pays = weight_bytes <= target.l2_bytes / 2 || weight_bytes <= kMoves * tile_bytes * at_once;
  return pays ? at_once : 0;
}

}  // namespace weft::passes
