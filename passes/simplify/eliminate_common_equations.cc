#include <map>
#include <string>

#include "llvm/ADT/MapVector.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/outputs.h"
#include "passes/analysis/structure.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_ELIMINATECOMMONEQUATIONS
#include "passes/simplify/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// For each result of a function the first one that is the same tensor, or a view of it.
SmallVector<size_t> SameOutputs(mlir::func::FuncOp function) {
  SmallVector<Value> tensors;
  SmallVector<size_t> first;
  for (Value output : function.getBody().front().getTerminator()->getOperands()) {
    tensors.push_back(ViewedValue(output));
    first.push_back(static_cast<size_t>(llvm::find(tensors, tensors.back()) - tensors.begin()));
  }
  return first;
}

// Outputs that were tensors of their own are so again.
void Separate(mlir::func::FuncOp function, llvm::ArrayRef<size_t> before) {
  mlir::Operation* terminator = function.getBody().front().getTerminator();
  mlir::OpBuilder builder(terminator);
  for (auto [output, was, is] : llvm::zip_equal(terminator->getOpOperands(), before, SameOutputs(function)))
    if (was != is) output.set(CreateCopy(builder, terminator->getLoc(), output.get()));
}

struct EliminateCommonEquationsPass : impl::EliminateCommonEquationsBase<EliminateCommonEquationsPass> {
  void runOnOperation() override {
    // Sizes and scalar operations first: equal operands are then one value, as equal text needs.
    llvm::MapVector<mlir::func::FuncOp, SmallVector<size_t>> outputs;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      if (!function.isExternal()) outputs[function] = SameOutputs(function);
    mlir::IRRewriter rewriter(&getContext());
    mlir::DominanceInfo dominance(getOperation());
    mlir::eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    for (auto& [function, before] : outputs) {
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
      Separate(function, before);
    }
  }
};

}  // namespace
}  // namespace weft::passes
