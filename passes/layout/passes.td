include "passes/pass.td"

def ChooseLayout : WeftPass<"weft-choose-layout", "mlir::func::FuncOp"> {
  let summary = "Put the axis that contractions walk innermost";
  let description = [{
    Results of equations are permuted so that channels are the last axis (NCHW becomes NHWC): the axis of a
    contraction's result that only its weights have, and the axis that the next contraction sums over. Inputs and
    outputs of methods keep their declared order; what is returned is made in the better order and copied (`y.permuted`,
    marked `relayout`) if it is much work and would have no vectors in the declared one: the sum goes along what lies
    densely, or a window slides along the last axis. An input that such a window slides over is read from a copy with
    its channels innermost, marked likewise; so is an input of which data gives the places that are summed over, with
    the axis beside those places innermost, if every element is read several times.
  }];
}

def PackWeights : WeftPass<"weft-pack-weights", "mlir::func::FuncOp"> {
  let summary = "Block the weights of contractions for the kernel that reads them";
  let description = [{
    The weights of a contraction are laid out as `[others...][columns / block][taps...][channels][block]`, zero behind
    the last column, `others` being indices beside the column that choose among the weights (the gates of a recurrent
    cell, the groups of a convolution), by an equation of weights alone (so it runs when a program is created). The contraction reads them through
    `divui` and `remui` by the block. Other operands of weights alone are permuted to the order of the loops. What the
    module's `weft.packing` says of an operand, from `pack` in schedules, holds in place of that; `weft.packed` of a function
    keeps by path what was done, `weft.packing_problems` why something was not.
  }];
  let options = [
    Option<"vectorBytes", "vector-bytes", "int64_t", "64", "Width of a vector register">,
    Option<"vectorRegisters", "vector-registers", "int64_t", "32", "Number of vector registers">,
  ];
}
