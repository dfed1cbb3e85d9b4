#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/analysis/access.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/linear_form.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_SIMPLIFYSUBSCRIPTS
#include "passes/simplify/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::LogicalResult;
using mlir::PatternRewriter;
using mlir::SmallVector;
using mlir::Value;

bool IsExact(mlir::Type type) { return type.isIndex() || type.isInteger(64); }

std::optional<int64_t> PositiveConstant(Value value) {
  auto number = mlir::getConstantIntValue(value);
  return number && *number > 0 ? number : std::nullopt;
}

// (a*d + b) / d is a + b / d, and a where b is in 0..d. Truncating and unsigned division agree with floor
// division where nothing is negative.
template <typename Division>
struct SimplifyDivision : mlir::OpRewritePattern<Division> {
  using mlir::OpRewritePattern<Division>::OpRewritePattern;
  LogicalResult matchAndRewrite(Division op, PatternRewriter& rewriter) const override {
    auto divisor = PositiveConstant(op.getRhs());
    if (!divisor || !IsExact(op.getType()))
      return rewriter.notifyMatchFailure(op, "no positive number divides");
    LinearForm form = LinearFormOf(op.getLhs());
    auto [quotient, remainder] = DivideForm(form, *divisor);
    bool floors = std::is_same_v<Division, arith::FloorDivSIOp>;
    if (!floors && RangeOf(form).lo < 0) return rewriter.notifyMatchFailure(op, "may be negative");
    if (RangeOf(remainder).Within(0, *divisor)) {
      rewriter.replaceOp(op, WriteForm(rewriter, op.getLoc(), quotient, op.getType()));
      return mlir::success();
    }
    bool splits = !quotient.terms.empty() || quotient.constant != 0;
    if (!splits || (!floors && RangeOf(remainder).lo < 0))
      return rewriter.notifyMatchFailure(op, "does not split");
    Value rest = WriteForm(rewriter, op.getLoc(), remainder, op.getType());
    rest = Division::create(rewriter, op.getLoc(), rest, op.getRhs());
    Value whole = WriteForm(rewriter, op.getLoc(), quotient, op.getType());
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, whole, rest);
    return mlir::success();
  }
};

template <typename Remainder>
struct SimplifyRemainder : mlir::OpRewritePattern<Remainder> {
  using mlir::OpRewritePattern<Remainder>::OpRewritePattern;
  LogicalResult matchAndRewrite(Remainder op, PatternRewriter& rewriter) const override {
    auto divisor = PositiveConstant(op.getRhs());
    if (!divisor || !IsExact(op.getType()))
      return rewriter.notifyMatchFailure(op, "no positive number divides");
    LinearForm form = LinearFormOf(op.getLhs());
    if (RangeOf(form).lo < 0) return rewriter.notifyMatchFailure(op, "may be negative");
    auto [quotient, remainder] = DivideForm(form, *divisor);
    IndexRange rest = RangeOf(remainder);
    if (rest.Within(0, *divisor)) {
      rewriter.replaceOp(op, WriteForm(rewriter, op.getLoc(), remainder, op.getType()));
      return mlir::success();
    }
    bool splits = !quotient.terms.empty() || quotient.constant != 0;
    if (!splits || rest.lo < 0) return rewriter.notifyMatchFailure(op, "does not split");
    Value value = WriteForm(rewriter, op.getLoc(), remainder, op.getType());
    rewriter.replaceOpWithNewOp<Remainder>(op, value, op.getRhs());
    return mlir::success();
  }
};

