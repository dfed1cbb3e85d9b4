// RUN: weft-opt %s -weft-fuse-steps | FileCheck %s
// A small step and its loop are one kernel; what is given comes before what is read, sizes behind the tensors. The
// weight that the step reads is read by the method.
// CHECK-LABEL: func.func @small
func.func @small(%x: tensor<?x4xf32>, %h: tensor<4xf32>, %n: index) -> tensor<?x4xf32> {
  // CHECK: %[[W:.*]] = weft.weight "w" : tensor<4xf32>
  // CHECK: weft.launch @steps(%{{.*}}, %{{.*}}, %[[W]], %{{.*}}) sizes(%{{.*}}) {path = "smooth.y"} : (tensor<4xf32>, tensor<?x4xf32>, tensor<4xf32>, index) -> tensor<?x4xf32>
  %y = weft.iterate up @small_step [%n] (%x : tensor<?x4xf32>) from (%h : tensor<4xf32>) {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK-NOT: @small_step
func.func private @small_step(%t: index, %before: tensor<4xf32>, %x: tensor<?x4xf32>) -> tensor<4xf32> attributes {weft.step} {
  %w = weft.weight "w" : tensor<4xf32>
  %next = weft.equation (%d) in (4) names ["d"] attributes {path = "smooth.y"} {
    %a = weft.read %before[%d] : tensor<4xf32> -> f32
    %b = weft.read %x[%t, %d] : tensor<?x4xf32> -> f32
    %c = weft.read %w[%d] : tensor<4xf32> -> f32
    %bc = arith.mulf %b, %c : f32
    %s = arith.addf %a, %bc : f32
    weft.yield %s : f32
  } : tensor<4xf32>
  return %next : tensor<4xf32>
}

// A large step keeps launches of its own.
// CHECK-LABEL: func.func @large
func.func @large(%h: tensor<8192xf32>) -> tensor<8192xf32> {
  // CHECK: weft.iterate down @large_step [9]
  %y = weft.iterate down @large_step [9] from (%h : tensor<8192xf32>) {given = array<i64: 1>, history = array<i1: false>, keep = ["last"], window = array<i64: 1>} : tensor<8192xf32>
  return %y : tensor<8192xf32>
}
func.func private @large_step(%t: index, %before: tensor<8192xf32>) -> tensor<8192xf32> attributes {weft.step} {
  %next = weft.equation (%d) in (8192) names ["d"] {
    %a = weft.read %before[%d] : tensor<8192xf32> -> f32
    %s = arith.negf %a : f32
    weft.yield %s : f32
  } : tensor<8192xf32>
  return %next : tensor<8192xf32>
}
// CHECK: weft.kernel @steps {class = "recurrence", path = "smooth.y"} (%[[H:.*]]: tensor<4xf32>, %[[X:.*]]: tensor<?x4xf32>, %[[V:.*]]: tensor<4xf32>, %[[N:.*]]: index) -> (tensor<?x4xf32>) {
// CHECK: weft.loop up (%[[T:.*]]) in (%[[N]]) names ["step"] state (%[[B:.*]]: tensor<4xf32>) from (%[[H]] : tensor<4xf32>)
// CHECK: weft.read %[[B]]
// CHECK: weft.read %[[X]][%[[T]], %{{.*}}]
// CHECK: weft.read %[[V]]
// CHECK: weft.yield %{{.*}} : tensor<4xf32>
