include "passes/pass.td"

def ExtractConstants : WeftPass<"weft-extract-constants", "mlir::func::FuncOp"> {
  let summary = "Give parts of bodies that depend on weights and constants alone an equation of their own";
  let description = [{
    `(x[n, c] - m[c]) * (g[c] / sqrt(v[c] + eps))` computes the same factor for every n. The largest such parts become
    equations over the indices they depend on. A part of indices alone must be worth a table.
  }];
}

def SplitPrepare : WeftPass<"weft-split-prepare", "mlir::ModuleOp"> {
  let summary = "Move what depends on weights and constants alone into @prepare";
  let description = [{
    Methods read the results by `weft.prepared`. What several methods need is computed once. A weight or a constant that
    a method reads as it is stays in the method.
  }];
}
