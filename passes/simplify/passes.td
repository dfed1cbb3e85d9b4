include "passes/pass.td"

def LowerConcat : WeftPass<"weft-lower-concat", "mlir::func::FuncOp"> {
  let summary = "Write concatenations as equations that choose their source by the index";
}

def FoldViews : WeftPass<"weft-fold-views", "mlir::func::FuncOp"> {
  let summary = "Read through collapsed and expanded shapes";
  let description = [{
    A read of an expanded shape is a read of the source whose subscript combines indices, `x[g*size + c]`: always
    folded. A read of a collapsed shape would divide, so it is folded only where the subscript visibly splits
    (`x2[g*size + c]` with c in 0..size); other views stay what they are, aliases that cost nothing.
  }];
}

def SimplifySubscripts : WeftPass<"weft-simplify-subscripts", "mlir::func::FuncOp"> {
  let summary = "Simplify index arithmetic by the ranges of indices";
  let description = [{
    Divisions, remainders, comparisons, minima and maxima that the ranges of indices decide; indices of unit axes;
    guards of reads that cannot be outside; sizes that are an equation's extent; sums of equal whole numbers; what
    reductions give for nothing, where there is always something or nothing else would come out.
  }];
}

def HoistInvariants : WeftPass<"weft-hoist-invariants", "mlir::func::FuncOp"> {
  let summary = "Compute a reduction once for the indices it depends on";
  let description = [{
    `y[n] = e[n] / sum(m) e[m]` sums once per n as it stands. A reduction in a body that does not depend on all indices
    of the equation becomes an equation over those it depends on; one in another reduction moves out of it.
  }];
}

def FactorSums : WeftPass<"weft-factor-sums", "mlir::func::FuncOp"> {
  let summary = "Multiply what is summed by a factor of its own once, after the sum";
  let description = [{
    `sum(j) (e[i, j] * s[i]) * v[j, k]`, where e is an exponential, is `s[i] * sum(j) e[i, j] * v[j, k]`: what softmax
    divides by in attention. See factor_sums.cc for the rule.
  }];
}

def FoldCopies : WeftPass<"weft-fold-copies", "mlir::func::FuncOp"> {
  let summary = "Compose equations that only rename elements into their readers";
  let description = [{
    The body is one read: a transposition, a slice, padding, a broadcast, a gather. Its readers read the source.
  }];
}

def EliminateCommonEquations : WeftPass<"weft-eliminate-common-equations", "mlir::ModuleOp"> {
  let summary = "Compute equal equations once";
  let description = [{
    Two equations are equal if they have the same extents, types and bodies; names of indices, paths and locations do
    not count. The first one stays. The same within bodies. What a function returns twice then is copied.
  }];
}

def FoldScaling : WeftPass<"weft-fold-scaling", "mlir::func::FuncOp"> {
  let summary = "Fold scaling and shifting by weights into the contraction before it";
  let description = [{
    `a[k] * (sum(c) x[.., c] * w[k, c]) + b[k]`, where a, b and w depend on weights alone, is
    `(sum(c) x[.., c] * (a[k]*w[k, c])) + b[k]`: batch norm behind a convolution. See fold_scaling.cc for the rule.
  }];
}
