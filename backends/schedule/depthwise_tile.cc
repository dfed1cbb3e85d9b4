#include "backends/schedule/depthwise_tile.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "backends/schedule/knob_values.h"
#include "backends/schedule/motion.h"

namespace weft::backends {
namespace {

// How far the reductions take the subscript `form`.
int64_t LengthOfWindow(const EquationView& view, const AffineForm& form) {
  int64_t length = 1;
  for (const ReduceView& reduce : view.reduces) {
    for (size_t i = 0; i < reduce.indices.size(); ++i) {
      int64_t lower = 0, upper = 0;
      if (ConstantIndex(reduce.lower[i], &lower) && ConstantIndex(reduce.upper[i], &upper))
        length += std::abs(form.Coefficient(reduce.indices[i])) * (upper - lower - 1);
    }
  }
  return length;
}

}  // namespace

int64_t DepthwiseColumns(int64_t extent, const Target& target, Knobs& knobs) {
  int64_t lanes = Lanes(target, kElementBytes);
  int64_t vectors = (extent + lanes - 1) / lanes;
  constexpr int64_t kOdd = 16;
  bool in_pairs =
      target.vector_registers >= 32 && extent >= 2 * lanes && (vectors % 2 == 0 || vectors > kOdd);
  return knobs.Choose("columns", in_pairs ? 2 * lanes : lanes, OtherWidths(extent, lanes, {1, 2, 4}));
}

int64_t SharedPlaces(const EquationView& view, mlir::Value row, const std::vector<mlir::Value>& lane) {
  constexpr int64_t kAny = 64;
  int64_t most = kAny;
  for (const ReadView* read : InnerReads(view)) {
    bool by_lane = MotionOf(*read, lane) != Motion::kStill;
    if (by_lane && MotionOf(*read, {row}) == Motion::kStill) return kAny;
    for (mlir::Value subscript : read->subscripts) {
      AffineForm form;
      if (!MatchAffine(subscript, &form) || std::abs(form.Coefficient(row)) < 2) continue;
      most = std::min<int64_t>(most, LengthOfWindow(view, form) > std::abs(form.Coefficient(row)) ? 2 : 1);
    }
  }
  return most;
}

int64_t DepthwiseRows(int64_t extent, int64_t vectors, int64_t most, const Target& target, Knobs& knobs) {
  if (extent < 0) return std::min<int64_t>(4, most);
  int64_t best = 1;
  most = std::min(most, target.vector_registers >= 32 ? 14 / vectors : std::min<int64_t>(7, 8 / vectors));
  // Multiplications and loads of a line of results under windows of three by three. Every tile loads the
  // weights and two places more than it has rows; the last one ends with the line. Of two tiles none is in
  // the middle, where nothing is asked.
  auto steps = [&](int64_t rows) {
    int64_t tiles = (extent + rows - 1) / rows;
    auto count = static_cast<double>(12 * extent + 15 * tiles);
    return tiles == 2 && extent % rows != 0 ? 1.5 * count : count;
  };
  std::vector<KnobValue> others;
  for (int64_t rows = 1; rows <= std::min(most, extent); ++rows) {
    if (steps(rows) < steps(best)) best = rows;
    others.push_back({rows, steps(rows)});
  }
  for (KnobValue& other : others) other.cost /= steps(best);
  return knobs.Choose("rows", best, std::move(others));
}

}  // namespace weft::backends
