#include "passes/inline/exponential_sums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/body.h"
#include "passes/analysis/branches.h"
#include "passes/analysis/extraction.h"
#include "passes/inline/prefix.h"
#include "passes/inline/rewrite_reductions.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
namespace math = mlir::math;
using mlir::SmallVector;
using mlir::Value;

// Whether two values are computed alike, the first index in one where the second is in the other.
bool SameBut(Value a, Value b, Value first, Value second) {
  if (a == b) return true;
  if (a == first) return b == second;
  mlir::Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!x || !y || x->getName() != y->getName() || x->getAttrDictionary() != y->getAttrDictionary() ||
      x->getNumOperands() != y->getNumOperands() || x->getNumRegions() > 0 || a.getType() != b.getType() ||
      x->getNumResults() != 1 || y->getNumResults() != 1)
    return false;
  for (auto [p, q] : llvm::zip_equal(x->getOperands(), y->getOperands()))
    if (!SameBut(p, q, first, second)) return false;
  return true;
}

// What is yielded where the condition holds.
Value UnderCondition(ir::YieldOp yield) {
  Branches choice = BranchesOf(yield.getValues()[0]);
  bool is_guard = choice.value && choice.condition == yield.getCondition();
  return is_guard ? choice.value : yield.getValues()[0];
}

bool IsReal(Value value, double number) {
  llvm::APFloat constant(0.0);
  return mlir::matchPattern(value, mlir::m_ConstantFloat(&constant)) && constant.isExactlyValue(number);
}

bool IsInfinity(Value value) {
  llvm::APFloat constant(0.0);
  return mlir::matchPattern(value, mlir::m_ConstantFloat(&constant)) && constant.isInfinity() &&
         !constant.isNegative();
}

// The maximum of which `shift` is what can be subtracted: itself, or 0 where it is infinite. Null: no such.
ir::ReduceOp PeakOf(Value shift) {
  Branches choice = BranchesOf(shift);
  if (!choice.value || !IsReal(choice.otherwise, 0)) return nullptr;
  auto peak = choice.value.getDefiningOp<ir::ReduceOp>();
  auto finite = choice.condition.getDefiningOp<arith::CmpFOp>();
  auto size = finite ? finite.getLhs().getDefiningOp<math::AbsFOp>() : nullptr;
  bool matches = peak && peak.getKind() == ir::ReduceKind::max && size &&
                 size.getOperand() == peak.getResult() &&
                 finite.getPredicate() == arith::CmpFPredicate::OLT && IsInfinity(finite.getRhs());
  return matches ? peak : nullptr;
}

class ExponentialSum {
 public:
  ExponentialSum(ir::EquationOp equation, ir::ReduceOp sum)
      : equation_(equation), sum_(sum), loc_(sum.getLoc()) {}

  bool IsCandidate() {
    if (sum_.getKind() != ir::ReduceKind::sum || sum_.getLower().size() != 1 || sum_.getIfEmpty() ||
        sum_->getBlock() != &equation_.getBody().front())
      return false;
    auto prefix = MatchPrefix(sum_, equation_, 0);
    if (!prefix || !IsLong(*prefix)) return false;
    prefix_ = *prefix;
    auto yield = mlir::cast<ir::YieldOp>(sum_.getBody().front().getTerminator());
    auto power = UnderCondition(yield).getDefiningOp<math::ExpOp>();
    auto difference = power ? power.getOperand().getDefiningOp<arith::SubFOp>() : nullptr;
    ir::ReduceOp peak = difference ? PeakOf(difference.getRhs()) : nullptr;
    if (!peak || peak.getLower().size() != 1 || peak.getLower() != sum_.getLower() ||
        peak.getUpper() != sum_.getUpper())
      return false;
    exponent_ = difference.getLhs();
    counts_ = yield.getCondition();
    if (!mlir::isa<mlir::Float32Type, mlir::Float64Type>(exponent_.getType())) return false;
    return IsMaximumOfSame(peak) && !IndicesOf(exponent_).contains(prefix_.index) &&
           (!counts_ || !IndicesOf(counts_).contains(prefix_.index));
  }

  bool Matches(llvm::StringRef&) { return true; }

  void Explain(bool, llvm::StringRef) {
    llvm::StringRef index =
        mlir::cast<mlir::StringAttr>(equation_.getNames()[prefix_.index.getArgNumber()]).getValue();
    mlir::emitRemark(loc_) << "sum over " << mlir::cast<mlir::StringAttr>(sum_.getNames()[0]).getValue()
                           << ": carried from one " << index << " to the next, with the peak";
  }

