#include "passes/inline/changed_rows.h"

#include <cstdlib>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "passes/analysis/body.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

Value WithoutCast(Value value) {
  while (auto cast = value.getDefiningOp<arith::IndexCastOp>()) value = cast.getIn();
  return value;
}

// `x` of `x % size`, by floor; null where `value` is no such remainder.
Value DividendOf(Value value, int64_t size) {
  value = WithoutCast(value);
  auto is_size = [&](Value divisor) { return mlir::getConstantIntValue(divisor) == size; };
  if (auto rest = value.getDefiningOp<arith::RemSIOp>())
    return is_size(rest.getRhs()) && RangeOf(rest.getLhs()).lo >= 0 ? rest.getLhs() : Value();
  auto difference = value.getDefiningOp<arith::SubIOp>();
  auto product = difference ? difference.getRhs().getDefiningOp<arith::MulIOp>() : nullptr;
  auto quotient = product ? product.getLhs().getDefiningOp<arith::FloorDivSIOp>() : nullptr;
  bool matches = quotient && quotient.getLhs() == difference.getLhs() && is_size(quotient.getRhs()) &&
                 is_size(product.getRhs());
  return matches ? difference.getLhs() : Value();
}

// Collects what conditions say about the indices of an equation.
class PartFinder {
 public:
  explicit PartFinder(ir::EquationOp equation) : equation_(equation) {}

  // Every part of an `and` narrows what may change; those that say nothing here are left to the body.
  void AddCondition(Value condition) {
    llvm::SetVector<Value> parts;
    CollectConjuncts(condition, parts);
    for (Value part : parts)
      if (auto compare = part.getDefiningOp<arith::CmpIOp>()) AddComparison(compare);
  }

  // A subscript that must be inside an axis of this size.
  void AddGuard(Value subscript, OpFoldResult size) {
    if (auto solved = Solve(LinearFormOf(subscript)); solved && solved->coefficient == 1)
      return Add({solved->index, solved->at, size});
    for (auto [extent, index] : llvm::zip_equal(ExtentsOf(equation_), equation_.getBody().getArguments())) {
      auto number = mlir::getConstantIntValue(extent);
      Value dividend = number ? DividendOf(subscript, *number) : Value();
      auto solved = dividend ? Solve(LinearFormOf(dividend)) : std::nullopt;
      if (solved && solved->index == index && solved->coefficient == 1)
        return Add({solved->index, solved->at, size, /*wraps=*/true});
    }
  }

  SmallVector<ChangedPart> Take() {
    for (mlir::BlockArgument index : equation_.getBody().getArguments()) {
      auto begin = begins_.find(index), end = ends_.find(index);
      if (begin == begins_.end() || end == ends_.end()) continue;
      if (auto length = Length(Minus(end->second, begin->second))) Add({index, begin->second, *length});
    }
    llvm::sort(parts_, [](const ChangedPart& a, const ChangedPart& b) {
      return a.index.getArgNumber() < b.index.getArgNumber();
    });
    return std::move(parts_);
  }

 private:
  // coefficient * (index - at), the coefficient 1 or -1.
  struct Solved {
    mlir::BlockArgument index;
    LinearForm at;
    int64_t coefficient = 0;
  };

  bool IsOwn(Value value) {
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
    return argument && argument.getOwner() == &equation_.getBody().front();
  }

  // Whether the equation's extents may be made of it.
  bool IsBefore(OpFoldResult size) {
    auto value = mlir::dyn_cast<Value>(size);
    return !value || !equation_->isProperAncestor(value.getParentBlock()->getParentOp());
  }

  // `form` as that of one index of the equation; nothing where it has none, several, or a multiple of one.
  std::optional<Solved> Solve(const LinearForm& form) {
    Solved solved;
    for (const LinearForm::Term& term : form.terms) {
      if (IsOwn(term.atom)) {
        if (solved.index || std::abs(term.coefficient) != 1) return std::nullopt;
        solved.index = mlir::cast<mlir::BlockArgument>(term.atom);
        solved.coefficient = term.coefficient;
      } else if (llvm::any_of(IndicesOf(term.atom), [&](Value index) { return IsOwn(index); })) {
        return std::nullopt;
      }
    }
    if (!solved.index) return std::nullopt;
    solved.at.constant = -solved.coefficient * form.constant;
    for (const LinearForm::Term& term : form.terms)
      if (term.atom != solved.index)
        solved.at.terms.push_back({term.atom, -solved.coefficient * term.coefficient});
    return solved;
  }

