#include "passes/analysis/body.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {

using mlir::Value;
namespace arith = mlir::arith;
namespace math = mlir::math;

llvm::SetVector<Value> UsedFromOutside(mlir::Operation* op) {
  llvm::SetVector<Value> used;
  op->walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation* inner) {
    for (Value operand : inner->getOperands()) {
      mlir::Operation* definer = operand.getDefiningOp();
      if (!definer) definer = operand.getParentBlock()->getParentOp();
      if (definer && op->isAncestor(definer)) continue;
      used.insert(operand);
    }
  });
  return used;
}

llvm::SetVector<Value> IndicesOf(Value value) {
  llvm::SetVector<Value> indices;
  llvm::SmallVector<Value> todo = {value};
  llvm::DenseSet<Value> seen;
  while (!todo.empty()) {
    Value next = todo.pop_back_val();
    if (!seen.insert(next).second) continue;
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(next)) {
      if (mlir::isa<ir::EquationOp, ir::ReduceOp, ir::LoopOp>(argument.getOwner()->getParentOp()))
        indices.insert(argument);
      continue;
    }
    mlir::Operation* op = next.getDefiningOp();
    if (mlir::isa<ir::EquationOp, ir::LoopOp>(op)) continue;  // a tensor: its own indices are not ours
    llvm::append_range(todo, UsedFromOutside(op));
  }
  return indices;
}

std::optional<int64_t> PointCount(ir::EquationOp equation) {
  int64_t points = 1;
  for (int64_t extent : equation.getStaticExtents()) {
    if (mlir::ShapedType::isDynamic(extent)) return std::nullopt;
    points *= extent;
  }
  return points;
}

namespace {

std::optional<int64_t> Constant(Value value) { return mlir::getConstantIntValue(value); }

std::optional<int64_t> Steps(ir::ReduceOp reduce, KnownNumber number) {
  int64_t points = 1;
  for (auto [lower, upper] : llvm::zip_equal(reduce.getLower(), reduce.getUpper())) {
    auto from = number(lower), to = number(upper);
    if (!from || !to) return std::nullopt;
    points *= std::max<int64_t>(0, *to - *from);
  }
  return points;
}

// Beside an addition, on vector units: measured ratios, rounded.
bool IsArithmetic(mlir::Operation* op) {
  if (op->getNumResults() != 1 || mlir::isa<arith::ConstantOp, arith::SelectOp>(op)) return false;
  if (mlir::isa<math::MathDialect>(op->getDialect())) return true;
  if (!mlir::isa<arith::ArithDialect>(op->getDialect())) return false;
  // Index arithmetic is hoisted, or goes into addresses.
  return mlir::isa<arith::CmpFOp>(op) || mlir::isa<mlir::FloatType>(op->getResult(0).getType());
}

double CostOfOne(mlir::Operation* op) {
  if (mlir::isa<ir::RandomOp>(op)) return 60;
  if (mlir::isa<arith::SelectOp>(op) && mlir::isa<mlir::FloatType>(op->getResult(0).getType())) return 1;
  if (!IsArithmetic(op)) return 0;
  if (mlir::isa<arith::DivFOp, math::SqrtOp, math::RsqrtOp>(op)) return 6;
  if (mlir::isa<math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp, math::AbsFOp>(op)) return 1;
  return mlir::isa<math::MathDialect>(op->getDialect()) ? 20 : 1;
}

double CountOfOne(mlir::Operation* op) {
  bool converts =
      mlir::isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::UIToFPOp, arith::BitcastOp>(op);
  if (!IsArithmetic(op) || converts) return 0;
  return mlir::isa<math::FmaOp>(op) ? 2 : 1;
}

// Over `op` and everything in it, each step of a reduction with what joins it to the others.
double Total(mlir::Operation* op, double unknown, KnownNumber number, double (*of)(mlir::Operation*)) {
  double inner = 0;
  for (mlir::Region& region : op->getRegions())
    for (mlir::Operation& child : region.getOps()) inner += Total(&child, unknown, number, of);
  auto reduce = mlir::dyn_cast<ir::ReduceOp>(op);
  if (!reduce) return inner + of(op);
  std::optional<int64_t> points = Steps(reduce, number);
  return (inner + 1) * (points ? static_cast<double>(*points) : unknown);
}

}  // namespace

