// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-pack-weights{vector-bytes=32 vector-registers=16}))' -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// What schedules say of the order of weights: `w` in blocks of 4 columns, the default being 16; of `v`, which is no
// operand, and of `x`, which is known too late, the reason is kept for the report.
module attributes {weft.packing = {y = [
    {operand = "w", indices = ["j", "k", "j"], divisors = array<i64: 4, 1, 1>, moduli = array<i64: 0, 0, 4>},
    {operand = "v", indices = ["j"], divisors = array<i64: 1>, moduli = array<i64: 0>},
    {operand = "x", indices = ["i", "k"], divisors = array<i64: 1, 1>, moduli = array<i64: 0, 0>}]}} {

// CHECK-LABEL: func.func @product
// CHECK-SAME: weft.packed = {y = [{divisors = array<i64: 4, 1, 1>, indices = ["j", "k", "j"], moduli = array<i64: 0, 0, 4>, operand = "w"}]}
// CHECK-SAME: weft.packing_problems = {y = [{known = ["x", "w"], missing = "v", operand = "v", place = -1 : i64, text = "`y` reads no `v`"}
// CHECK-SAME: operand = "x", place = -1 : i64, text = "`x` is known only when a program runs
// CHECK: %[[P:.*]] = weft.equation (%[[B:.*]], %[[K:.*]], %[[L:.*]]) in (5, 32, 4) names ["block", "i0", "lane"] attributes {path = "y.packed"}
// CHECK: arith.minui
// CHECK: weft.read %{{.*}}[%[[K]], %{{.*}}] : tensor<32x18xf32>
// CHECK: arith.select
// CHECK: attributes {packed = {axis = 1 : i64, block = 4 : i64}, path = "y"}
// CHECK: weft.read %[[P]][%{{.*}}, %{{.*}}, %{{.*}}] : tensor<5x32x4xf32>
func.func @product(%x: tensor<64x32xf32>) -> tensor<64x18xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 32 : index
  %w = weft.weight "w" : tensor<32x18xf32>
  %y = weft.equation (%i, %j) in (64, 18) names ["i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<64x32xf32> -> f32 loc(fused<"x">["a.weft":1:1])
      %b = weft.read %w[%k, %j] : tensor<32x18xf32> -> f32 loc(fused<"w">["a.weft":1:9])
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x18xf32>
  return %y : tensor<64x18xf32>
}
}
