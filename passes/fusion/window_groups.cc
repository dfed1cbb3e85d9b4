#include "passes/fusion/window_groups.h"

#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

// Second-level caches that the result in between has to fill: a smaller one is still near when a kernel of
// its own reads it, and needs no row twice.
constexpr int64_t kFilled = 4;

// The read of the only other run-time tensor that the windows go over, if nothing else reads that.
ir::ReadOp OnlyRead(ir::EquationOp window) {
  ir::ReadOp found;
  bool alone = true;
  window.getBody().walk([&](ir::ReadOp read) {
    if (IsLoadTime(read.getTensor())) return;
    alone &= !found;
    found = read;
  });
  std::optional<mlir::SmallVector<ir::ReadOp>> reads;
  if (found && alone) reads = OnlyReads(found.getTensor());
  return reads && reads->size() == 1 ? found : nullptr;
}

// A matrix product with packed weights along its last axis, whose rows are read where they are: a block of
// channels of any of its rows needs those alone.
bool IsPackedProduct(ir::EquationOp equation) {
  auto packed = equation->getAttrOfType<mlir::DictionaryAttr>("packed");
  auto contraction = MatchContraction(equation);
  if (!packed || !contraction || !contraction->data || equation.getNumResults() != 1) return false;
  auto axis = packed.getAs<mlir::IntegerAttr>("axis").getInt();
  int64_t last = static_cast<int64_t>(equation.getStaticExtents().size()) - 1;
  bool inside = llvm::all_of(OutsideOf(contraction->data),
                             [](ir::Outside outside) { return outside == ir::Outside::inside; });
  return inside && axis == last && contraction->reduce.getBody().getNumArguments() == 1;
}

// Whether all of the result is read: channels one by one along the last axis, and along two others or more by
// windows, so that a block of rows leaves whole columns.
bool SlidesOverAll(ir::EquationOp window, ir::ReadOp read) {
  auto last = static_cast<int64_t>(window.getStaticExtents().size()) - 1;
  llvm::ArrayRef<int64_t> shape = mlir::cast<mlir::RankedTensorType>(read.getTensor().getType()).getShape();
  if (static_cast<int64_t>(shape.size()) != last + 1) return false;
  int windows = 0;
  for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
    auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
    bool bare = index && index.getOwner() == &window.getBody().front();
    if (static_cast<int64_t>(axis) == last) return bare && index.getArgNumber() == last && windows >= 2;
    IndexRange range = RangeOf(subscript);
    if (range.lo == IndexRange::kNoLower || range.hi == IndexRange::kNoUpper) return false;
    if (range.lo > 0 || range.hi < shape[axis] - 1) return false;
    windows += !bare && shape[axis] > 1;
  }
  return false;
}

}  // namespace

std::optional<TileGroup> FindWindowGroup(ir::EquationOp window, const TargetDescription& target) {
  if (window.getNumResults() != 1 || window->hasAttr(kStandsAlone) || ClassOf(window) != "depthwise")
    return std::nullopt;
  ir::ReadOp read = OnlyRead(window);
  ir::EquationOp product = read ? DefiningEquation(read.getTensor()) : nullptr;
  if (!product || !IsPackedProduct(product) || !SlidesOverAll(window, read)) return std::nullopt;
  std::optional<int64_t> bytes = BytesOf(read.getTensor().getType());
  if (!bytes || *bytes < kFilled * target.l2_bytes) return std::nullopt;
  auto last = static_cast<int64_t>(window.getStaticExtents().size()) - 1;
  return TileGroup{{product, window}, {last}};
}

}  // namespace weft::passes
