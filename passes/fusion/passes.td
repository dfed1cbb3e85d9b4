include "passes/pass.td"

def ComposeEquations : WeftPass<"weft-compose-equations", "mlir::func::FuncOp"> {
  let summary = "Compose epilogues and cheap producers into one equation";
  let description = [{
    Bias, activation and residual join the contraction that makes their operand; a producer that costs less to compute
    again than to store and load goes into its readers. Equations marked `relayout` or `stands_alone` stay as they are.
  }];
}

def GroupEquations : WeftPass<"weft-group-equations", "mlir::func::FuncOp"> {
  let summary = "Decide which equations share a kernel";
  let options = [
    Option<"l2Bytes", "l2-bytes", "int64_t", "1 << 20", "Second-level cache of one core">,
    Option<"threads", "threads", "int64_t", "2", "Threads that a kernel should keep busy">,
    Option<"explain", "explain", "bool", "false", "Keep with equations why they do not share a kernel">,
  ];
}

def BoundMaskedReductions : WeftPass<"weft-bound-masked-reductions", "mlir::func::FuncOp"> {
  let summary = "Let reductions of masked elements end where the mask does";
  let description = [{
    `s[i, j] = ... if j <= i else -inf` of causal attention leaves half of all elements out: its maximum over j, the sum of
    `exp(s[i, j] - peak[i])` and the product of that with values go no further than j = i. Such a reduction gets
    `counted_to`, and `counted_from` where a mask begins later, as maps from the indices of its equation: what lies outside
    is neutral, and a back end may leave it out, or include it. One element at least has to be included, so that rows of
    which all is masked stay what they are.

    A product with what a mask leaves out counts as 0 here, a sum with it as -inf, though the other operand may be infinite or
    NaN.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks which reductions end earlier">];
}

def CopyOutputs : WeftPass<"weft-copy-outputs", "mlir::func::FuncOp"> {
  let summary = "Make every output of a method the result of an equation that is no other output";
  let description = [{
    An input, a weight, a constant or a value that is returned twice is copied by an equation of its own, so that a
    caller's buffers are always written by a kernel.
  }];
}

def BlockRecurrences : WeftPass<"weft-block-recurrences", "mlir::ModuleOp"> {
  let summary = "Compare steps with all earlier ones block by block";
  let description = [{
    `rec keep[i] = f(any(j < i) keep[j] and c(i, j))`, what non-maximum suppression is, compares a step with one earlier
    step after the other. Blocks of 64 steps are compared with all kept steps before the block at once, in vectors, and
    among each other; then only bits remain to be looked at step by step. What c needs of one step alone is computed
    once.
  }];
  let options = [
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">];
}
