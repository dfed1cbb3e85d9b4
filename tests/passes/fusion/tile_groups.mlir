// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-transform-convolutions{tolerance=1e-4},weft-group-equations{l2-bytes=2097152 threads=2}))' | FileCheck %s
// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-transform-convolutions{tolerance=1e-4},weft-group-equations{l2-bytes=262144 threads=2}))' | FileCheck %s --check-prefix=SMALL

// Where the transformed weights stay in the cache beside some tiles, what is between the input and the results does too.
// In a small cache the products go by themselves; rows of a tile and the tile are always computed together.
// CHECK-LABEL: func.func @convolution
// CHECK: path = "y.filters"
// CHECK: common = array<i64: 0, 1>, group = [[GROUP:[0-9]+]] : i64, path = "y.rows"
// CHECK: common = array<i64: 0, 1>, group = [[GROUP]] : i64, path = "y.tiles"
// CHECK: common = array<i64: 0, 1>, group = [[GROUP]] : i64, path = "y.products"
// CHECK: common = array<i64: 0, 1>, group = [[GROUP]] : i64, path = "y", stands_alone
// What reads the result has a kernel of its own.
// CHECK-NOT: common
// CHECK: path = "z"
// SMALL-LABEL: func.func @convolution
// SMALL: common = array<i64: 0, 1>, group = [[GROUP:[0-9]+]] : i64, path = "y.rows"
// SMALL: common = array<i64: 0, 1>, group = [[GROUP]] : i64, path = "y.tiles"
// SMALL-NOT: common
// SMALL: path = "y.products"
func.func @convolution(%x: tensor<66x66x64xf32>) -> tensor<64x64x64xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %w = weft.weight "w" : tensor<3x3x64x64xf32>
  %y = weft.equation (%i, %j, %k) in (64, 64, 64) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c64) names ["r", "s", "c"] {
      %i1 = arith.addi %i, %r : index
      %j1 = arith.addi %j, %t : index
      %p = weft.read %x[%i1, %j1, %c] : tensor<66x66x64xf32> -> f32
      %q = weft.read %w[%r, %t, %c, %k] : tensor<3x3x64x64xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64x64xf32>
  %z = weft.equation (%i, %j, %k) in (64, 64, 64) names ["i", "j", "k"] attributes {path = "z"} {
    %p = weft.read %y[%i, %j, %k] : tensor<64x64x64xf32> -> f32
    %e = math.exp %p : f32
    weft.yield %e : f32
  } : tensor<64x64x64xf32>
  return %z : tensor<64x64x64xf32>
}
