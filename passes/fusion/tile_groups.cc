#include "passes/fusion/tile_groups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

using mlir::SmallVector;
using mlir::Value;

// The equation whose form is kept that `reader` reads, if nothing else reads it.
ir::EquationOp KeptProducer(ir::EquationOp reader) {
  ir::EquationOp found;
  reader.getBody().walk([&](ir::ReadOp read) {
    ir::EquationOp producer = DefiningEquation(read.getTensor());
    if (producer && producer->hasAttr(kStandsAlone)) found = producer;
  });
  if (!found || found->getNumResults() != 1) return nullptr;
  std::optional<SmallVector<ir::ReadOp>> reads = OnlyReads(found->getResult(0));
  bool alone =
      reads && llvm::all_of(*reads, [&](ir::ReadOp read) { return EnclosingEquation(read) == reader; });
  return alone ? found : nullptr;
}

// Whether all reads of `producer` subscript its axis by the reader's index of the same position, or by a
// quotient of that.
bool MovesAlong(ir::EquationOp reader, ir::EquationOp producer, int64_t axis) {
  bool moves = true;
  reader.getBody().walk([&](ir::ReadOp read) {
    if (DefiningEquation(read.getTensor()) != producer) return;
    Value subscript = read.getSubscripts()[axis];
    if (auto quotient = subscript.getDefiningOp<mlir::arith::DivUIOp>()) subscript = quotient.getLhs();
    auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
    moves &= index && index.getOwner() == &reader.getBody().front() && index.getArgNumber() == axis;
  });
  return moves;
}

int64_t InnerBytes(ir::EquationOp equation, int64_t outer) {
  int64_t bytes = 4;
  for (int64_t extent : equation.getStaticExtents().drop_front(outer)) bytes *= extent;
  return bytes;
}

}  // namespace

std::optional<TileGroup> FindTileGroup(ir::EquationOp last, const TargetDescription& target) {
  if (!last->hasAttr(kStandsAlone) || last->getNumResults() != 1) return std::nullopt;
  ir::EquationOp products = KeptProducer(last);
  ir::EquationOp tiles = products ? KeptProducer(products) : nullptr;
  ir::EquationOp rows = tiles ? KeptProducer(tiles) : nullptr;
  auto contraction = products ? MatchContraction(products) : std::nullopt;
  if (!rows || !contraction || !contraction->weights) return std::nullopt;

  TileGroup group{{rows, tiles, products, last}, {}};
  llvm::ArrayRef<int64_t> extents = products.getStaticExtents();
  int64_t outer = 0, count = 1, most = 1;  // of all tiles, and of the innermost loop over them
  while (MovesAlong(last, products, outer) && MovesAlong(products, tiles, outer) &&
         MovesAlong(tiles, rows, outer)) {
    int64_t extent = extents[outer++];
    if (extent == 1) continue;
    most = mlir::ShapedType::isDynamic(extent) ? kUnknownSize : extent;
    count *= most;
    group.common.push_back(outer - 1);
  }
  std::optional<int64_t> weights = BytesOf(contraction->weights.getTensor().getType());
  if (group.common.empty() || !weights || count < most * target.threads) return std::nullopt;
  int64_t bytes = InnerBytes(tiles, outer) + InnerBytes(products, outer);
  if (TilesAtOnce(target, most, bytes, *weights) == 0) return std::nullopt;
  return group;
}

}  // namespace weft::passes
