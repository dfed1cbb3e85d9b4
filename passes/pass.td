#ifndef WEFT_PASSES_PASS_TD_
#define WEFT_PASSES_PASS_TD_

include "mlir/Pass/PassBase.td"

// Every pass may write index arithmetic, sizes and branches.
class WeftPass<string name, string operation> : Pass<name, operation> {
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::weft::ir::WeftDialect"];
}

#endif  // WEFT_PASSES_PASS_TD_
