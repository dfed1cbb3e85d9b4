// RUN: weft-opt %s -weft-eliminate-common-equations | FileCheck %s
// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-copy-outputs),weft-eliminate-common-equations)' | FileCheck %s --check-prefix=COPIES
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
  // What was returned as two tensors stays two.
  // CHECK: %[[R:.*]] = weft.equation
  // CHECK-NEXT: weft.read %[[P]]
  // CHECK-NOT: weft.equation
  // CHECK: return %[[P]], %[[R]], %[[Q]]
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

// Copies of what is returned twice are equal, and all needed.
// CHECK-LABEL: func.func @copies
// CHECK: return %[[X:.*]], %[[X]]
// COPIES-LABEL: func.func @copies
// COPIES: %[[A:.*]] = weft.equation
// COPIES: %[[B:.*]] = weft.equation
// COPIES: return %[[A]], %[[B]]
func.func @copies(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}
