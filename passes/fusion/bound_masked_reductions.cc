// Reductions of what a mask leaves out of end with the mask.

#include <cstdlib>
#include <optional>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/body.h"
#include "passes/analysis/branches.h"
#include "passes/analysis/counted_range.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/linear_form.h"
#include "passes/fusion/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_BOUNDMASKEDREDUCTIONS
#include "passes/fusion/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// Equations that are looked through, one reading the other.
constexpr int kMostEquations = 8;

enum class Fill { kNone, kLowest, kZero };  // -inf; 0

// A value that is `fill` where one of the forms is negative.
struct Mask {
  Fill fill = Fill::kNone;
  SmallVector<LinearForm> forms;
};

Fill FillOf(Value value) {
  llvm::APFloat number(0.0);
  if (!value || !mlir::matchPattern(value, mlir::m_ConstantFloat(&number))) return Fill::kNone;
  if (number.isZero()) return Fill::kZero;
  return number.isInfinity() && number.isNegative() ? Fill::kLowest : Fill::kNone;
}

// What is not negative exactly where the comparison holds.
std::optional<LinearForm> FormOf(arith::CmpIOp compare, bool holds) {
  if (!compare.getLhs().getType().isIndex()) return std::nullopt;
  arith::CmpIPredicate predicate = compare.getPredicate();
  if (!holds) predicate = arith::invertPredicate(predicate);
  LinearForm left = LinearFormOf(compare.getLhs()), right = LinearFormOf(compare.getRhs());
  bool is_less = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sle;
  bool is_more = predicate == arith::CmpIPredicate::sgt || predicate == arith::CmpIPredicate::sge;
  if (!is_less && !is_more) return std::nullopt;
  LinearForm form = is_less ? Minus(right, left) : Minus(left, right);
  bool excludes = predicate == arith::CmpIPredicate::slt || predicate == arith::CmpIPredicate::sgt;
  if (excludes) form.constant -= 1;
  return form;
}

// `form` of the producer's indices as one of what is around `read`; null where that cannot be said.
std::optional<LinearForm> AtRead(const LinearForm& form, ir::ReadOp read, ir::EquationOp producer) {
  LinearForm moved;
  moved.constant = form.constant;
  for (const LinearForm::Term& term : form.terms) {
    LinearForm part;
    part.terms.push_back({term.atom, 1});
    Value atom = term.atom;
    auto index = mlir::dyn_cast<mlir::BlockArgument>(atom);
    if (index && index.getOwner() == &producer.getBody().front()) {
      part = LinearFormOf(read.getSubscripts()[index.getArgNumber()]);
    } else if (producer->isAncestor(atom.getParentBlock()->getParentOp())) {
      return std::nullopt;
    }
    for (LinearForm::Term& each : part.terms) each.coefficient *= -term.coefficient;
    part.constant *= -term.coefficient;
    moved = Minus(moved, part);
  }
  return moved;
}

using Renaming = llvm::function_ref<Value(Value)>;

// Whether `a`, in the body of a reduction, is computed as `b` is elsewhere: `own` there is the index that is
// reduced over, `here` says what other indices are.
bool SameIn(ir::ReduceOp reduce, Value a, Value b, Renaming here, Value& own) {
  if (a == b) return true;
  if (auto index = mlir::dyn_cast<mlir::BlockArgument>(a)) {
    if (index.getOwner() != &reduce.getBody().front()) return here(a) == b;
    if (!own) own = b;
    return own == b && mlir::isa<mlir::BlockArgument>(b);
  }
  mlir::Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!y || x->getName() != y->getName() || x->getAttrDictionary() != y->getAttrDictionary() ||
      x->getNumOperands() != y->getNumOperands() || a.getType() != b.getType() || x->getNumResults() != 1)
    return false;
  auto same = [&](auto pair) { return SameIn(reduce, std::get<0>(pair), std::get<1>(pair), here, own); };
  if (!llvm::all_of(llvm::zip_equal(x->getOperands(), y->getOperands()), same)) return false;
  if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(x)) {
    auto other = mlir::cast<mlir::scf::IfOp>(y);
    return same(std::make_tuple(branch.thenYield().getOperand(0), other.thenYield().getOperand(0))) &&
           same(std::make_tuple(branch.elseYield().getOperand(0), other.elseYield().getOperand(0)));
  }
  return x->getNumRegions() == 0;
}

