include "passes/pass.td"

def InlineParallel : WeftPass<"weft-inline-parallel", "mlir::func::FuncOp"> {
  let summary = "Turn calls under indices into equations with more indices";
  let description = [{
    A `weft.loop parallel` disappears: its indices go in front of the indices of every equation in it, reads of the
    loop's own values get them as first subscripts, views shift their axes. What does not depend on the loop's indices
    moves out as it is. Inner loops first.
  }];
}
