// RUN: weft-opt %s -weft-hoist-invariants -canonicalize | FileCheck %s
// The denominator of a softmax is summed once per row.
// CHECK-LABEL: func.func @normalize
func.func @normalize(%e: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %c0 = arith.constant 0 : index
  %c9 = arith.constant 9 : index
  %n = tensor.dim %e, %c0 : tensor<?x9xf32>
  // CHECK: %[[S:.*]] = weft.equation (%[[R:.*]]) in (%{{.*}}) names ["i"]
  // CHECK-NEXT: weft.reduce sum (%[[M:.*]]) from
  // CHECK-NEXT: weft.read %{{.*}}[%[[R]], %[[M]]]
  // CHECK: weft.equation (%[[I:.*]], %[[J:.*]]) in (%{{.*}}, 9) names ["i", "j"]
  // CHECK-NOT: weft.reduce
  // CHECK: weft.read %[[S]][%[[I]]] : tensor<?xf32>
  %y = weft.equation (%i, %j) in (%n, 9) names ["i", "j"] {
    %s = weft.reduce sum (%m) from (%c0) to (%c9) names ["m"] {
      %a = weft.read %e[%i, %m] : tensor<?x9xf32> -> f32
      weft.yield %a : f32
    } : f32
    %b = weft.read %e[%i, %j] : tensor<?x9xf32> -> f32
    %r = arith.divf %b, %s : f32
    weft.yield %r : f32
  } : tensor<?x9xf32>
  return %y : tensor<?x9xf32>
}

// x[0] is proved inside for the points of the domain, and there may be none: the sum stays where it is.
// CHECK-LABEL: func.func @may_be_empty
func.func @may_be_empty(%x: tensor<?xf32>, %w: tensor<3xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  // CHECK: weft.equation
  // CHECK-NEXT: weft.reduce
  // CHECK-NOT: weft.equation
  %y = weft.equation (%i) in (%n) names ["i"] {
    %s = weft.reduce sum (%m) from (%c0) to (%c3) names ["m"] {
      %a = weft.read %x[%c0] : tensor<?xf32> -> f32
      %b = weft.read %w[%m] : tensor<3xf32> -> f32
      %ab = arith.mulf %a, %b : f32
      weft.yield %ab : f32
    } : f32
    weft.yield %s : f32
  } : tensor<?xf32>
  return %y : tensor<?xf32>
}
