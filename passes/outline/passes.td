include "passes/pass.td"

def OutlineKernels : WeftPass<"weft-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Move groups of equations, sorts and filters into kernels";
}

def DeduplicateKernels : WeftPass<"weft-deduplicate-kernels", "mlir::ModuleOp"> {
  let summary = "Keep one of several equal kernels";
  let description = [{
    Equal: types, bodies and class. Names of kernels and indices, paths and locations do not count; each launch keeps its own path.
  }];
}
