include "mlir/Pass/PassBase.td"

def SplitPrepare : Pass<"weft-split-prepare", "mlir::ModuleOp"> {
  let summary = "Move what depends on weights and constants alone into @prepare";
  let description = [{
    Methods read the results by `weft.prepared`. What several methods need is computed once. A weight or a constant that
    a method reads as it is stays in the method.
  }];
}
