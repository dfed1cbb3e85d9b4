#ifndef WEFT_COMPILER_IR_SCATTER_OPS_TD_
#define WEFT_COMPILER_IR_SCATTER_OPS_TD_

include "compiler/ir/weft_dialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// Elements that go where data says.

def Weft_SegmentsOp : Weft_Op<"segments", [Pure]> {
  let summary = "The positions of equal keys side by side, and where those of each key start";
  let description = [{
    A counting sort along the last axis. `order` lists the positions of key 0, then those of key 1, and so on, each in
    the order of positions; those of key k begin at `starts[k]` and end before `starts[k + 1]`. Positions of keys that
    no segment has stand behind all.

    C1. Keys are i64, along one axis at least.
    C2. The order has the type of the keys, the starts their shape but for the last axis: one more than the segments.
    C3. `sizes` has one value per run-time size of the results, in the order of results and axes.

        %order, %starts = weft.segments %keys : tensor<100xi64> -> tensor<100xi64>, tensor<11xi64>
  }];
  let arguments = (ins AnyRankedTensor:$keys, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$order, AnyRankedTensor:$starts);
  let assemblyFormat = [{
    $keys (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($keys) `->` type($order) `,` type($starts)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    // The run-time size of an axis of a result; null where it is a number.
    ::mlir::Value getSizeOf(::mlir::Value result, int64_t axis);
  }];
}

def Weft_UpdateOp : Weft_Op<"update", [Pure]> {
  let summary = "A tensor with a part of it replaced";
  let description = [{
    The slice lies at `positions` of the axes `axes` and along all others. Along an axis of `spans` it is longer than one
    element and begins at the position; with the axis in `wraps` it goes on at 0 behind the end, and what is longer than
    the axis is left out. What lies outside of the tensor is left out. In a step of a loop whose state it is, and where
    it is the next value of a state of the program, the slice alone may be written.

    C1. The result has the type of the tensor.
    C2. There is one position, an i64, per axis; axes are in order, and the slice has the others and `spans`.
    C3. `wraps` are in order and in `spans`, which are in order and in `axes`.

        %y = weft.update %x at [0] (%n) with %row : tensor<9x4xf32>, (tensor<i64>), tensor<4xf32> -> tensor<9x4xf32>
        %z = weft.update %x at [0] (%n) with %rows {spans = array<i64: 0>} : tensor<9x4xf32>, (tensor<i64>),
            tensor<2x4xf32> -> tensor<9x4xf32>
  }];
  let arguments = (ins AnyRankedTensor:$tensor, DenseI64ArrayAttr:$axes, Variadic<0DTensorOf<[I64]>>:$positions,
                       AnyRankedTensor:$slice, DefaultValuedOptionalAttr<DenseI64ArrayAttr, "{}">:$spans,
                       DefaultValuedOptionalAttr<DenseI64ArrayAttr, "{}">:$wraps);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $tensor `at` $axes `(` $positions `)` `with` $slice attr-dict `:`
    type($tensor) `,` `(` type($positions) `)` `,` type($slice) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif  // WEFT_COMPILER_IR_SCATTER_OPS_TD_
