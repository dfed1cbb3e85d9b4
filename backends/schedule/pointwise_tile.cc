#include "backends/schedule/pointwise_tile.h"

#include <numeric>

#include "backends/schedule/knob_values.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::backends {
namespace {

constexpr int64_t kMostPieces = 8;  // each is code of its own
constexpr int64_t kRowsTogether = 4;

// Where `index`, a number at a time, changes the outcome of `compare`: at the first number behind. 0: it does
// not, or elsewhere too. An equality changes it at the next number again.
int64_t ChangesAt(mlir::arith::CmpIOp compare, mlir::Value index) {
  using Predicate = mlir::arith::CmpIPredicate;
  AffineForm left, right;
  if (!MatchAffine(compare.getLhs(), &left) || !MatchAffine(compare.getRhs(), &right)) return 0;
  if (left.terms.size() + right.terms.size() != 1) return 0;
  int64_t step = left.Coefficient(index) - right.Coefficient(index);
  if (step != 1 && step != -1) return 0;
  // step * index + rest, against 0.
  int64_t rest = left.constant - right.constant, zero = -rest * step;
  switch (compare.getPredicate()) {
    case Predicate::slt:
    case Predicate::sge:
      return step > 0 ? zero : zero + 1;
    case Predicate::sle:
    case Predicate::sgt:
      return step > 0 ? zero + 1 : zero;
    default:
      return 0;
  }
}

// The greatest length that all pieces are multiples of; 0: nothing cuts the loop.
int64_t PieceLength(const EquationView& view, mlir::Value index, int64_t extent) {
  int64_t length = 0;
  view.op->walk([&](mlir::arith::CmpIOp compare) {
    int64_t at = ChangesAt(compare, index);
    if (at > 0 && at < extent) length = std::gcd(length, at);
  });
  return std::gcd(length, length == 0 ? 0 : extent);
}

bool LongEnough(const LoopInfo& loop, int64_t lanes) { return loop.extent < 0 || loop.extent >= lanes; }

int AcrossLanes(const Plan& plan, size_t lane) {
  for (const ReadView& read : plan.view->reads) {
    Motion by_lane = MotionOf(read, plan.domain_indices[lane]);
    if (by_lane == Motion::kStill || by_lane == Motion::kDense) continue;
    for (size_t i = 0; i < lane; ++i)
      if (MotionOf(read, plan.domain_indices[i]) == Motion::kDense) return static_cast<int>(i);
  }
  return -1;
}

// Vectors at once of a loop of so many, at most `most`: what the last ones compute for nothing against what
// they save, as measured for exp with AVX2.
int64_t VectorsAtOnce(int64_t vectors, int64_t most) {
  constexpr std::pair<int64_t, double> kWidths[] = {{1, 1.0}, {2, 0.83}, {4, 0.72}};
  int64_t best = 1;
  double least = static_cast<double>(vectors);
  for (auto [width, time] : kWidths) {
    int64_t steps = (vectors + width - 1) / width;
    double all = static_cast<double>(steps * width) * time;
    if (width <= std::min(most, vectors) && all < least) best = width, least = all;
  }
  return best;
}

// Whether something is read along the lanes that is the same for every turn of the loop before.
bool SharesRows(const Plan& plan) {
  size_t lane = plan.domain.size() - 1;
  return lane > 0 && std::any_of(plan.view->reads.begin(), plan.view->reads.end(), [&](const ReadView& read) {
           return MotionOf(read, plan.domain_indices[lane]) == Motion::kDense &&
                  MotionOf(read, plan.domain_indices[lane - 1]) == Motion::kStill;
         });
}

}  // namespace

int64_t RegistersAtOnce(mlir::Operation* op) {
  constexpr int64_t kLong = 12, kVeryLong = 30;
  int64_t steps = 0;
  bool is_single = true;
  for (mlir::Region& region : op->getRegions()) {
    region.walk([&](mlir::Operation* step) {
      if (step->getNumResults() != 1 || step->hasTrait<mlir::OpTrait::ConstantLike>()) return;
      mlir::Type type = step->getResult(0).getType();
      is_single &=
          !mlir::isa<ir::ReduceOp>(step) &&
          (type.isF32() || type.isIndex() || type.isSignlessInteger(1) || type.isSignlessInteger(32));
      steps += type.isF32();
    });
  }
  if (!is_single || steps < kLong) return 1;
  return steps < kVeryLong ? 4 : 2;
}

PointwiseTile TilePointwise(const Plan& plan, int64_t lanes, LoopUse use, bool chooses, Knobs& knobs) {
  PointwiseTile tile;
  size_t lane = plan.domain.size() - 1;
  const LoopInfo& columns = plan.domain[lane];
  bool alone = use == LoopUse::kAlone && !chooses;
  if (alone && LongEnough(columns, lanes)) {
    tile.across = AcrossLanes(plan, lane);
    if (tile.across >= 0 && !LongEnough(plan.domain[tile.across], lanes)) tile.across = -1;
  }
  // Two vectors at a time, unless the second would often be computed for nothing.
  int64_t vectors = (columns.extent + lanes - 1) / lanes;
  bool may_be_wide = tile.across < 0 && !chooses;
  int64_t at_once = 1, most = RegistersAtOnce(plan.view->op);
  if (may_be_wide && most > 1) {
    at_once = VectorsAtOnce(vectors, most);
  } else if (may_be_wide && columns.extent >= 8 * lanes && (vectors % 2 == 0 || vectors > 32)) {
    at_once = 2;
  }
  int64_t piece = 0;
  if (alone && lane > 0 && tile.across < 0 && plan.domain_indices[lane].size() == 1)
    piece = PieceLength(*plan.view, plan.domain_indices[lane][0], columns.extent);
  if (piece % lanes != 0 || piece * kMostPieces < columns.extent) piece = 0;
  if (piece > 0) at_once = piece % (2 * lanes) == 0 ? 2 : 1;
  if (use == LoopUse::kHolder && may_be_wide && at_once <= 2 && SharesRows(plan) &&
      plan.domain[lane - 1].extent >= kRowsTogether) {
    tile.together = knobs.Choose("rows", kRowsTogether, {{1, 1.1}, {2, 1.05}});
    if (tile.together > 1) at_once = 1;
  }
  tile.columns = knobs.Choose("columns", at_once * lanes, OtherWidths(columns.extent, lanes, {1, 2, 4}));
  if (piece > 0 && piece % tile.columns == 0) tile.pieces = columns.extent / piece;
  if (tile.across >= 0)
    tile.rows = knobs.Choose("across", 2 * lanes, {{1, 3.0}, {lanes, 1.1}, {4 * lanes, 1.1}});
  if (tile.rows == 1) tile.across = -1;
  return tile;
}

void InPieces(Plan& plan, int64_t pieces, std::vector<std::pair<std::string, int64_t>>& outer,
              std::vector<std::pair<std::string, int64_t>>& within) {
  auto [blocks, extent] = outer.back();
  outer.pop_back();
  std::string piece = blocks, block;
  if (extent > pieces) plan.Split(blocks, extent / pieces, &piece, &block);
  plan.Mark(DirectiveKind::kUnroll, piece);
  within.emplace_back(piece, pieces);
  if (!block.empty()) within.emplace_back(block, extent / pieces);
}

}  // namespace weft::backends
