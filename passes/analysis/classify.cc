#include "passes/analysis/classify.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {
namespace {

using mlir::Value;
namespace arith = mlir::arith;

// The read behind widening casts.
ir::ReadOp ReadBehindCasts(Value value) {
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (auto read = mlir::dyn_cast<ir::ReadOp>(op)) return read;
    if (!mlir::isa<arith::ExtFOp, arith::SIToFPOp, arith::UIToFPOp, arith::ExtSIOp, arith::ExtUIOp>(op))
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

bool IsUnit(Value index) { return RangeOf(index).IsConstant(); }

// Indices of the equation's domain, without those of unit axes.
llvm::SetVector<Value> DomainIndices(ir::EquationOp equation, Value value) {
  llvm::SetVector<Value> indices;
  for (Value index : IndicesOf(value))
    if (mlir::cast<mlir::BlockArgument>(index).getOwner() == &equation.getBody().front() && !IsUnit(index))
      indices.insert(index);
  return indices;
}

bool HasLoadTimeRead(Value value) {
  ir::ReadOp read = ReadBehindCasts(value);
  return read && IsLoadTime(read.getTensor());
}

// Whether some subscript mixes an index of the domain with one of the reduction: `x[i + r]`.
bool Slides(ir::EquationOp equation, ir::ReduceOp reduce) {
  bool slides = false;
  reduce.getBody().walk([&](ir::ReadOp read) {
    for (Value subscript : read.getSubscripts()) {
      bool domain = false, reduced = false;
      for (Value index : IndicesOf(subscript)) {
        if (IsUnit(index)) continue;
        mlir::Block* owner = mlir::cast<mlir::BlockArgument>(index).getOwner();
        domain |= owner == &equation.getBody().front();
        reduced |= owner == &reduce.getBody().front();
      }
      slides |= domain && reduced;
    }
  });
  return slides;
}

}  // namespace

mlir::BlockArgument DensestOf(const llvm::SetVector<mlir::Value>& indices, ir::EquationOp equation) {
  constexpr int64_t kVector = 16;
  mlir::BlockArgument longest;
  int64_t most = -1;
  for (mlir::Value value : llvm::reverse(indices)) {
    auto index = mlir::cast<mlir::BlockArgument>(value);
    int64_t extent = equation.getStaticExtents()[index.getArgNumber()];
    if (mlir::ShapedType::isDynamic(extent) || extent >= kVector) return index;
    if (extent > most) longest = index, most = extent;
  }
  return longest;
}

bool IsLoadTime(Value tensor) {
  llvm::SmallVector<Value> todo = {tensor};
  llvm::DenseSet<Value> seen;
  while (!todo.empty()) {
    Value next = todo.pop_back_val();
    if (!seen.insert(next).second) continue;
    mlir::Operation* op = next.getDefiningOp();
    if (!op || mlir::isa<ir::LaunchOp, ir::LoopOp, ir::ExternOp>(op)) return false;
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op); weight && weight.getChanges()) return false;
    llvm::append_range(todo, UsedFromOutside(op));
  }
  return true;
}

std::optional<Contraction> MatchSumOfProducts(ir::EquationOp equation) {
  if (equation->getNumResults() != 1) return std::nullopt;
  ir::ReduceOp only;
  int count = 0;
  equation.getBody().walk([&](ir::ReduceOp reduce) {
    ++count;
    only = reduce;
  });
  if (count != 1 || only.getKind() != ir::ReduceKind::sum || EnclosingEquation(only) != equation ||
      only->getBlock() != &equation.getBody().front())
    return std::nullopt;
  auto yield = mlir::cast<ir::YieldOp>(only.getBody().front().getTerminator());
  if (yield.getCondition()) return std::nullopt;
  Value summand = yield.getValues()[0];
  while (summand.getDefiningOp<arith::ExtFOp>()) summand = summand.getDefiningOp()->getOperand(0);
  auto product = summand.getDefiningOp<arith::MulFOp>();
  if (!product) return std::nullopt;

  Contraction found;
  found.reduce = only;
  found.data_factor = product.getLhs();
  found.weight_factor = product.getRhs();
  if (HasLoadTimeRead(found.data_factor) && !HasLoadTimeRead(found.weight_factor))
    std::swap(found.data_factor, found.weight_factor);
  found.data = ReadBehindCasts(found.data_factor);
  found.weights = ReadBehindCasts(found.weight_factor);
  llvm::SetVector<Value> first = DomainIndices(equation, found.data_factor);
  llvm::SetVector<Value> second = DomainIndices(equation, found.weight_factor);
  for (Value index : equation.getBody().getArguments()) {
    if (first.contains(index) && second.contains(index)) found.batch.insert(index);
    if (first.contains(index) && !second.contains(index)) found.rows.insert(index);
    if (!first.contains(index) && second.contains(index)) found.columns.insert(index);
  }
  return found;
}

std::optional<Contraction> MatchContraction(ir::EquationOp equation) {
  std::optional<Contraction> found = MatchSumOfProducts(equation);
  if (!found) return std::nullopt;
  // A factor that is used for one result alone is no contraction but a row reduction or a window.
  if (found->columns.empty() || (found->rows.empty() && !found->batch.empty())) return std::nullopt;
  if (PointCount(found->reduce) && *PointCount(found->reduce) <= 1) return std::nullopt;
  return found;
}

bool DependsOnRead(Value value, mlir::Operation* within) {
  llvm::SetVector<Value> todo;
  todo.insert(value);
  for (size_t i = 0; i < todo.size(); ++i) {
    mlir::Operation* definer = todo[i].getDefiningOp();
    if (!definer || !within->isProperAncestor(definer)) continue;
    if (mlir::isa<ir::ReadOp>(definer)) return true;
    todo.insert_range(UsedFromOutside(definer));
  }
  return false;
}

llvm::StringRef ClassOf(ir::EquationOp equation) {
  if (MatchContraction(equation)) return "contraction";
  if (HasReduction(equation)) {
    bool slides = false;
    equation.getBody().walk([&](ir::ReduceOp reduce) { slides |= Slides(equation, reduce); });
    return slides ? "depthwise" : "row_reduction";
  }
  bool gathers = false, computes = false;
  equation.getBody().walk([&](mlir::Operation* op) {
    if (auto read = mlir::dyn_cast<ir::ReadOp>(op))
      for (Value subscript : read.getSubscripts()) gathers |= DependsOnRead(subscript, equation);
    computes |= CostOf(op) > 0;
  });
  if (gathers) return "gather";
  return computes ? "pointwise" : "copy";
}

llvm::StringRef ClassOf(llvm::ArrayRef<ir::EquationOp> equations) {
  if (equations.size() == 1) return ClassOf(equations.front());
  bool contraction = false, row = false, window = false, gather = false, pointwise = false;
  for (ir::EquationOp equation : equations) {
    llvm::StringRef name = ClassOf(equation);
    contraction |= name == "contraction";
    row |= name == "row_reduction";
    window |= name == "depthwise";
    gather |= name == "gather";
    pointwise |= name == "pointwise";
  }
  if (contraction) return row ? "attention" : "contraction";
  if (window) return "depthwise";
  if (row) return "row_reduction";
  if (gather) return "gather";
  return pointwise ? "pointwise" : "copy";
}

}  // namespace weft::passes