// A comparison that the range of the difference decides.
struct DecideComparison : mlir::OpRewritePattern<arith::CmpIOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::CmpIOp op, PatternRewriter& rewriter) const override {
    if (!IsExact(op.getLhs().getType())) return rewriter.notifyMatchFailure(op, "compares data");
    using P = arith::CmpIPredicate;
    IndexRange lhs = RangeOf(op.getLhs()), rhs = RangeOf(op.getRhs());
    std::optional<bool> less, less_equal, equal;
    if (lhs.hi < rhs.lo) less = less_equal = true, equal = false;
    if (lhs.lo > rhs.hi) less = less_equal = false, equal = false;
    if (lhs.hi <= rhs.lo && lhs.hi != IndexRange::kNoUpper) less_equal = true;
    if (lhs.lo >= rhs.hi && lhs.lo != IndexRange::kNoLower) less = false;
    if (ProvablyEqual(op.getLhs(), op.getRhs())) less = false, less_equal = true, equal = true;
    std::optional<bool> result;
    switch (op.getPredicate()) {
      case P::slt:
        result = less;
        break;
      case P::sle:
        result = less_equal;
        break;
      case P::sge:
        result = less ? std::optional(!*less) : std::nullopt;
        break;
      case P::sgt:
        result = less_equal ? std::optional(!*less_equal) : std::nullopt;
        break;
      case P::eq:
        result = equal;
        break;
      case P::ne:
        result = equal ? std::optional(!*equal) : std::nullopt;
        break;
      default:
        break;
    }
    if (!result) return rewriter.notifyMatchFailure(op, "the ranges overlap");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, rewriter.getBoolAttr(*result));
    return mlir::success();
  }
};

template <typename Extremum>
struct DecideExtremum : mlir::OpRewritePattern<Extremum> {
  using mlir::OpRewritePattern<Extremum>::OpRewritePattern;
  LogicalResult matchAndRewrite(Extremum op, PatternRewriter& rewriter) const override {
    if (!IsExact(op.getType())) return rewriter.notifyMatchFailure(op, "data");
    bool is_max = std::is_same_v<Extremum, arith::MaxSIOp>;
    IndexRange lhs = RangeOf(op.getLhs()), rhs = RangeOf(op.getRhs());
    auto known = [](int64_t bound) { return bound != IndexRange::kNoLower && bound != IndexRange::kNoUpper; };
    if (known(lhs.lo) && known(rhs.hi) && lhs.lo >= rhs.hi) {
      rewriter.replaceOp(op, is_max ? op.getLhs() : op.getRhs());
      return mlir::success();
    }
    if (known(rhs.lo) && known(lhs.hi) && rhs.lo >= lhs.hi) {
      rewriter.replaceOp(op, is_max ? op.getRhs() : op.getLhs());
      return mlir::success();
    }
    return rewriter.notifyMatchFailure(op, "the ranges overlap");
  }
};

// The arithmetic that ends in `op` is written again where its linear form is shorter: (k*4 + c) - k*4 is c.
template <typename Linear>
struct ShortenLinear : mlir::OpRewritePattern<Linear> {
  using mlir::OpRewritePattern<Linear>::OpRewritePattern;
  LogicalResult matchAndRewrite(Linear op, PatternRewriter& rewriter) const override {
    if (!IsExact(op.getType())) return rewriter.notifyMatchFailure(op, "data");
    LinearForm form = LinearFormOf(op.getResult());
    if (OperationCount(form) >= CountOperations(op.getResult(), 0))
      return rewriter.notifyMatchFailure(op, "as short as can be");
    rewriter.replaceOp(op, WriteForm(rewriter, op.getLoc(), form, op.getType()));
    return mlir::success();
  }

  static int64_t CountOperations(Value value, int depth) {
    mlir::Operation* op = value.getDefiningOp();
    if (!op || depth > 16 || !mlir::isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op)) return 0;
    if (mlir::isa<arith::MulIOp>(op) && !mlir::getConstantIntValue(op->getOperand(0)) &&
        !mlir::getConstantIntValue(op->getOperand(1)))
      return 0;  // an atom
    return 1 + CountOperations(op->getOperand(0), depth + 1) + CountOperations(op->getOperand(1), depth + 1);
  }
};

// A guard of a subscript that is never outside is none.
struct DropGuards : mlir::OpRewritePattern<ir::ReadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReadOp read, PatternRewriter& rewriter) const override {
    SmallVector<ir::Outside> outside = OutsideOf(read);
    bool changed = false, fills = false;
    for (auto [axis, word] : llvm::enumerate(outside)) {
      if (word != ir::Outside::inside &&
          StaysInside(read.getSubscripts()[axis], read.getTensor(), static_cast<int64_t>(axis))) {
        word = ir::Outside::inside;
        changed = true;
      }
      fills |= word == ir::Outside::fill;
    }
    if (!changed) return rewriter.notifyMatchFailure(read, "every guard may be needed");
    rewriter.replaceOpWithNewOp<ir::ReadOp>(read, read.getTensor(), read.getSubscripts(), outside,
                                            fills ? read.getFill() : Value());
    return mlir::success();
  }
};

