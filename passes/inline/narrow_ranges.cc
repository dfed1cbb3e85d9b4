#include "llvm/ADT/StringExtras.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/linear_form.h"
#include "passes/inline/passes.h"
#include "passes/inline/prefix.h"
#include "passes/inline/rewrite_reductions.h"

namespace weft::passes {

#define GEN_PASS_DEF_NARROWRANGES
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// A comparison that one range of a reduction can end, or begin, with instead.
struct Bound {
  arith::CmpIOp compare;
  unsigned range;
  LinearForm at;  // the first index that is, or is no more, in the range
  bool is_upper;
};

// `x if condition else constant`.
struct ConstantElse {
  Value condition;  // null: it is none
  mlir::TypedAttr otherwise;
};

ConstantElse ConstantElseOf(Value value) {
  ConstantElse choice;
  Value otherwise;
  if (auto select = value.getDefiningOp<arith::SelectOp>()) {
    choice.condition = select.getCondition(), otherwise = select.getFalseValue();
  } else if (auto branch = value.getDefiningOp<mlir::scf::IfOp>(); branch && branch->getNumResults() == 1) {
    choice.condition = branch.getCondition(), otherwise = branch.elseYield().getOperand(0);
  }
  if (!otherwise || !mlir::matchPattern(otherwise, mlir::m_Constant(&choice.otherwise))) return {};
  return choice;
}

// One reduction that skips elements at the ends of its ranges.
class RangeNarrower {
 public:
  RangeNarrower(ir::EquationOp equation, ir::ReduceOp reduce) : equation_(equation), reduce_(reduce) {}

  bool IsCandidate() {
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    if (yield.getCondition()) AddParts(yield.getCondition());
    if (Value asks = NeutralUnless(yield.getValues()[0])) AddParts(asks);
    return !bounds_.empty() || !shared_.empty();
  }

  bool Matches(llvm::StringRef& why) {
    if (bounds_.empty()) why = "neighbouring results share what is read";
    return !bounds_.empty();
  }

  void Explain(bool matches, llvm::StringRef why) {
    SmallVector<llvm::StringRef> names;
    for (const Bound& bound : matches ? bounds_ : shared_) {
      auto name = mlir::cast<mlir::StringAttr>(reduce_.getNames()[bound.range]).getValue();
      if (!llvm::is_contained(names, name)) names.push_back(name);
    }
    mlir::InFlightDiagnostic remark = mlir::emitRemark(reduce_.getLoc())
                                      << ir::stringifyReduceKind(reduce_.getKind()) << " over "
                                      << llvm::join(names, ", ") << ": ";
    if (matches) {
      remark << "only as far as its condition holds";
    } else {
      remark << "all of them, because " << why;
    }
  }

  void Run() {
    mlir::OpBuilder builder(reduce_);
    for (const Bound& bound : bounds_) Narrow(builder, bound);
    mlir::Block& block = reduce_.getBody().front();
    mlir::OpBuilder inside = mlir::OpBuilder::atBlockBegin(&block);
    Value yes = arith::ConstantOp::create(inside, reduce_.getLoc(), inside.getBoolAttr(true));
    for (Bound& bound : bounds_) bound.compare.getResult().replaceAllUsesWith(yes);
    mlir::RewritePatternSet patterns(reduce_.getContext());
    mlir::scf::IfOp::getCanonicalizationPatterns(patterns, reduce_.getContext());
    SmallVector<mlir::Operation*> ops;
    reduce_.getBody().walk([&](mlir::Operation* op) { ops.push_back(op); });
    (void)mlir::applyOpPatternsGreedily(ops, std::move(patterns));
    auto yield = mlir::cast<ir::YieldOp>(block.getTerminator());
    if (yield.getCondition() && mlir::matchPattern(yield.getCondition(), mlir::m_One()))
      yield.getConditionMutable().clear();
  }

 private:
  // What must hold for an element to change anything; null where nothing is known.
  Value NeutralUnless(Value value) {
    if (reduce_.getIfEmpty()) return {};
    if (reduce_.getKind() == ir::ReduceKind::any) return value;
    ConstantElse choice = ConstantElseOf(value);
    return choice.condition && IsNeutral(choice.otherwise) ? choice.condition : Value();
  }

  bool IsNeutral(mlir::TypedAttr value) {
    switch (reduce_.getKind()) {
      case ir::ReduceKind::sum:
        if (auto real = mlir::dyn_cast<mlir::FloatAttr>(value)) return real.getValue().isZero();
        return mlir::cast<mlir::IntegerAttr>(value).getValue().isZero();
      case ir::ReduceKind::prod:
      case ir::ReduceKind::max:
      case ir::ReduceKind::min:
      case ir::ReduceKind::all: {
        if (value.getType().isIndex()) return false;
        mlir::Builder builder(value.getContext());
        return value == Identity(builder, reduce_.getKind(), value.getType());
      }
      default:
        return false;
    }
  }

  void AddParts(Value condition) {
    llvm::SetVector<Value> parts;
    CollectConjuncts(condition, parts);
    for (Value part : parts)
      if (auto compare = part.getDefiningOp<arith::CmpIOp>()) AddBound(compare);
  }

