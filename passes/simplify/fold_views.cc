#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/linear_form.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_FOLDVIEWS
#include "passes/simplify/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

bool IsUnit(Value tensor, int64_t axis) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getDimSize(axis) == 1;
}

// What a subscript of one axis says outside, if it may stand for the whole group: all others are of size 1
// and inside.
std::optional<ir::Outside> GroupOutside(ir::ReadOp read, llvm::ArrayRef<int64_t> group) {
  int64_t guarded = -1;
  for (int64_t axis : group)
    if (read.getOutsideAt(axis) != ir::Outside::inside) {
      if (guarded >= 0) return std::nullopt;
      guarded = axis;
    }
  if (guarded < 0) return ir::Outside::inside;
  for (int64_t axis : group)
    if (axis != guarded && !IsUnit(read.getTensor(), axis)) return std::nullopt;
  return read.getOutsideAt(guarded);
}

// x2[g, c] of an expanded shape is x[g*size + c].
struct ReadThroughExpand : mlir::OpRewritePattern<ir::ReadOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(ir::ReadOp read, mlir::PatternRewriter& rewriter) const override {
    auto view = read.getTensor().getDefiningOp<mlir::tensor::ExpandShapeOp>();
    if (!view) return rewriter.notifyMatchFailure(read, "reads no expanded shape");
    SmallVector<ir::Outside> outside;
    for (const mlir::ReassociationIndices& group : view.getReassociationIndices()) {
      std::optional<ir::Outside> word = GroupOutside(read, group);
      if (!word) return rewriter.notifyMatchFailure(read, "guards several axes of one group");
      outside.push_back(*word);
    }
    SmallVector<Value> subscripts;
    for (const mlir::ReassociationIndices& group : view.getReassociationIndices()) {
      Value place;
      for (int64_t axis : group) {
        Value subscript = read.getSubscripts()[axis];
        if (IsUnit(view, axis) && read.getOutsideAt(axis) == ir::Outside::inside) continue;
        if (!place) {
          place = subscript;
          continue;
        }
        Value size = AsIndex(rewriter, read.getLoc(), SizeOf(rewriter, read.getLoc(), view, axis));
        place = arith::MulIOp::create(rewriter, read.getLoc(), place, size);
        place = arith::AddIOp::create(rewriter, read.getLoc(), place, subscript);
      }
      if (!place) place = arith::ConstantIndexOp::create(rewriter, read.getLoc(), 0);
      subscripts.push_back(place);
    }
    rewriter.replaceOpWithNewOp<ir::ReadOp>(read, view.getSrc(), subscripts, outside, read.getFill());
    return mlir::success();
  }
};

// x2[g*size + c] of a collapsed shape is x[g, c], where c is shown to be in 0..size.
struct ReadThroughCollapse : mlir::OpRewritePattern<ir::ReadOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult matchAndRewrite(ir::ReadOp read, mlir::PatternRewriter& rewriter) const override {
    auto view = read.getTensor().getDefiningOp<mlir::tensor::CollapseShapeOp>();
    if (!view) return rewriter.notifyMatchFailure(read, "reads no collapsed shape");
    Value source = view.getSrc();
    auto type = mlir::cast<mlir::RankedTensorType>(source.getType());
    SmallVector<LinearForm> places(type.getRank());
    SmallVector<ir::Outside> outside(type.getRank(), ir::Outside::inside);
    SmallVector<Value> whole(type.getRank());
    for (auto [axis, group] : llvm::enumerate(view.getReassociationIndices())) {
      SmallVector<int64_t> wide;  // axes of the group that are not of size 1
      for (int64_t inner : group)
        if (!IsUnit(source, inner)) wide.push_back(inner);
      Value subscript = read.getSubscripts()[axis];
      if (wide.size() <= 1) {
        int64_t target = wide.empty() ? group.back() : wide.front();
        whole[target] = subscript;
        outside[target] = read.getOutsideAt(axis);
        continue;
      }
      if (read.getOutsideAt(axis) != ir::Outside::inside)
        return rewriter.notifyMatchFailure(read, "guards a collapsed axis");
      LinearForm rest = LinearFormOf(subscript);
      for (int64_t inner : llvm::reverse(llvm::ArrayRef(wide).drop_front())) {
        if (type.isDynamicDim(inner)) return rewriter.notifyMatchFailure(read, "an inner axis has no number");
        auto [quotient, remainder] = DivideForm(rest, type.getDimSize(inner));
        if (!RangeOf(remainder).Within(0, type.getDimSize(inner)))
          return rewriter.notifyMatchFailure(read, "the subscript does not split");
        places[inner] = remainder;
        rest = quotient;
      }
      places[wide.front()] = rest;
    }
    SmallVector<Value> subscripts;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      subscripts.push_back(whole[axis]
                               ? whole[axis]
                               : WriteForm(rewriter, read.getLoc(), places[axis], rewriter.getIndexType()));
    rewriter.replaceOpWithNewOp<ir::ReadOp>(read, source, subscripts, outside, read.getFill());
    return mlir::success();
  }
};

struct FoldViewsPass : impl::FoldViewsBase<FoldViewsPass> {
  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<ReadThroughExpand, ReadThroughCollapse>(&getContext());
    mlir::tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    mlir::tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (mlir::failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace weft::passes
