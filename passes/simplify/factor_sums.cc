#include <optional>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/simplify/passes.h"

// The rule. In sum(j) (e[i, j] * s[i]) * v[j, k] the factor s does not depend on j:
//   s[i] * sum(j) e[i, j] * v[j, k]
// multiplies once for each result instead of once for each element, which are not stored a second time. The
// sum of other products may overflow where theirs does not, so e must be an exponential: of softmax, which
// subtracts the largest exponent, it is 1 at most.

namespace weft::passes {

#define GEN_PASS_DEF_FACTORSUMS
#include "passes/simplify/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// a[..] * b[..], all of the body of an equation.
struct Product {
  ir::EquationOp equation;
  ir::ReadOp exponential, factor;
};

bool IsExponential(ir::ReadOp read) {
  ir::EquationOp producer = DefiningEquation(read.getTensor());
  return producer && producer->getNumResults() == 1 &&
         YieldedValue(producer, 0).getDefiningOp<mlir::math::ExpOp>();
}

// By indices of its equation and what stands outside of that alone.
bool IsPlain(ir::ReadOp read, ir::EquationOp equation) {
  return read && IsInside(read) && llvm::all_of(read.getSubscripts(), [&](Value subscript) {
           return mlir::isa<mlir::BlockArgument>(subscript) ||
                  !equation->isAncestor(subscript.getDefiningOp());
         });
}

std::optional<Product> ProductBehind(ir::ReadOp read) {
  ir::EquationOp equation = read ? DefiningEquation(read.getTensor()) : nullptr;
  if (!equation || !IsInside(read) || equation->getNumResults() != 1) return std::nullopt;
  auto product = YieldedValue(equation, 0).getDefiningOp<arith::MulFOp>();
  if (!product) return std::nullopt;
  for (int side : {0, 1}) {
    auto exponential = product->getOperand(side).getDefiningOp<ir::ReadOp>();
    auto factor = product->getOperand(1 - side).getDefiningOp<ir::ReadOp>();
    if (IsPlain(exponential, equation) && IsPlain(factor, equation) && IsExponential(exponential))
      return Product{equation, exponential, factor};
  }
  return std::nullopt;
}

class SumFactoring {
 public:
  explicit SumFactoring(ir::ReduceOp sum) : sum_(sum), equation_(EnclosingEquation(sum)) {}

  bool Matches() {
    if (sum_.getKind() != ir::ReduceKind::sum || !equation_ || sum_.getIfEmpty() ||
        sum_->getBlock() != &equation_.getBody().front())
      return false;
    auto yield = mlir::cast<ir::YieldOp>(sum_.getBody().front().getTerminator());
    auto product = yield.getValues()[0].getDefiningOp<arith::MulFOp>();
    if (!product || yield.getCondition()) return false;
    for (Value operand : product->getOperands()) {
      read_ = operand.getDefiningOp<ir::ReadOp>();
      std::optional<Product> found = ProductBehind(read_);
      // Otherwise the products are stored anyway.
      bool is_only = found && found->equation->hasOneUse() && operand.hasOneUse();
      if (is_only &&
          !llvm::any_of(At(found->factor), [&](Value subscript) { return DependsOnSum(subscript); }))
        return product_ = *found, true;
    }
    return false;
  }

  void Run() {
    mlir::OpBuilder inside(read_);
    ir::ReadOp exponential =
        CreateRead(inside, read_.getLoc(), product_.exponential.getTensor(), At(product_.exponential));
    read_.getResult().replaceAllUsesWith(exponential.getResult());
    read_.erase();
    mlir::OpBuilder behind(equation_.getContext());
    behind.setInsertionPointAfter(sum_);
    ir::ReadOp factor = CreateRead(behind, sum_.getLoc(), product_.factor.getTensor(), At(product_.factor));
    auto whole = arith::MulFOp::create(behind, sum_.getLoc(), sum_.getResult(), factor.getResult());
    sum_.getResult().replaceAllUsesExcept(whole.getResult(), whole);
    NoteFused(equation_, product_.equation);
    product_.equation->erase();
  }

 private:
  // The subscripts of a read of the product's equation where that itself is read.
  SmallVector<Value> At(ir::ReadOp inner) {
    return llvm::map_to_vector(inner.getSubscripts(), [&](Value subscript) -> Value {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(subscript);
      return index ? read_.getSubscripts()[index.getArgNumber()] : subscript;
    });
  }

  bool DependsOnSum(Value subscript) {
    return subscript.getParentRegion() == &sum_.getBody() ||
           llvm::any_of(IndicesOf(subscript), [&](Value index) {
             return mlir::cast<mlir::BlockArgument>(index).getOwner() == &sum_.getBody().front();
           });
  }

  ir::ReduceOp sum_;
  ir::EquationOp equation_;
  ir::ReadOp read_;
  Product product_;
};

struct FactorSumsPass : impl::FactorSumsBase<FactorSumsPass> {
  void runOnOperation() override {
    SmallVector<ir::ReduceOp> sums;
    getOperation().walk([&](ir::ReduceOp reduce) { sums.push_back(reduce); });
    for (ir::ReduceOp sum : sums) {
      SumFactoring factoring(sum);
      if (factoring.Matches()) factoring.Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
