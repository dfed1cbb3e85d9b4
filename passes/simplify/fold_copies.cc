#include "passes/analysis/composition.h"
#include "passes/analysis/equation.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_FOLDCOPIES
#include "passes/simplify/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// The read that is all of the equation's body, none of whose subscripts depend on data: a renaming of
// elements.
ir::ReadOp RenamedElement(ir::EquationOp equation) {
  if (equation->getNumResults() != 1) return nullptr;
  auto read = YieldedValue(equation, 0).getDefiningOp<ir::ReadOp>();
  if (!read || read->getBlock() != &equation.getBody().front()) return nullptr;
  for (mlir::Operation& op : equation.getBody().front())
    if (&op != read.getOperation() && (mlir::isa<ir::ReadOp>(op) || op.getNumRegions() != 0)) return nullptr;
  return read;
}

// Whether composing costs the reader no branch.
bool ComposesFreely(ir::ReadOp read, ir::EquationOp copy) {
  if (IsInside(read)) return true;
  if (read.getFill() && RenamedElement(copy).getFill()) return false;
  for (auto [axis, word] : llvm::enumerate(OutsideOf(read)))
    if (word != ir::Outside::inside && !GuardMoves(copy, axis)) return false;
  return true;
}

struct FoldCopiesPass : impl::FoldCopiesBase<FoldCopiesPass> {
  void runOnOperation() override {
    mlir::OpBuilder builder(&getContext());
    for (ir::EquationOp equation :
         llvm::make_early_inc_range(getOperation().getBody().front().getOps<ir::EquationOp>())) {
      if (!RenamedElement(equation)) continue;
      SmallVector<ir::ReadOp> reads;
      for (mlir::Operation* user : equation->getResult(0).getUsers()) {
        auto read = mlir::dyn_cast<ir::ReadOp>(user);
        if (read && ComposesFreely(read, equation)) reads.push_back(read);
      }
      for (ir::ReadOp read : reads) NoteFused(EnclosingEquation(read), equation);
      ComposeReads(builder, reads);
      if (equation->use_empty()) equation->erase();
    }
  }
};

}  // namespace
}  // namespace weft::passes