  // coefficient * index + rest against 0, where the rest is made of sizes and other indices.
  void AddBound(arith::CmpIOp compare) {
    bool is_known = llvm::any_of(bounds_, [&](const Bound& bound) { return bound.compare == compare; });
    if (is_known || !reduce_->isProperAncestor(compare) || !compare.getLhs().getType().isIndex()) return;
    arith::CmpIPredicate predicate = compare.getPredicate();
    bool is_less = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sle;
    bool is_more = predicate == arith::CmpIPredicate::sgt || predicate == arith::CmpIPredicate::sge;
    bool excludes = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sgt;
    if (!is_less && !is_more) return;
    LinearForm form = Minus(LinearFormOf(compare.getLhs()), LinearFormOf(compare.getRhs()));
    std::optional<LinearForm::Term> own;
    for (const LinearForm::Term& term : form.terms) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(term.atom);
      if (index && index.getOwner() == &reduce_.getBody().front()) {
        if (own || std::abs(term.coefficient) != 1) return;
        own = term;
      } else if (!IsBefore(term.atom)) {
        return;
      }
    }
    if (!own) return;
    Bound bound{compare, mlir::cast<mlir::BlockArgument>(own->atom).getArgNumber(), {}, false};
    bound.is_upper = is_less == (own->coefficient > 0);
    bound.at.constant = -own->coefficient * form.constant + (bound.is_upper != excludes ? 1 : 0);
    for (const LinearForm::Term& term : form.terms)
      if (term.atom != own->atom) bound.at.terms.push_back({term.atom, -own->coefficient * term.coefficient});
    // What can be carried from one index to the next asks the condition once for each element.
    bool is_carried = MatchPrefix(reduce_, equation_, bound.range).has_value();
    if (MovesPositions(bound) || is_carried) return;
    (SharesElements(bound) ? shared_ : bounds_).push_back(bound);
  }

  // An index around the reduction, or a size.
  bool IsBefore(Value atom) {
    if (reduce_->isAncestor(atom.getParentBlock()->getParentOp())) return false;
    mlir::Operation* definer = atom.getDefiningOp();
    return !definer || !equation_->isProperAncestor(definer);
  }

  // Whether some of what is read is the same for several values of an index of the equation, and some is not,
  // as in a product of matrices. Then a tile of results goes over one range, and ends that differ would take
  // it apart.
  bool SharesElements(const Bound& bound) {
    for (const LinearForm::Term& term : bound.at.terms) {
      if (!mlir::isa<mlir::BlockArgument>(term.atom)) continue;
      bool some = false, all = true;
      reduce_.getBody().walk([&](ir::ReadOp read) {
        bool knows = IndicesOf(read.getResult()).contains(term.atom);
        some |= knows, all &= knows;
      });
      if (some && !all) return true;
    }
    return false;
  }

  // Positions count from where a range begins, those in several ranges by how long these are.
  bool MovesPositions(const Bound& bound) {
    bool gives_position =
        reduce_.getKind() == ir::ReduceKind::argmax || reduce_.getKind() == ir::ReduceKind::argmin;
    return gives_position && (!bound.is_upper || reduce_.getLower().size() > 1);
  }

  void Narrow(mlir::OpBuilder& builder, const Bound& bound) {
    mlir::Location loc = reduce_.getLoc();
    auto ends = bound.is_upper ? reduce_.getUpperMutable() : reduce_.getLowerMutable();
    Value before = ends[bound.range].get();
    Value at = WriteForm(builder, loc, bound.at, builder.getIndexType());
    if (!IsInside(bound, before)) {
      at = bound.is_upper ? arith::MinSIOp::create(builder, loc, before, at).getResult()
                          : arith::MaxSIOp::create(builder, loc, before, at).getResult();
    }
    ends[bound.range].set(at);
  }

  // Whether the bound is shown to lie within the range as it is: an index is less than its extent.
  bool IsInside(const Bound& bound, Value before) {
    LinearForm room =
        bound.is_upper ? Minus(LinearFormOf(before), bound.at) : Minus(bound.at, LinearFormOf(before));
    if (RangeOf(room).lo >= 0) return true;
    if (!bound.is_upper || bound.at.terms.size() != 1 || bound.at.terms[0].coefficient != 1) return false;
    auto index = mlir::dyn_cast<mlir::BlockArgument>(bound.at.terms[0].atom);
    bool is_own = index && index.getOwner() == &equation_.getBody().front();
    return is_own && bound.at.constant <= 1 &&
           SameSize(ExtentsOf(equation_)[index.getArgNumber()], mlir::getAsOpFoldResult(before));
  }

  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  SmallVector<Bound> bounds_;
  SmallVector<Bound> shared_;  // that stay conditions
};

struct NarrowRangesPass : impl::NarrowRangesBase<NarrowRangesPass> {
  using NarrowRangesBase::NarrowRangesBase;

  void runOnOperation() override { RewriteReductions<RangeNarrower>(getOperation(), explain); }
};

}  // namespace
}  // namespace weft::passes
