include "passes/pass.td"

def TransformConvolutions : WeftPass<"weft-transform-convolutions", "mlir::func::FuncOp"> {
  let summary = "Compute 3x3 convolutions by minimal filtering where a tolerance allows it";
  let description = [{
    A tile of m x m results of a 3x3 convolution with stride 1 takes (m+2)*(m+2) products a channel instead of 9*m*m
    (Winograd, 1980; Lavin and Gray, 2016): tiles of the input and the weights are transformed, multiplied element by
    element, which over all channels are matrix products, and the results transformed back:

        y.rows[n, u, v, j, a, c]  = sum(i) B[a, i] * x[n, c, m*u + i - pad, m*v + j - pad]
        y.tiles[n, u, v, a, b, c] = sum(j) B[b, j] * y.rows[n, u, v, j, a, c]
        y.filters[a, b, k, c]     = sum(r, s) G[a, r] * G[b, s] * w[k, c, r, s]        (when a program is created)
        y.products[n, u, v, a, b, k] = sum(c) y.tiles[n, u, v, a, b, c] * y.filters[a, b, k, c]
        y[n, k, i, j] = sum(a, b) A[i % m, a] * A[j % m, b] * y.products[n, i div m, j div m, a, b, k]

    with the epilogue of the convolution around the last sum. The small sums over the matrices are written out. Where the
    weights stay in the cache beside some tiles, `group-equations` makes one kernel of all but the weights, and its schedule
    computes some tiles of a row at a time; elsewhere tiles, products and results are kernels of their own.

    The results are rounded more coarsely than those of the direct sum, so this is done only where a tolerance is declared,
    in a `schedule` block or by `--tolerance`: of the filters whose error, relative to the largest result of the
    convolution, stays within it the one is taken that an estimate of arithmetic and memory says is fastest, if that is
    faster than the direct sum. A convolution of which a schedule says how its weights lie (`pack`) stays as it is.

    The error grows with the root of the number of channels C. What the pass takes for it, and the largest at C = 512 over
    inputs and weights of several distributions (`tests/programs/winograd.py --table`):

    | m | estimate         | measured |
    |---|------------------|----------|
    | 2 | 1.5e-7 * sqrt(C) | 1.7e-6   |
    | 4 | 2.1e-6 * sqrt(C) | 1.6e-5   |

    A NaN or an infinity in the input makes all results of the tiles that it is read for NaN, not only those that the filter
    reaches. The transformed weights take (m+2)*(m+2)/9 of the memory.
  }];
  let options = [
    Option<"tolerance", "tolerance", "double", "0", "For convolutions to which the module's `weft.tolerances` give none">,
    Option<"vectorBytes", "vector-bytes", "int64_t", "64", "Width of a vector register">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "1 << 20", "Second-level cache of one core">,
    Option<"explain", "explain", "bool", "false", "Say in remarks what was matched and what was not">,
  ];
}