  void Run() {
    llvm::SetVector<Value> used;
    for (Value part : {exponent_, counts_})
      if (part)
        for (Value index : IndicesOf(part))
          if (mlir::cast<mlir::BlockArgument>(index).getOwner() == &equation_.getBody().front())
            used.insert(index);
    SmallVector<Value> indices = llvm::to_vector(used);
    mlir::Builder builder(sum_.getContext());
    mlir::Type type = exponent_.getType();
    SmallVector<Value> scanned = CarryAlong(
        prefix_, equation_, sum_, indices,
        {Identity(builder, ir::ReduceKind::max, type), Identity(builder, ir::ReduceKind::sum, type)},
        [&](mlir::OpBuilder& body, Value element, mlir::ValueRange carried, mlir::ValueRange at) {
          return Step(body, element, indices, carried, at);
        });
    mlir::OpBuilder at(sum_);
    Value zero = arith::ConstantOp::create(at, loc_, at.getZeroAttr(type));
    sum_.getResult().replaceAllUsesWith(ReadCarried(at, prefix_, scanned[1], indices, zero));
    sum_->erase();
  }

 private:
  bool IsMaximumOfSame(ir::ReduceOp peak) {
    auto yield = mlir::cast<ir::YieldOp>(peak.getBody().front().getTerminator());
    Value own = sum_.getBody().getArgument(0), other = peak.getBody().getArgument(0);
    if (!SameBut(exponent_, UnderCondition(yield), own, other)) return false;
    if (!counts_ || !yield.getCondition()) return !counts_ && !yield.getCondition();
    return SameBut(counts_, yield.getCondition(), own, other);
  }

  SmallVector<Value> Step(mlir::OpBuilder& body, Value element, llvm::ArrayRef<Value> indices,
                          mlir::ValueRange carried, mlir::ValueRange at) {
    mlir::IRMapping mapping;
    mapping.map(indices, at);
    mapping.map(sum_.getBody().getArgument(0), element);
    auto clone = [&](mlir::OpBuilder& b, Value value) {
      for (mlir::Operation* op : SliceOf(value, equation_))
        if (!mapping.contains(op->getResult(0))) b.clone(*op, mapping);
      return mapping.lookupOrDefault(value);
    };
    if (!counts_) return Add(body, clone(body, exponent_), carried);
    auto branch = mlir::scf::IfOp::create(
        body, loc_, clone(body, counts_),
        [&](mlir::OpBuilder& then, mlir::Location) {
          mlir::scf::YieldOp::create(then, loc_, Add(then, clone(then, exponent_), carried));
        },
        [&](mlir::OpBuilder& otherwise, mlir::Location) {
          mlir::scf::YieldOp::create(otherwise, loc_, carried);
        });
    return SmallVector<Value>(branch.getResults());
  }

  // The sum is of exp(x - shift), where the shift is the peak so far, or 0 where that is infinite.
  SmallVector<Value> Add(mlir::OpBuilder& body, Value x, mlir::ValueRange carried) {
    Value before = carried[0];
    mlir::Type type = x.getType();
    Value zero = arith::ConstantOp::create(body, loc_, body.getFloatAttr(type, 0));
    Value one = arith::ConstantOp::create(body, loc_, body.getFloatAttr(type, 1));
    Value infinity = arith::ConstantOp::create(
        body, loc_,
        body.getFloatAttr(type,
                          llvm::APFloat::getInf(mlir::cast<mlir::FloatType>(type).getFloatSemantics())));
    Value peak = arith::MaximumFOp::create(body, loc_, before, x);
    Value size = math::AbsFOp::create(body, loc_, peak);
    Value finite = arith::CmpFOp::create(body, loc_, arith::CmpFPredicate::OLT, size, infinity);
    Value shift = arith::SelectOp::create(body, loc_, finite, peak, zero);
    auto power = [&](Value value) -> Value {
      return math::ExpOp::create(body, loc_, arith::SubFOp::create(body, loc_, value, shift));
    };
    // While the peak stays so does the sum: what was subtracted where it is infinite was 0.
    Value stays = arith::CmpFOp::create(body, loc_, arith::CmpFPredicate::OEQ, peak, before);
    Value scale = arith::SelectOp::create(body, loc_, stays, one, power(before));
    Value sum =
        arith::AddFOp::create(body, loc_, arith::MulFOp::create(body, loc_, carried[1], scale), power(x));
    return {peak, sum};
  }

  ir::EquationOp equation_;
  ir::ReduceOp sum_;
  mlir::Location loc_;
  Prefix prefix_;
  Value exponent_, counts_;
};

}  // namespace

void ScanExponentialSums(mlir::func::FuncOp function, bool explain) {
  RewriteReductions<ExponentialSum>(function, explain);
}

}  // namespace weft::passes