std::optional<int64_t> PointCount(ir::ReduceOp reduce) { return Steps(reduce, Constant); }

double CostOf(mlir::Operation* op, double unknown) { return Total(op, unknown, Constant, CostOfOne); }

double CostPerPoint(ir::EquationOp equation, double unknown) {
  double cost = 0;
  for (mlir::Operation& op : equation.getBody().front()) cost += CostOf(&op, unknown);
  return cost;
}

namespace {

// Whether the place of the result says which operand of `select` is taken.
bool IsChosenByPlace(arith::SelectOp select) {
  auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
  return compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
         compare.getLhs().getType().isIndex();
}

// Counts what the body computes for one point: of values among which the place chooses, the one that takes
// most.
class PointCounter {
 public:
  PointCounter(mlir::Block& body, KnownNumber number) : body_(body), number_(number) {}

  double Count() {
    llvm::SetVector<mlir::Operation*> todo;
    todo.insert(body_.getTerminator());
    double flops = 0;
    for (size_t i = 0; i < todo.size(); ++i) {
      flops += Total(todo[i], 1, number_, CountOfOne);
      for (mlir::Operation* used : UsedBy(todo[i])) todo.insert(used);
    }
    return flops;
  }

 private:
  llvm::SmallVector<mlir::Operation*> UsedBy(mlir::Operation* op) {
    llvm::SmallVector<mlir::Operation*> used;
    auto add = [&](Value value) {
      mlir::Operation* definer = value.getDefiningOp();
      if (definer && definer->getBlock() == &body_) used.push_back(definer);
    };
    if (auto select = mlir::dyn_cast<arith::SelectOp>(op); select && IsChosenByPlace(select)) {
      bool first = Weight(select.getTrueValue()) >= Weight(select.getFalseValue());
      add(first ? select.getTrueValue() : select.getFalseValue());
    } else {
      for (Value value : UsedFromOutside(op)) add(value);
    }
    return used;
  }

  // With everything that it is computed from, as often as that is used.
  double Weight(Value value) {
    mlir::Operation* definer = value.getDefiningOp();
    if (!definer || definer->getBlock() != &body_) return 0;
    auto [known, is_new] = weights_.try_emplace(definer, 0);
    if (!is_new) return known->second;
    double weight = Total(definer, 1, number_, CountOfOne);
    for (mlir::Operation* used : UsedBy(definer)) weight += Weight(used->getResult(0));
    return weights_[definer] = weight;
  }

  mlir::Block& body_;
  KnownNumber number_;
  llvm::DenseMap<mlir::Operation*, double> weights_;
};

}  // namespace

double FlopsPerPoint(ir::EquationOp equation, KnownNumber number) {
  return PointCounter(equation.getBody().front(), number).Count();
}

void CollectConjuncts(Value condition, llvm::SetVector<Value>& conjuncts) {
  if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
    CollectConjuncts(both.getLhs(), conjuncts);
    CollectConjuncts(both.getRhs(), conjuncts);
  } else {
    conjuncts.insert(condition);
  }
}

bool HasReduction(ir::EquationOp equation) {
  return equation.getBody().walk([](ir::ReduceOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
}

int64_t ElementBytes(mlir::Type element) {
  if (element.isIndex()) return 8;
  return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

std::optional<int64_t> BytesOf(mlir::Type tensor) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor);
  if (!type.hasStaticShape()) return std::nullopt;
  return type.getNumElements() * ElementBytes(type.getElementType());
}

}  // namespace weft::passes
