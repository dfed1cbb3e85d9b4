// RUN: weft-opt %s -weft-outline-steps | FileCheck %s
// The body is a function that takes the index, the states, what it reads, and sizes that no tensor tells. Weights are
// read in it again.
// CHECK-LABEL: func.func @smooth
func.func @smooth(%x: tensor<?x4xf32>, %h: tensor<4xf32>, %n: index) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x4xf32>
  %w = weft.weight "w" : tensor<4xf32>
  // CHECK: %[[Y:.*]] = weft.iterate up @smooth_t_step [%{{.*}}](%{{.*}}, %{{.*}} : tensor<?x4xf32>, index) from(%{{.*}} : tensor<4xf32>)
  // CHECK-NEXT: return %[[Y]]
  %y = weft.loop up (%i) in (%t) names ["t"] state (%before: tensor<4xf32>) from (%h : tensor<4xf32>) attributes {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} {
    %next = weft.equation (%d) in (4) names ["d"] {
      %a = weft.read %before[%d] : tensor<4xf32> -> f32
      %b = weft.read %x[%i, %d] : tensor<?x4xf32> -> f32
      %c = weft.read %w[%d] : tensor<4xf32> -> f32
      %sum = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] { weft.yield %a : f32 } : f32
      %bc = arith.mulf %b, %c : f32
      %s = arith.addf %sum, %bc : f32
      weft.yield %s : f32
    } : tensor<4xf32>
    weft.yield %next : tensor<4xf32>
  } : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK: func.func private @smooth_t_step(%[[I:.*]]: index, %[[H:.*]]: tensor<4xf32>, %[[X:.*]]: tensor<?x4xf32>, %[[N:.*]]: index) -> tensor<4xf32> attributes {weft.step}
// CHECK: %[[W:.*]] = weft.weight "w" : tensor<4xf32>
// CHECK: weft.read %[[H]][%[[D:.*]]]
// CHECK: weft.read %[[X]][%[[I]], %[[D]]]
// CHECK: weft.read %[[W]][%[[D]]]