// Whether `value` is the largest of the elements that `element` is one of, or larger, or 0 where that is
// infinite: then a row of -inf alone gives NaN, if it gives anything.
bool IsPeakOf(Value value, Value element, Renaming here, int depth) {
  if (Branches choice = BranchesOf(value); choice.value)
    return FillOf(choice.otherwise) == Fill::kZero && IsPeakOf(choice.value, element, here, depth);
  if (auto larger = value.getDefiningOp<arith::MaximumFOp>())
    return IsPeakOf(larger.getLhs(), element, here, depth) || IsPeakOf(larger.getRhs(), element, here, depth);
  if (auto read = value.getDefiningOp<ir::ReadOp>()) {
    ir::EquationOp producer = DefiningEquation(read.getTensor());
    if (!producer || !IsInside(read) || depth == kMostEquations) return false;
    auto there = [&](Value index) -> Value {
      auto argument = mlir::dyn_cast<mlir::BlockArgument>(index);
      bool is_own = argument && argument.getOwner() == &producer.getBody().front();
      return is_own ? here(read.getSubscripts()[argument.getArgNumber()]) : Value();
    };
    unsigned result = mlir::cast<mlir::OpResult>(read.getTensor()).getResultNumber();
    return IsPeakOf(YieldedValue(producer, result), element, there, depth + 1);
  }
  auto reduce = value.getDefiningOp<ir::ReduceOp>();
  if (!reduce || reduce.getKind() != ir::ReduceKind::max || reduce.getIfEmpty() ||
      reduce.getLower().size() != 1)
    return false;
  auto yield = mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator());
  Value own;
  return !yield.getCondition() && SameIn(reduce, yield.getValues()[0], element, here, own);
}

Mask MaskOf(Value value, int depth = 0);

Mask MaskOfRead(ir::ReadOp read, int depth) {
  ir::EquationOp producer = DefiningEquation(read.getTensor());
  if (!producer || !IsInside(read) || depth == kMostEquations) return {};
  unsigned result = mlir::cast<mlir::OpResult>(read.getTensor()).getResultNumber();
  Mask there = MaskOf(YieldedValue(producer, result), depth + 1), here = {there.fill, {}};
  for (const LinearForm& form : there.forms)
    if (std::optional<LinearForm> moved = AtRead(form, read, producer)) here.forms.push_back(*moved);
  return here;
}

Mask MaskOfChoice(const Branches& choice, int depth) {
  Mask mask = {FillOf(choice.otherwise), {}};
  bool holds = mask.fill != Fill::kNone;
  if (!holds) mask.fill = FillOf(choice.value);
  if (mask.fill == Fill::kNone) return {};
  llvm::SetVector<Value> parts;
  if (holds) {
    CollectConjuncts(choice.condition, parts);
  } else {
    parts.insert(choice.condition);
  }
  for (Value part : parts)
    if (auto compare = part.getDefiningOp<arith::CmpIOp>())
      if (std::optional<LinearForm> form = FormOf(compare, holds)) mask.forms.push_back(*form);
  Mask inner = MaskOf(holds ? choice.value : choice.otherwise, depth);
  if (inner.fill == mask.fill) llvm::append_range(mask.forms, inner.forms);
  return mask;
}

// A product with 0 counts as 0 and a sum with -inf as that, whatever the other operand is.
Mask MaskOf(Value value, int depth) {
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return {};
  if (auto read = mlir::dyn_cast<ir::ReadOp>(op)) return MaskOfRead(read, depth);
  if (Branches choice = BranchesOf(value); choice.value) return MaskOfChoice(choice, depth);
  if (mlir::isa<arith::ExtFOp, arith::TruncFOp>(op)) return MaskOf(op->getOperand(0), depth);
  if (mlir::isa<mlir::math::ExpOp>(op)) {
    Mask mask = MaskOf(op->getOperand(0), depth);
    return mask.fill == Fill::kLowest ? Mask{Fill::kZero, mask.forms} : Mask();
  }
  if (auto difference = mlir::dyn_cast<arith::SubFOp>(op)) {
    auto same = [](Value index) { return index; };
    if (!IsPeakOf(difference.getRhs(), difference.getLhs(), same, depth)) return {};
    Mask mask = MaskOf(difference.getLhs(), depth);
    return mask.fill == Fill::kLowest ? mask : Mask();
  }
  if (mlir::isa<arith::AddFOp>(op)) {
    Mask mask = MaskOf(op->getOperand(0), depth);
    if (mask.fill != Fill::kLowest) mask = MaskOf(op->getOperand(1), depth);
    return mask.fill == Fill::kLowest ? mask : Mask();
  }
  if (mlir::isa<arith::MulFOp, arith::DivFOp>(op)) {
    Mask mask = MaskOf(op->getOperand(0), depth);
    if (mask.fill != Fill::kZero && mlir::isa<arith::MulFOp>(op)) mask = MaskOf(op->getOperand(1), depth);
    return mask.fill == Fill::kZero ? mask : Mask();
  }
  return {};
}

// One reduction, and where its elements count.
class MaskedReduction {
 public:
  explicit MaskedReduction(ir::ReduceOp reduce) : reduce_(reduce), equation_(EnclosingEquation(reduce)) {}