  void AddComparison(arith::CmpIOp compare) {
    mlir::Type type = compare.getLhs().getType();
    if (!type.isIndex() && !type.isInteger(64)) return;
    auto solved = Solve(Minus(LinearFormOf(compare.getLhs()), LinearFormOf(compare.getRhs())));
    if (!solved) return;
    arith::CmpIPredicate predicate = compare.getPredicate();
    if (predicate == arith::CmpIPredicate::eq) return Add({solved->index, solved->at, {}});
    // coefficient * (index - at) against 0.
    bool is_less = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sle;
    bool is_more = predicate == arith::CmpIPredicate::sgt || predicate == arith::CmpIPredicate::sge;
    bool excludes = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sgt;
    if (!is_less && !is_more) return;
    bool bounds_above = is_less == (solved->coefficient > 0);
    if (bounds_above != excludes) solved->at.constant += 1;
    (bounds_above ? ends_ : begins_).try_emplace(solved->index, solved->at);
  }

  void Add(ChangedPart part) {
    bool taken = llvm::any_of(parts_, [&](const ChangedPart& other) { return other.index == part.index; });
    if (!taken) parts_.push_back(std::move(part));
  }

  // A length is known before the equation is computed.
  std::optional<OpFoldResult> Length(const LinearForm& form) {
    for (const LinearForm::Term& term : form.terms)
      if (!IsBefore(term.atom)) return std::nullopt;
    mlir::OpBuilder builder(equation_);
    if (form.terms.empty()) return OpFoldResult(builder.getIndexAttr(std::max<int64_t>(form.constant, 0)));
    Value length = WriteForm(builder, equation_.getLoc(), form, builder.getIndexType());
    if (RangeOf(form).lo >= 0) return OpFoldResult(length);
    Value zero = arith::ConstantIndexOp::create(builder, equation_.getLoc(), 0);
    return OpFoldResult(arith::MaxSIOp::create(builder, equation_.getLoc(), length, zero).getResult());
  }

  ir::EquationOp equation_;
  SmallVector<ChangedPart> parts_;
  llvm::DenseMap<Value, LinearForm> begins_, ends_;
};

// What the equation chooses by, and what it has where the choice is none: a tensor at the indices themselves.
struct KeptChoice {
  Value condition;     // null: that of `guarded`
  ir::ReadOp guarded;  // null: the condition
  ir::ReadOp kept;     // null: the equation is no such choice
};

KeptChoice KeptChoiceOf(ir::EquationOp equation) {
  mlir::Operation* definer = YieldedValue(equation, 0).getDefiningOp();
  if (!definer || definer->getBlock() != &equation.getBody().front()) return {};
  KeptChoice choice;
  Value otherwise;
  if (auto select = mlir::dyn_cast<arith::SelectOp>(definer)) {
    choice.condition = select.getCondition();
    otherwise = select.getFalseValue();
  } else if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(definer)) {
    choice.condition = branch.getCondition();
    otherwise = branch.elseYield().getOperand(0);
  } else if (auto read = mlir::dyn_cast<ir::ReadOp>(definer)) {
    choice.guarded = read;
    otherwise = read.getFill();
  }
  auto kept = otherwise ? otherwise.getDefiningOp<ir::ReadOp>() : nullptr;
  if (kept && IsInside(kept) && kept.getTensor().getType() == equation->getResult(0).getType() &&
      llvm::equal(kept.getSubscripts(), equation.getBody().getArguments()))
    choice.kept = kept;
  return choice;
}

}  // namespace

std::optional<ChangedRows> FindChangedRows(ir::EquationOp equation) {
  if (equation->getNumResults() != 1 || !KeptChoiceOf(equation).kept) return std::nullopt;
  // Equal values are one: the ends of `at..at + 3` are a number apart then.
  mlir::IRRewriter rewriter(equation.getContext());
  mlir::DominanceInfo dominance(equation);
  mlir::eliminateCommonSubExpressions(rewriter, dominance, equation);
  KeptChoice choice = KeptChoiceOf(equation);
  PartFinder finder(equation);
  if (choice.condition) {
    finder.AddCondition(choice.condition);
  } else {
    mlir::OpBuilder builder(equation);
    ir::ReadOp read = choice.guarded;
    for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts()))
      if (read.getOutsideAt(static_cast<unsigned>(axis)) == ir::Outside::fill)
        finder.AddGuard(subscript,
                        SizeOf(builder, read.getLoc(), read.getTensor(), static_cast<int64_t>(axis)));
  }
  return ChangedRows{choice.kept, finder.Take()};
}

}  // namespace weft::passes
