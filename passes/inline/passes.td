include "passes/pass.td"

def InlineParallel : WeftPass<"weft-inline-parallel", "mlir::func::FuncOp"> {
  let summary = "Turn calls under indices into equations with more indices";
  let description = [{
    A `weft.loop parallel` disappears: its indices go in front of the indices of every equation in it, reads of the
    loop's own values get them as first subscripts, views shift their axes. What does not depend on the loop's indices
    moves out as it is. Inner loops first. Steps that end early are made until the last point has ended; a point that has
    ended keeps its slices, and how many steps it made is a tensor.
  }];
}

def PartitionChoices : WeftPass<"weft-partition-choices", "mlir::func::FuncOp"> {
  let summary = "Compute each element of a list where it is chosen alone";
  let description = [{
    `y[r] = [f(x[r]), g(x[r])][k[r]]` computes f and g for every r as it stands. What is used for one element alone goes
    through its own rows instead: `weft.segments` lists the rows by k, each element has as many as `weft.found` says, and
    y reads the row of the one that it chooses. So do the steps of loops among it, where points end by themselves
    (`weft.ends_by_point`) too, and loops of which each step is a row. Without an index in k, the element and what it alone
    needs is a side (`weft.side`) that runs or does not. Left as they are: elements of less than 16 operations a value,
    lists of which everything takes less than 65536 (16384 without an index).
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def NarrowRanges : WeftPass<"weft-narrow-ranges", "mlir::func::FuncOp"> {
  let summary = "Let the ranges of reductions end where their conditions do";
  let description = [{
    `sum(j where j <= i) x[i, j]` and `max(j) (x[i, j] if j <= i else -inf)` look at all j as they stand. A comparison of an
    index of the reduction with other indices and sizes, which must hold for an element to change anything, becomes a bound of
    the range: what a condition asks for, what `any` does, or what chooses between an element and the value of nothing.
    Where tiles of results share what is read, as in products of matrices, different ends would cost more than they save. What
    is -inf beyond a comparison in an equation of its own, as scores of causal attention are, is left to
    `weft-bound-masked-reductions`.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def ScanPrefixes : WeftPass<"weft-scan-prefixes", "mlir::func::FuncOp"> {
  let summary = "Compute reductions over what lies before an index step by step";
  let description = [{
    `sum(j <= i) x[j]` adds up N*N/2 elements as it stands. A reduction over `0..i`, `0..i + 1`, `i..N` or `i + 1..N`, whose
    elements do not depend on i becomes a `weft.loop` that carries it, in the order in which a plain loop adds: indices as
    i64, sums of f16 and bf16 as f32. `argmax` and `argmin` carry the place, too; these, `first`, `last` and what has an `else`
    under a condition whether there was an element. `logsumexp` carries the peak and the sum, scaled when that rises. One
    with several such ranges is reduced along one after the other. A sum of equal numbers is their number times one.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def SegmentReductions : WeftPass<"weft-segment-reductions", "mlir::func::FuncOp"> {
  let summary = "Walk only the elements whose condition names the index, for every index";
  let description = [{
    `near[n, d] = sum(e where dst[e] == n) msg[e, d]` looks at N*E elements as it stands. A reduction of any kind whose
    condition is, or has in an `and`, equalities between data and indices of the equation walks the elements of its own
    segment alone: `weft.segments` lists them by their keys, so each is looked at once, in the order it had. Several
    equalities make one key; keys outside the indices' ranges are in no segment. `any` and `count` of nothing else are
    lengths of segments, `first` and `last` with `else` a scatter. Sorting the positions of a permutation gives its
    inverse and becomes `weft.segments`, too. Left as they are: fewer than 8 segments, fewer than 16384 pairs.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def HoistFromSteps : WeftPass<"weft-hoist-from-steps", "mlir::func::FuncOp"> {
  let summary = "Compute once what is the same in every step of a loop";
  let description = [{
    What depends neither on the step nor on a state moves out of a `weft.loop`: whole operations, and reductions in
    bodies, which become equations. Where a loop may have no steps, only what reads in range without them.
  }];
}

def NarrowHistories : WeftPass<"weft-narrow-histories", "mlir::func::FuncOp"> {
  let summary = "Keep of a loop's states what is used behind it";
  let description = [{
    A `weft.loop` keeps all slices of every state as it stands. Where only the slice of the step that is run last is
    read, `keep` becomes `last` and the loop needs memory for the window alone; where nothing is, `none`.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}

def UpdateRows : WeftPass<"weft-update-rows", "mlir::func::FuncOp"> {
  let summary = "Compute of a state the slice that changes";
  let description = [{
    `rec s[t, n, d] = (row[t, d] if n == at[t] else s[t-1, n, d])` computes N*D elements a step as it stands, and `next
    s[n, d] = rows[(n - at) % N, d] else s[n, d]` as many a run. Where a condition or a guard says of an index that only one of
    its values counts, or some in a row, perhaps around a ring, what the step or the run decides, the slice there becomes an
    equation of its own, and `weft.update` puts it into the state. States of at most 4096 elements stay.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched">];
}

def OutlineSteps : WeftPass<"weft-outline-steps", "mlir::ModuleOp"> {
  let summary = "Make a function of the body of every loop of steps";
  let description = [{
    A `weft.loop up` or `down` becomes `weft.iterate` of a private function (`weft.step`), which all later passes treat
    like a method. What weights and constants decide is computed again in it, so that it is packed and computed when
    the program is created. Inner loops first.
  }];
}
