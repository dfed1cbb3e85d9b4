#include "backends/schedule/sum_widths.h"

#include <algorithm>

#include "backends/schedule/knob_values.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::backends {
namespace {

constexpr int64_t kMostVectors = 4;
constexpr int64_t kLatency = 4;  // of an addition, in vectors that could begin meanwhile
constexpr int64_t kPieceBytes = 512;

// Whether no more is computed of an element than a product.
bool IsSumOfProducts(const EquationView& view) {
  int operations = 0;
  for (const ReduceView& reduce : view.reduces) {
    reduce.op->walk([&](mlir::Operation* op) {
      bool computes = op->getNumResults() == 1 && mlir::isa<mlir::FloatType>(op->getResult(0).getType());
      operations += computes && !mlir::isa<ir::ReadOp, ir::ReduceOp>(op);
    });
  }
  return operations <= 1;
}

}  // namespace

int64_t ColumnsAtOnce(const EquationView& view, int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes);
  int64_t vectors = IsSumOfProducts(view) ? kPieceBytes / (kElementBytes * lanes) : kMostVectors;
  auto fits = [&](int64_t pieces) { return extent < 0 || extent >= pieces * vectors * lanes; };
  while (vectors > kMostVectors && !fits(target.cores)) vectors /= 2;
  while (vectors > 1 && !fits(1)) vectors /= 2;
  return knobs.Choose("columns", vectors * lanes, OtherWidths(extent, lanes, {1, 2, 4, 8, 16}));
}

int64_t LanesAtOnce(int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes), width = kMostVectors * lanes;
  auto cycles = [&](int64_t vectors) {
    int64_t rest = (extent % (vectors * lanes) + lanes - 1) / lanes;
    return extent / (vectors * lanes) * std::max(vectors, kLatency) + rest * kLatency;
  };
  for (int64_t vectors = kMostVectors - 1; vectors > 0 && extent >= 0; --vectors) {
    bool fits = width <= extent;
    if (!fits || cycles(vectors) < cycles(width / lanes)) width = vectors * lanes;
  }
  return knobs.Choose("lanes", width, OtherWidths(extent, lanes, {1, 2, 3, 4, 8}));
}

}  // namespace weft::backends
