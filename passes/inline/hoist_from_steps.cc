#include "compiler/ir/until.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/speculation.h"
#include "passes/inline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_HOISTFROMSTEPS
#include "passes/inline/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Moves out of one loop of steps what is the same in every step.
class StepHoister {
 public:
  explicit StepHoister(ir::LoopOp loop) : loop_(loop), runs_(IsPositive(ExtentsOf(loop)[0])) {}

  void Run() {
    MoveOperations();
    ExtractReductions();
    MoveOperations();
  }

 private:
  void MoveOperations() {
    for (mlir::Operation& op : llvm::make_early_inc_range(loop_.getBody().front().without_terminator()))
      if (MayMove(&op)) op.moveBefore(loop_);
  }

  bool IsInvariant(Value value) {
    mlir::Operation* op = value.getDefiningOp();
    if (!op) op = value.getParentBlock()->getParentOp();
    return op != loop_.getOperation() && !loop_->isProperAncestor(op);
  }

  bool MayMove(mlir::Operation* op) {
    if (!mlir::isMemoryEffectFree(op) ||
        !llvm::all_of(UsedFromOutside(op), [&](Value used) { return IsInvariant(used); }))
      return false;
    return runs_ || IsSpeculatable(op);
  }

  // Reductions in bodies that know nothing of the step become equations, which can move.
  void ExtractReductions() {
    SmallVector<ir::ReduceOp> reductions;
    for (auto equation : loop_.getBody().getOps<ir::EquationOp>())
      equation.walk<mlir::WalkOrder::PreOrder>([&](ir::ReduceOp reduce) {
        if (!IsStepFree(reduce, equation)) return mlir::WalkResult::advance();
        reductions.push_back(reduce);
        return mlir::WalkResult::skip();
      });
    for (ir::ReduceOp reduce : reductions) {
      ir::EquationOp equation = EnclosingEquation(reduce);
      // An equation of its own would be the same equation.
      bool is_whole = equation->getNumResults() == 1 && YieldedValue(equation, 0) == reduce.getResult();
      if (!is_whole) ExtractEquation(reduce.getResult(), equation);
    }
  }

  bool IsStepFree(ir::ReduceOp reduce, ir::EquationOp equation) {
    bool invariant = llvm::all_of(SliceOf(reduce.getResult(), equation), [&](mlir::Operation* op) {
      return llvm::all_of(UsedFromOutside(op), [&](Value used) {
        mlir::Operation* definer = used.getDefiningOp();
        if (!definer) definer = used.getParentBlock()->getParentOp();
        return equation->isAncestor(definer) || IsInvariant(used);
      });
    });
    return invariant && CanExtract(reduce.getResult(), equation) &&
           IsSliceSpeculatable(reduce.getResult(), equation);
  }

  ir::LoopOp loop_;
  bool runs_;  // at least one step
};

struct HoistFromStepsPass : impl::HoistFromStepsBase<HoistFromStepsPass> {
  void runOnOperation() override {
    // Inner loops first: what they give up may leave the loops around them, too.
    getOperation().walk([&](ir::LoopOp loop) {
      if (!loop.isParallel() && !loop->hasAttr(ir::kSide)) StepHoister(loop).Run();
    });
  }
};

}  // namespace
}  // namespace weft::passes
