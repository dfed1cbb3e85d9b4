include "passes/pass.td"

def InlineParallel : WeftPass<"weft-inline-parallel", "mlir::func::FuncOp"> {
  let summary = "Turn calls under indices into equations with more indices";
  let description = [{
    A `weft.loop parallel` disappears: its indices go in front of the indices of every equation in it, reads of the
    loop's own values get them as first subscripts, views shift their axes. What does not depend on the loop's indices
    moves out as it is. Inner loops first.
  }];
}

def OutlineSteps : WeftPass<"weft-outline-steps", "mlir::ModuleOp"> {
  let summary = "Make a function of the body of every loop of steps";
  let description = [{
    A `weft.loop up` or `down` becomes `weft.iterate` of a private function (`weft.step`), which all later passes treat
    like a method. What weights and constants decide is computed again in it, so that it is packed and computed when
    the program is created. Inner loops first.
  }];
}
