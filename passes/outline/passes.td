include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"weft-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Move groups of equations into kernels";
}

def DeduplicateKernels : Pass<"weft-deduplicate-kernels", "mlir::ModuleOp"> {
  let summary = "Keep one of several equal kernels";
  let description = [{
    Equal: types, bodies and class. Names of kernels and indices, paths and locations do not count; each launch keeps its own path.
  }];
}
