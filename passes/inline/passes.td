include "passes/pass.td"

def InlineParallel : WeftPass<"weft-inline-parallel", "mlir::func::FuncOp"> {
  let summary = "Turn calls under indices into equations with more indices";
  let description = [{
    A `weft.loop parallel` disappears: its indices go in front of the indices of every equation in it, reads of the
    loop's own values get them as first subscripts, views shift their axes. What does not depend on the loop's indices
    moves out as it is. Inner loops first.
  }];
}

def ScanPrefixes : WeftPass<"weft-scan-prefixes", "mlir::func::FuncOp"> {
  let summary = "Compute reductions over what lies before an index step by step";
  let description = [{
    `sum(j <= i) x[j]` adds up N*N/2 elements as it stands. A sum, product, maximum, minimum, any or all over `0..i`,
    `0..i + 1`, `i..N` or `i + 1..N` whose elements do not depend on i becomes a `weft.loop` that carries it, in the
    order in which a plain loop adds.
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
