#include "passes/math/sign.h"

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/DenseMap.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::Value;
using mlir::ValueRange;

// Whether one of `reduce`'s elements is at `index` of its range number `range`.
bool Reaches(ir::ReduceOp reduce, unsigned range, Value index) {
  IndexRange indices = RangeOf(index);
  Value upper = reduce.getUpper()[range];
  if (indices.lo == IndexRange::kNoLower || RangeOf(reduce.getLower()[range]).hi > indices.lo) return false;
  if (indices.hi != IndexRange::kNoUpper && indices.hi < RangeOf(upper).lo) return true;
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(index);
  if (!argument) return false;
  mlir::Operation* around = argument.getOwner()->getParentOp();
  if (auto other = mlir::dyn_cast<ir::ReduceOp>(around))
    return ProvablyEqual(other.getUpper()[argument.getArgNumber()], upper);
  if (auto equation = mlir::dyn_cast<ir::EquationOp>(around))
    return SameSize(ExtentsOf(equation)[argument.getArgNumber()], mlir::getAsOpFoldResult(upper));
  return false;
}

// Compares what a reduction combines with a value elsewhere: whether that is one of its elements.
class ElementOf {
 public:
  // `indices`: of the equation that `reduce` is in, where its result is read.
  ElementOf(ir::EquationOp equation, ValueRange indices, ir::ReduceOp reduce) : reduce_(reduce) {
    for (auto [argument, index] : llvm::zip(equation.getBody().getArguments(), indices))
      Mark(argument, index);
  }

  bool Is(Value value) {
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    return !yield.getCondition() && Same(yield.getValues()[0], value);
  }

 private:
  void Mark(Value element, Value value) { known_[element] = value; }

  bool Same(Value element, Value value) {
    if (Value known = known_.lookup(element)) return known == value;
    if (element == value) return true;
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(element)) {
      if (argument.getOwner()->getParentOp() != reduce_) return false;
      if (!Reaches(reduce_, argument.getArgNumber(), value)) return false;
      Mark(element, value);
      return true;
    }
    auto result = mlir::dyn_cast<mlir::OpResult>(value);
    if (!result || result.getResultNumber() != mlir::cast<mlir::OpResult>(element).getResultNumber())
      return false;
    using mlir::OperationEquivalence;
    return OperationEquivalence::isEquivalentTo(
        element.getDefiningOp(), value.getDefiningOp(),
        [&](Value a, Value b) { return mlir::success(Same(a, b)); }, [&](Value a, Value b) { Mark(a, b); },
        OperationEquivalence::IgnoreLocations | OperationEquivalence::IgnoreDiscardableAttrs);
  }

  ir::ReduceOp reduce_;
  llvm::DenseMap<Value, Value> known_;
};

// Whether `bound` is the greatest of some numbers among which `value` is.
bool IsGreatestWith(Value bound, Value value) {
  auto read = bound.getDefiningOp<ir::ReadOp>();
  ir::EquationOp equation = read ? DefiningEquation(read.getTensor()) : nullptr;
  if (!equation || !IsInside(read)) return false;
  Value yielded = YieldedValue(equation, mlir::cast<mlir::OpResult>(read.getTensor()).getResultNumber());
  auto reduce = yielded.getDefiningOp<ir::ReduceOp>();
  return reduce && reduce.getKind() == ir::ReduceKind::max &&
         ElementOf(equation, read.getSubscripts(), reduce).Is(value);
}

// Whether `op` has the sign of the product of its operands' signs. A quotient by 0, which may be -0, has not.
bool MultipliesSigns(mlir::Operation* op) {
  llvm::APFloat divisor(0.0);
  return mlir::isa<arith::MulFOp>(op) ||
         (mlir::isa<arith::DivFOp>(op) &&
          mlir::matchPattern(op->getOperand(1), mlir::m_ConstantFloat(&divisor)) && divisor.isNonZero());
}

bool IsNeverNegative(Value value) {
  llvm::APFloat number(0.0);
  if (mlir::matchPattern(value, mlir::m_ConstantFloat(&number))) return !number.isNegative();
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return false;
  if (mlir::isa<mlir::math::AbsFOp>(op)) return true;
  if (mlir::isa<arith::NegFOp>(op)) return IsNeverPositive(op->getOperand(0));
  if (!MultipliesSigns(op)) return false;
  Value a = op->getOperand(0), b = op->getOperand(1);
  return (mlir::isa<arith::MulFOp>(op) && a == b) || (IsNeverNegative(a) && IsNeverNegative(b)) ||
         (IsNeverPositive(a) && IsNeverPositive(b));
}

}  // namespace

bool IsNeverPositive(Value value) {
  llvm::APFloat number(0.0);
  if (mlir::matchPattern(value, mlir::m_ConstantFloat(&number)))
    return number.isNegative() || number.isZero();
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return false;
  if (mlir::isa<arith::NegFOp>(op)) return IsNeverNegative(op->getOperand(0));
  if (mlir::isa<arith::ExtFOp>(op)) return IsNeverPositive(op->getOperand(0));
  if (op->getNumOperands() != 2) return false;
  Value a = op->getOperand(0), b = op->getOperand(1);
  if (mlir::isa<arith::MinimumFOp>(op)) return IsNeverPositive(a) || IsNeverPositive(b);
  if (mlir::isa<arith::SubFOp>(op)) return IsGreatestWith(b, a);
  if (!MultipliesSigns(op)) return false;
  return (IsNeverPositive(a) && IsNeverNegative(b)) || (IsNeverNegative(a) && IsNeverPositive(b));
}

}  // namespace weft::passes
