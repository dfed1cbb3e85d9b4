// RUN: weft-opt %s -weft-deduplicate-kernels | FileCheck %s
// Equal but for names, paths and locations: one kernel. Another type or constant: another kernel.
// CHECK: weft.launch @a(%{{.*}}) {path = "first"}
// CHECK: weft.launch @a(%{{.*}}) {path = "second"}
// CHECK: weft.launch @c(
// CHECK: weft.kernel @a
// CHECK-NOT: weft.kernel @b
// CHECK: weft.kernel @c
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = weft.launch @a(%x) {path = "first"} : (tensor<4xf32>) -> tensor<4xf32>
    %1 = weft.launch @b(%0) {path = "second"} : (tensor<4xf32>) -> tensor<4xf32>
    %2 = weft.launch @c(%1) : (tensor<4xf32>) -> tensor<4xf32>
    return %2 : tensor<4xf32>
  }
  weft.kernel @a {path = "first"} (%x: tensor<4xf32>) -> (tensor<4xf32>) {
    %k = arith.constant 2.0 : f32
    %y = weft.equation (%i) in (4) names ["i"] {
      %a = weft.read %x[%i] : tensor<4xf32> -> f32
      %b = arith.mulf %a, %k : f32
      weft.yield %b : f32
    } : tensor<4xf32>
    weft.return %y : tensor<4xf32>
  }
  weft.kernel @b {path = "second"} (%x: tensor<4xf32>) -> (tensor<4xf32>) {
    %k = arith.constant 2.0 : f32
    %y = weft.equation (%other) in (4) names ["other"] {
      %a = weft.read %x[%other] : tensor<4xf32> -> f32
      %b = arith.mulf %a, %k : f32
      weft.yield %b : f32
    } : tensor<4xf32>
    weft.return %y : tensor<4xf32>
  }
  weft.kernel @c (%x: tensor<4xf32>) -> (tensor<4xf32>) {
    %k = arith.constant 3.0 : f32
    %y = weft.equation (%i) in (4) names ["i"] {
      %a = weft.read %x[%i] : tensor<4xf32> -> f32
      %b = arith.mulf %a, %k : f32
      weft.yield %b : f32
    } : tensor<4xf32>
    weft.return %y : tensor<4xf32>
  }
}
