#ifndef WEFT_PASSES_INLINE_REWRITE_REDUCTIONS_H_
#define WEFT_PASSES_INLINE_REWRITE_REDUCTIONS_H_

// Rewriting reductions of equations, one after the other.

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/SmallVector.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/analysis/equation.h"

namespace weft::passes {

// Runs `Rewrite` on each reduction that is in the function now, where it matches. With `explain` every
// candidate says whether it does, and why not.
template <typename Rewrite>
void RewriteReductions(mlir::func::FuncOp function, bool explain) {
  llvm::SmallVector<ir::ReduceOp> reduces;
  function.walk([&](ir::ReduceOp reduce) { reduces.push_back(reduce); });
  for (ir::ReduceOp reduce : reduces) {
    ir::EquationOp equation = EnclosingEquation(reduce);
    if (!equation) continue;
    Rewrite rewrite(equation, reduce);
    if (!rewrite.IsCandidate()) continue;
    llvm::StringRef why;
    bool matches = rewrite.Matches(why);
    if (explain) rewrite.Explain(matches, why);
    if (matches) rewrite.Run();
  }
}

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_REWRITE_REDUCTIONS_H_
