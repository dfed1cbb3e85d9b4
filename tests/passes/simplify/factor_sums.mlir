// RUN: weft-opt %s -weft-factor-sums | FileCheck %s

// What softmax divides by multiplies the sum, not what is summed.
// CHECK-LABEL: func.func @softmax
// CHECK: %[[E:.*]] = weft.equation {{.*}}path = "e"
// CHECK: %[[S:.*]] = weft.equation {{.*}}path = "s"
// CHECK-NOT: path = "p"
// CHECK: weft.equation (%[[I:.*]], %[[K:.*]]) in (8, 4) {{.*}}{fused = ["p"], path = "o"}
// CHECK: %[[SUM:.*]] = weft.reduce sum (%[[J:.*]]) from
// CHECK: %[[A:.*]] = weft.read %[[E]][%[[I]], %[[J]]]
// CHECK: %[[B:.*]] = weft.read %{{.*}}[%[[J]], %[[K]]]
// CHECK: arith.mulf %[[A]], %[[B]]
// CHECK: %[[F:.*]] = weft.read %[[S]][%[[I]]]
// CHECK: arith.mulf %[[SUM]], %[[F]]
func.func @softmax(%x: tensor<8x12xf32>, %t: tensor<8xf32>, %v: tensor<12x4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c12 = arith.constant 12 : index
  %one = arith.constant 1.0 : f32
  %e = weft.equation (%i, %j) in (8, 12) names ["i", "j"] attributes {path = "e"} {
    %a = weft.read %x[%i, %j] : tensor<8x12xf32> -> f32
    %f = math.exp %a : f32
    weft.yield %f : f32
  } : tensor<8x12xf32>
  %s = weft.equation (%i) in (8) names ["i"] attributes {path = "s"} {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<8x12xf32> -> f32
      weft.yield %a : f32
    } : f32
    %q = arith.divf %one, %m : f32
    weft.yield %q : f32
  } : tensor<8xf32>
  %p = weft.equation (%i, %j) in (8, 12) names ["i", "j"] attributes {path = "p"} {
    %a = weft.read %e[%i, %j] : tensor<8x12xf32> -> f32
    %b = weft.read %s[%i] : tensor<8xf32> -> f32
    %c = arith.mulf %a, %b : f32
    weft.yield %c : f32
  } : tensor<8x12xf32>
  %o = weft.equation (%i, %k) in (8, 4) names ["i", "k"] attributes {path = "o"} {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %p[%i, %j] : tensor<8x12xf32> -> f32
      %b = weft.read %v[%j, %k] : tensor<12x4xf32> -> f32
      %c = arith.mulf %a, %b : f32
      weft.yield %c : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// Other numbers than exponentials may overflow in their sum; a factor of the summed index stays.
// CHECK-LABEL: func.func @stays
// CHECK: path = "p"
// CHECK: path = "r"
func.func @stays(%x: tensor<8x12xf32>, %t: tensor<8xf32>, %u: tensor<12xf32>, %v: tensor<12x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %c0 = arith.constant 0 : index
  %c12 = arith.constant 12 : index
  %p = weft.equation (%i, %j) in (8, 12) names ["i", "j"] attributes {path = "p"} {
    %a = weft.read %x[%i, %j] : tensor<8x12xf32> -> f32
    %b = weft.read %t[%i] : tensor<8xf32> -> f32
    %c = arith.mulf %a, %b : f32
    weft.yield %c : f32
  } : tensor<8x12xf32>
  %o = weft.equation (%i, %k) in (8, 4) names ["i", "k"] attributes {path = "o"} {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %p[%i, %j] : tensor<8x12xf32> -> f32
      %b = weft.read %v[%j, %k] : tensor<12x4xf32> -> f32
      %c = arith.mulf %a, %b : f32
      weft.yield %c : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8x4xf32>
  %e = weft.equation (%i, %j) in (8, 12) names ["i", "j"] attributes {path = "e"} {
    %a = weft.read %x[%i, %j] : tensor<8x12xf32> -> f32
    %f = math.exp %a : f32
    weft.yield %f : f32
  } : tensor<8x12xf32>
  %r = weft.equation (%i, %j) in (8, 12) names ["i", "j"] attributes {path = "r"} {
    %a = weft.read %e[%i, %j] : tensor<8x12xf32> -> f32
    %b = weft.read %u[%j] : tensor<12xf32> -> f32
    %c = arith.mulf %a, %b : f32
    weft.yield %c : f32
  } : tensor<8x12xf32>
  %z = weft.equation (%i, %k) in (8, 4) names ["i", "k"] attributes {path = "z"} {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %r[%i, %j] : tensor<8x12xf32> -> f32
      %b = weft.read %v[%j, %k] : tensor<12x4xf32> -> f32
      %c = arith.mulf %a, %b : f32
      weft.yield %c : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8x4xf32>
  return %o, %z : tensor<8x4xf32>, tensor<8x4xf32>
}