// The size of an axis of an equation's result is its extent.
struct ResolveDim : mlir::OpRewritePattern<mlir::tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(mlir::tensor::DimOp dim, PatternRewriter& rewriter) const override {
    auto axis = dim.getConstantIndex();
    auto type = mlir::dyn_cast<mlir::RankedTensorType>(dim.getSource().getType());
    if (!axis || !type || *axis < 0 || *axis >= type.getRank())
      return rewriter.notifyMatchFailure(dim, "asks for no axis");
    mlir::OpFoldResult known = KnownSize(dim.getSource(), *axis);
    if (!known) return rewriter.notifyMatchFailure(dim, "nothing tells the size");
    rewriter.replaceOp(dim, AsIndex(rewriter, dim.getLoc(), known));
    return mlir::success();
  }
};

// A reduction over ranges of one step: without them, and none at all where no range is left.
struct DropUnitRanges : mlir::OpRewritePattern<ir::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReduceOp reduce, PatternRewriter& rewriter) const override {
    SmallVector<Value> lower, upper;
    SmallVector<llvm::StringRef> names;
    SmallVector<unsigned> kept;
    for (unsigned i = 0; i < reduce.getLower().size(); ++i) {
      auto from = mlir::getConstantIntValue(reduce.getLower()[i]);
      auto to = mlir::getConstantIntValue(reduce.getUpper()[i]);
      if (from && to && *to == *from + 1) continue;
      kept.push_back(i);
      lower.push_back(reduce.getLower()[i]);
      upper.push_back(reduce.getUpper()[i]);
      names.push_back(mlir::cast<mlir::StringAttr>(reduce.getNames()[i]).getValue());
    }
    if (kept.size() == reduce.getLower().size())
      return rewriter.notifyMatchFailure(reduce, "every range is longer");
    auto yield = mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator());
    if (kept.empty()) {
      // One element is its own sum, product, extremum. A condition may leave it out.
      if (yield.getCondition()) return rewriter.notifyMatchFailure(reduce, "may be empty");
      SmallVector<Value> indices(reduce.getLower());
      bool position = reduce.getType().isIndex() && (reduce.getKind() == ir::ReduceKind::argmax ||
                                                     reduce.getKind() == ir::ReduceKind::argmin);
      Value result = yield.getValues()[0];
      rewriter.inlineBlockBefore(&reduce.getBody().front(), reduce, indices);
      rewriter.eraseOp(yield);
      if (position) result = arith::ConstantIndexOp::create(rewriter, reduce.getLoc(), 0);
      rewriter.replaceOp(reduce, result);
      return mlir::success();
    }
    auto shorter = ir::ReduceOp::create(rewriter, reduce.getLoc(), reduce.getType(), reduce.getKind(), lower,
                                        upper, names, reduce.getIfEmpty(), nullptr);
    SmallVector<Value> indices(reduce.getLower());
    for (auto [position, index] : llvm::zip_equal(kept, shorter.getBody().getArguments()))
      indices[position] = index;
    rewriter.inlineBlockBefore(&reduce.getBody().front(), &shorter.getBody().front(),
                               shorter.getBody().front().end(), indices);
    rewriter.replaceOp(reduce, shorter.getResult());
    return mlir::success();
  }
};

// Whether combining with `value` changes nothing.
bool IsNeutral(ir::ReduceKind kind, Value value) {
  using mlir::matchPattern;
  llvm::APFloat number(0.0);
  bool is_float = matchPattern(value, mlir::m_ConstantFloat(&number));
  switch (kind) {
    case ir::ReduceKind::max:
      return is_float && number.isInfinity() && number.isNegative();
    case ir::ReduceKind::min:
      return is_float && number.isInfinity() && !number.isNegative();
    case ir::ReduceKind::sum:
      return matchPattern(value, mlir::m_PosZeroFloat()) || matchPattern(value, mlir::m_Zero());
    default:
      return false;
  }
}

