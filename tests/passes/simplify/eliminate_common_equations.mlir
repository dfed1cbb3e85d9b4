// RUN: weft-opt %s -weft-eliminate-common-equations | FileCheck %s
// Names and paths do not make a difference; weights of another path do.
// CHECK-LABEL: func.func @same
func.func @same(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK-DAG: %[[A:.*]] = weft.weight "a"
  // CHECK-DAG: %[[B:.*]] = weft.weight "b"
  %a = weft.weight "a" : tensor<4xf32>
  %again = weft.weight "a" : tensor<4xf32>
  %b = weft.weight "b" : tensor<4xf32>
  // CHECK: %[[P:.*]] = weft.equation
  // CHECK: weft.read %[[A]]
  // CHECK: %[[Q:.*]] = weft.equation
  // CHECK: weft.read %[[B]]
  // CHECK-NOT: weft.equation
  // CHECK: return %[[P]], %[[P]], %[[Q]]
  %p = weft.equation (%i) in (4) names ["i"] attributes {path = "p"} {
    %u = weft.read %x[%i] : tensor<4xf32> -> f32
    %v = weft.read %a[%i] : tensor<4xf32> -> f32
    %w = arith.addf %u, %v : f32
    weft.yield %w : f32
  } : tensor<4xf32>
  %q = weft.equation (%j) in (4) names ["j"] attributes {path = "q"} {
    %u = weft.read %x[%j] : tensor<4xf32> -> f32
    %v = weft.read %again[%j] : tensor<4xf32> -> f32
    %w = arith.addf %u, %v : f32
    weft.yield %w : f32
  } : tensor<4xf32>
  %r = weft.equation (%i) in (4) names ["i"] {
    %u = weft.read %x[%i] : tensor<4xf32> -> f32
    %v = weft.read %b[%i] : tensor<4xf32> -> f32
    %w = arith.addf %u, %v : f32
    weft.yield %w : f32
  } : tensor<4xf32>
  return %p, %q, %r : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
