#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/speculation.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_HOISTINVARIANTS
#include "passes/simplify/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

bool IsUnit(Value index) { return RangeOf(index).IsConstant(); }

// The reductions between `reduce` and the equation, innermost first.
SmallVector<ir::ReduceOp> ReductionsAround(ir::ReduceOp reduce) {
  SmallVector<ir::ReduceOp> around;
  for (mlir::Operation* op = reduce->getParentOp(); op && !mlir::isa<ir::EquationOp>(op);
       op = op->getParentOp())
    if (auto outer = mlir::dyn_cast<ir::ReduceOp>(op)) around.push_back(outer);
  return around;
}

bool IsConditional(ir::ReduceOp reduce) { return !mlir::isa<ir::EquationOp>(reduce->getParentOp()); }

// Whether every index of the domain that the reduction does not depend on has a point.
bool LoopsRun(ir::EquationOp equation, const llvm::SetVector<Value>& used) {
  return llvm::all_of_zip(
      equation.getBody().getArguments(), ExtentsOf(equation),
      [&](Value index, mlir::OpFoldResult extent) { return used.contains(index) || IsPositive(extent); });
}

// Extracts `reduce`, or moves it out of reductions it does not depend on. Returns whether anything changed.
bool Hoist(ir::ReduceOp reduce) {
  ir::EquationOp equation = EnclosingEquation(reduce);
  if (!equation) return false;
  llvm::SetVector<Value> used = IndicesOf(reduce.getResult());
  SmallVector<ir::ReduceOp> around = ReductionsAround(reduce);
  auto depends_on = [&](ir::ReduceOp outer) {
    return llvm::any_of(outer.getBody().getArguments(), [&](Value index) { return used.contains(index); });
  };
  if (llvm::any_of(around, depends_on)) {
    // Inside a reduction it needs: out of those between.
    ir::ReduceOp outermost;
    for (ir::ReduceOp outer : around) {
      if (depends_on(outer)) break;
      outermost = outer;
    }
    if (!outermost || !IsSliceSpeculatable(reduce.getResult(), equation)) return false;
    for (mlir::Operation* op : SliceOf(reduce.getResult(), equation))
      if (outermost->isProperAncestor(op)) op->moveBefore(outermost);
    return true;
  }
  bool invariant = !around.empty();
  for (Value index : equation.getBody().getArguments()) invariant |= !used.contains(index) && !IsUnit(index);
  if (!invariant || !CanExtract(reduce.getResult(), equation)) return false;
  bool safe = IsSliceSpeculatable(reduce.getResult(), equation) ||
              (!IsConditional(reduce) && LoopsRun(equation, used));
  if (!safe) return false;
  ExtractEquation(reduce.getResult(), equation);
  return true;
}

struct HoistInvariantsPass : impl::HoistInvariantsBase<HoistInvariantsPass> {
  void runOnOperation() override {
    // Outer reductions first: what is hoisted with one is looked at again in its new equation.
    bool changed = true;
    while (changed) {
      changed = false;
      SmallVector<ir::ReduceOp> reductions;
      getOperation().walk<mlir::WalkOrder::PreOrder>(
          [&](ir::ReduceOp reduce) { reductions.push_back(reduce); });
      for (ir::ReduceOp reduce : reductions) {
        if (reduce.getResult().use_empty()) continue;
        if (!Hoist(reduce)) continue;
        changed = true;
        break;
      }
    }
  }
};

}  // namespace
}  // namespace weft::passes
