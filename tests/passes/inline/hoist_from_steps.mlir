// RUN: weft-opt %s -weft-hoist-from-steps | FileCheck %s

// An equation and a reduction that know neither the step nor the state are computed once.
// CHECK-LABEL: func.func @steps
func.func @steps(%w: tensor<4x9xf32>, %x: tensor<8x4xf32>, %h0: tensor<4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c9 = arith.constant 9 : index
  // CHECK: %[[SQUARE:.*]] = weft.equation {{.*}}path = "square"
  // CHECK: %[[SUM:.*]] = weft.equation (%{{.*}}) in (4) names ["i"] attributes {path = "h.sum"}
  // CHECK: weft.reduce sum
  // CHECK: weft.loop up (%[[T:.*]]) in (8)
  // CHECK-NOT: weft.reduce
  // CHECK: weft.equation (%[[I:.*]]) in (4) names ["i"] attributes {path = "h"}
  // CHECK: weft.read %[[SUM]][%[[I]]]
  %y = weft.loop up (%t) in (8) names ["t"] state (%before: tensor<4xf32>) from (%h0 : tensor<4xf32>) attributes {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} {
    %square = weft.equation (%i, %j) in (4, 9) names ["i", "j"] attributes {path = "square"} {
      %a = weft.read %w[%i, %j] : tensor<4x9xf32> -> f32
      %b = arith.mulf %a, %a : f32
      weft.yield %b : f32
    } : tensor<4x9xf32>
    %next = weft.equation (%i) in (4) names ["i"] attributes {path = "h"} {
      %s = weft.reduce sum (%j) from (%c0) to (%c9) names ["j"] {
        %a = weft.read %square[%i, %j] : tensor<4x9xf32> -> f32
        weft.yield %a : f32
      } : f32
      %b = weft.read %before[%i] : tensor<4xf32> -> f32
      %c = weft.read %x[%t, %i] : tensor<8x4xf32> -> f32
      %d = arith.addf %b, %c : f32
      %e = arith.addf %d, %s : f32
      weft.yield %e : f32
    } : tensor<4xf32>
    weft.yield %next : tensor<4xf32>
  } : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// Where there may be no step, a read that the step proves inside stays.
// CHECK-LABEL: func.func @maybe_none
func.func @maybe_none(%x: tensor<?xf32>, %h0: tensor<f32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  // CHECK: weft.loop up
  // CHECK: weft.equation () in () names [] attributes {path = "front"}
  %y = weft.loop up (%t) in (%n) names ["t"] state (%before: tensor<f32>) from (%h0 : tensor<f32>) attributes {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} {
    %front = weft.equation () in () names [] attributes {path = "front"} {
      %a = weft.read %x[%c0] : tensor<?xf32> -> f32
      weft.yield %a : f32
    } : tensor<f32>
    %next = weft.equation () in () names [] {
      %a = weft.read %front[] : tensor<f32> -> f32
      %b = weft.read %before[] : tensor<f32> -> f32
      %c = arith.addf %a, %b : f32
      weft.yield %c : f32
    } : tensor<f32>
    weft.yield %next : tensor<f32>
  } : tensor<?xf32>
  return %y : tensor<?xf32>
}
