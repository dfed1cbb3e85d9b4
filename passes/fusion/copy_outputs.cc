#include "compiler/ir/scatter_ops.h"
#include "passes/analysis/outputs.h"
#include "passes/fusion/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_COPYOUTPUTS
#include "passes/fusion/passes.h.inc"

namespace {

using mlir::Value;

struct CopyOutputsPass : impl::CopyOutputsBase<CopyOutputsPass> {
  void runOnOperation() override {
    mlir::Operation* terminator = getOperation().getBody().front().getTerminator();
    mlir::OpBuilder builder(terminator);
    llvm::DenseSet<Value> returned;
    for (mlir::OpOperand& output : terminator->getOpOperands()) {
      Value source = ViewedValue(output.get());
      mlir::Operation* definer = source.getDefiningOp();
      bool is_computed = definer && mlir::isa<ir::EquationOp, ir::IterateOp, ir::UpdateOp>(definer);
      if (is_computed && returned.insert(source).second) continue;
      output.set(CreateCopy(builder, terminator->getLoc(), output.get()));
    }
  }
};

}  // namespace
}  // namespace weft::passes
