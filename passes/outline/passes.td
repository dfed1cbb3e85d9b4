include "passes/pass.td"

def FuseSteps : WeftPass<"weft-fuse-steps", "mlir::ModuleOp"> {
  let summary = "Make one kernel of a loop whose steps are small";
  let description = [{
    A launch per step costs more than a step of a few thousand operations. The equations of such a step become the body
    of a `weft.loop` in a kernel of class `recurrence`, which is compiled to plain loops.
  }];
}

def OutlineKernels : WeftPass<"weft-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Move groups of equations, sorts and filters into kernels";
}

def DeduplicateKernels : WeftPass<"weft-deduplicate-kernels", "mlir::ModuleOp"> {
  let summary = "Keep one of several equal kernels";
  let description = [{
    Equal: types, bodies and class. Names of kernels and indices, paths and locations do not count; each launch keeps its own path.
  }];
}
