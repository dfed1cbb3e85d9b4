#include <map>
#include <string>

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/structure.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_ELIMINATECOMMONEQUATIONS
#include "passes/simplify/passes.h.inc"

namespace {

struct EliminateCommonEquationsPass : impl::EliminateCommonEquationsBase<EliminateCommonEquationsPass> {
  void runOnOperation() override {
    // Sizes and scalar operations first: equal operands are then one value, as equal text needs.
    mlir::IRRewriter rewriter(&getContext());
    mlir::DominanceInfo dominance(getOperation());
    mlir::eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    for (auto function : getOperation().getOps<mlir::func::FuncOp>()) {
      if (function.isExternal()) continue;
      std::map<std::string, mlir::Operation*> first;
      for (mlir::Operation& op :
           llvm::make_early_inc_range(function.getBody().front().without_terminator())) {
        if (!mlir::isMemoryEffectFree(&op) || op.getNumResults() == 0) continue;
        auto [found, inserted] = first.try_emplace(StructureOf(&op), &op);
        if (inserted) continue;
        if (auto equation = mlir::dyn_cast<ir::EquationOp>(op))
          NoteFused(mlir::cast<ir::EquationOp>(found->second), equation);
        op.replaceAllUsesWith(found->second->getResults());
        op.erase();
      }
    }
  }
};

}  // namespace
}  // namespace weft::passes