// The value of nothing, where there is always something, or where that is what comes out anyway.
struct DropValueIfEmpty : mlir::OpRewritePattern<ir::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReduceOp reduce, PatternRewriter& rewriter) const override {
    if (!reduce.getIfEmpty()) return rewriter.notifyMatchFailure(reduce, "has none");
    auto yield = mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator());
    bool has_elements = !yield.getCondition() &&
                        llvm::all_of(llvm::zip_equal(reduce.getLower(), reduce.getUpper()), [](auto range) {
                          auto [from, to] = range;
                          return RangeOf(from).hi < RangeOf(to).lo;
                        });
    if (!has_elements && !IsNeutral(reduce.getKind(), reduce.getIfEmpty()))
      return rewriter.notifyMatchFailure(reduce, "may be empty");
    rewriter.modifyOpInPlace(reduce, [&] { reduce.getIfEmptyMutable().clear(); });
    return mlir::success();
  }
};

// A sum of whole numbers that are the same everywhere, as the count of a mean, is their number times one.
struct MultiplyEqualTerms : mlir::OpRewritePattern<ir::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReduceOp reduce, PatternRewriter& rewriter) const override {
    auto yield = mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator());
    Value term = yield.getValues()[0];
    bool is_whole = reduce.getKind() == ir::ReduceKind::sum && IsExact(term.getType());
    if (!is_whole || yield.getCondition() || reduce.getIfEmpty() ||
        reduce.getBody().isAncestor(term.getParentRegion()))
      return rewriter.notifyMatchFailure(reduce, "terms may differ");
    mlir::Location loc = reduce.getLoc();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0), count;
    for (auto [from, to] : llvm::zip_equal(reduce.getLower(), reduce.getUpper())) {
      Value length = arith::SubIOp::create(rewriter, loc, to, from);
      length = arith::MaxSIOp::create(rewriter, loc, length, zero);
      count = count ? arith::MulIOp::create(rewriter, loc, count, length).getResult() : length;
    }
    if (term.getType() != count.getType())
      count = arith::IndexCastOp::create(rewriter, loc, term.getType(), count);
    rewriter.replaceOpWithNewOp<arith::MulIOp>(reduce, count, term);
    return mlir::success();
  }
};

// The index of a unit axis is 0.
void ReplaceUnitIndices(mlir::func::FuncOp function) {
  function.walk([](ir::EquationOp equation) {
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockBegin(&equation.getBody().front());
    for (auto [index, extent] :
         llvm::zip_equal(equation.getBody().getArguments(), equation.getStaticExtents()))
      if (extent == 1 && !index.use_empty())
        index.replaceAllUsesWith(arith::ConstantIndexOp::create(builder, equation.getLoc(), 0));
  });
}

struct SimplifySubscriptsPass : impl::SimplifySubscriptsBase<SimplifySubscriptsPass> {
  void runOnOperation() override {
    ReplaceUnitIndices(getOperation());
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<SimplifyDivision<arith::FloorDivSIOp>, SimplifyDivision<arith::DivSIOp>,
                 SimplifyDivision<arith::DivUIOp>, SimplifyRemainder<arith::RemSIOp>,
                 SimplifyRemainder<arith::RemUIOp>, DecideComparison, DecideExtremum<arith::MaxSIOp>,
                 DecideExtremum<arith::MinSIOp>, ShortenLinear<arith::AddIOp>, ShortenLinear<arith::SubIOp>,
                 ShortenLinear<arith::MulIOp>, DropGuards, ResolveDim, DropUnitRanges, DropValueIfEmpty,
                 MultiplyEqualTerms>(&getContext());
    arith::SelectOp::getCanonicalizationPatterns(patterns, &getContext());
    mlir::scf::IfOp::getCanonicalizationPatterns(patterns, &getContext());
    if (mlir::failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace weft::passes
