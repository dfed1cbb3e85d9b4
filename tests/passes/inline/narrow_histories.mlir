// RUN: weft-opt %s -weft-narrow-histories | FileCheck %s

// Of three states the last step of one, nothing of one and all of one are used behind the loop.
// CHECK-LABEL: func.func @up
func.func @up(%x: tensor<?xf32>, %h0: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %cm1 = arith.constant -1 : index
  %t = tensor.dim %x, %c0 : tensor<?xf32>
  %end = arith.addi %t, %cm1 : index
  // CHECK: %[[H:.*]]:2 = weft.loop up
  // CHECK-SAME: keep = ["last", "none", "all"]
  // CHECK: } : tensor<4xf32>, tensor<?x4xf32>
  %h:3 = weft.loop up (%i) in (%t) names ["t"] state (%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>) from (%h0, %h0, %h0 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) attributes {given = array<i64: 1, 1, 1>, history = array<i1: false, false, false>, keep = ["all", "all", "all"], window = array<i64: 1, 1, 1>} {
    weft.yield %b, %c, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  } : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
  // CHECK: %[[WIDTH:.*]] = tensor.dim %[[H]]#0, %{{.*}} : tensor<4xf32>
  %width = tensor.dim %h#0, %c1 : tensor<?x4xf32>
  // CHECK: weft.equation (%[[I:.*]]) in (4)
  // CHECK: weft.read %[[H]]#0[%[[I]]] : tensor<4xf32> -> f32
  %y = weft.equation (%i) in (4) names ["i"] {
    %v = weft.read %h#0[%end, %i] : tensor<?x4xf32> -> f32
    weft.yield %v : f32
  } : tensor<4xf32>
  // CHECK: return %{{.*}}, %[[H]]#1, %[[WIDTH]]
  return %y, %h#2, %width : tensor<4xf32>, tensor<?x4xf32>, index
}

// Downwards the first position is computed last. The last but one is another step.
// CHECK-LABEL: func.func @down
func.func @down(%h0: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[H:.*]]:2 = weft.loop down
  // CHECK-SAME: keep = ["last", "all"]
  %h:2 = weft.loop down (%i) in (9) names ["t"] state (%a: tensor<4xf32>, %b: tensor<4xf32>) from (%h0, %h0 : tensor<4xf32>, tensor<4xf32>) attributes {given = array<i64: 1, 1>, history = array<i1: false, false>, keep = ["all", "all"], window = array<i64: 1, 1>} {
    weft.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  } : tensor<9x4xf32>, tensor<9x4xf32>
  %y = weft.equation (%i) in (4) names ["i"] {
    // CHECK: weft.read %[[H]]#0[%{{.*}}] : tensor<4xf32> -> f32
    %v = weft.read %h#0[%c0, %i] : tensor<9x4xf32> -> f32
    weft.yield %v : f32
  } : tensor<4xf32>
  %z = weft.equation (%i) in (4) names ["i"] {
    %v = weft.read %h#1[%c1, %i] : tensor<9x4xf32> -> f32
    weft.yield %v : f32
  } : tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}