  bool Bound() {
    if (!equation_ || reduce_.getIfEmpty() || reduce_.getLower().size() != 1 ||
        reduce_->getBlock() != &equation_.getBody().front())
      return false;
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    if (yield.getCondition()) return false;
    Mask mask = MaskOf(yield.getValues()[0]);
    bool is_neutral = (reduce_.getKind() == ir::ReduceKind::sum && mask.fill == Fill::kZero) ||
                      (reduce_.getKind() == ir::ReduceKind::max && mask.fill == Fill::kLowest);
    if (!is_neutral) return false;
    for (const LinearForm& form : mask.forms) Add(form);
    if (!from_.empty()) reduce_->setAttr(kCountedFrom, MapOf(from_));
    if (!to_.empty()) reduce_->setAttr(kCountedTo, MapOf(to_));
    return !from_.empty() || !to_.empty();
  }

  void Explain() {
    auto name = mlir::cast<mlir::StringAttr>(reduce_.getNames()[0]).getValue();
    mlir::emitRemark(reduce_.getLoc()) << ir::stringifyReduceKind(reduce_.getKind()) << " over " << name
                                       << ": only as far as a mask lets some result of a block see";
  }

 private:
  // own index * 1 or -1 + multiples of the equation's indices + constant >= 0
  void Add(const LinearForm& form) {
    auto owner = [](const LinearForm::Term& term) -> mlir::Block* {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(term.atom);
      return index ? index.getOwner() : nullptr;
    };
    const auto* own = llvm::find_if(
        form.terms, [&](const LinearForm::Term& term) { return owner(term) == &reduce_.getBody().front(); });
    if (own == form.terms.end() || std::abs(own->coefficient) != 1) return;
    bool is_end = own->coefficient < 0;
    int64_t sign = is_end ? 1 : -1;
    mlir::MLIRContext* context = reduce_.getContext();
    mlir::AffineExpr end = mlir::getAffineConstantExpr(sign * form.constant + (is_end ? 1 : 0), context);
    for (const LinearForm::Term& term : form.terms) {
      if (&term == own) continue;
      if (owner(term) != &equation_.getBody().front()) return;
      unsigned index = mlir::cast<mlir::BlockArgument>(term.atom).getArgNumber();
      end = mlir::getAffineDimExpr(index, context) * (sign * term.coefficient) + end;
    }
    (is_end ? to_ : from_).push_back(end);
  }

  mlir::AffineMapAttr MapOf(llvm::ArrayRef<mlir::AffineExpr> ends) {
    return mlir::AffineMapAttr::get(
        mlir::AffineMap::get(equation_.getBody().getNumArguments(), 0, ends, reduce_.getContext()));
  }

  ir::ReduceOp reduce_;
  ir::EquationOp equation_;
  SmallVector<mlir::AffineExpr> from_, to_;
};

// Whether `op` reads `tensor`, or what is computed from it.
bool Reads(mlir::Operation* op, Value tensor, int depth = 0) {
  return depth < kMostEquations &&
         op->walk([&](ir::ReadOp read) {
             ir::EquationOp producer = DefiningEquation(read.getTensor());
             bool found = read.getTensor() == tensor || (producer && Reads(producer, tensor, depth + 1));
             return found ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
           }).wasInterrupted();
}

// Says where -inf stands in place of what a comparison of indices leaves out, and no reduction ends with it.
void ExplainMask(ir::EquationOp equation, llvm::ArrayRef<ir::ReduceOp> bounded) {
  Mask mask = MaskOf(YieldedValue(equation, 0));
  if (mask.fill != Fill::kLowest) return;
  unsigned last = 0;
  for (const LinearForm& form : mask.forms) {
    SmallVector<unsigned> indices;
    for (const LinearForm::Term& term : form.terms)
      if (auto index = mlir::dyn_cast<mlir::BlockArgument>(term.atom);
          index && index.getOwner() == &equation.getBody().front())
        indices.push_back(index.getArgNumber());
    if (indices.size() > 1) last = std::max(last, *llvm::max_element(indices));
  }
  bool is_used =
      llvm::any_of(bounded, [&](ir::ReduceOp reduce) { return Reads(reduce, equation->getResult(0)); });
  if (last == 0 || is_used) return;
  auto name = mlir::cast<mlir::StringAttr>(equation.getNames()[last]).getValue();
  mlir::emitRemark(equation.getLoc())
      << "mask over " << name << ": all of it is computed, because no reduction ends with it";
}

struct BoundMaskedReductionsPass : impl::BoundMaskedReductionsBase<BoundMaskedReductionsPass> {
  using BoundMaskedReductionsBase::BoundMaskedReductionsBase;

  void runOnOperation() override {
    SmallVector<ir::ReduceOp> bounded;
    getOperation().walk([&](ir::ReduceOp reduce) {
      MaskedReduction masked(reduce);
      if (!masked.Bound()) return;
      bounded.push_back(reduce);
      if (explain) masked.Explain();
    });
    if (explain) getOperation().walk([&](ir::EquationOp equation) { ExplainMask(equation, bounded); });
  }
};

}  // namespace
}  // namespace weft::passes
