// RUN: weft-opt %s -weft-inline-parallel | FileCheck %s
// A call under an index becomes equations with one more index; the view between them shifts its groups.
// CHECK-LABEL: func.func @rows
// CHECK-SAME:      %[[X:.*]]: tensor<3x8xf32>
func.func @rows(%x: tensor<3x8xf32>) -> tensor<3x2x4xf32> {
  // CHECK-NOT: weft.loop
  // CHECK: %[[E:.*]] = weft.equation (%[[B:.*]], %[[I:.*]]) in (3, 8) names ["b", "i"] attributes {path = "f.e"}
  // CHECK-NEXT: weft.read %[[X]][%[[B]], %[[I]]] : tensor<3x8xf32>
  // CHECK: %[[V:.*]] = tensor.expand_shape %[[E]] {{\[}}[0], [1, 2]] output_shape [3, 2, 4]
  // CHECK: weft.equation (%[[B2:.*]], %[[P:.*]], %[[Q:.*]]) in (3, 2, 4) names ["b", "p", "q"]
  // CHECK-NEXT: weft.read %[[V]][%[[B2]], %[[P]], %[[Q]]] : tensor<3x2x4xf32>
  %y = weft.loop parallel (%b) in (3) names ["b"] {
    %e = weft.equation (%i) in (8) names ["i"] attributes {path = "f.e"} {
      %a = weft.read %x[%b, %i] : tensor<3x8xf32> -> f32
      %n = arith.negf %a : f32
      weft.yield %n : f32
    } : tensor<8xf32>
    %v = tensor.expand_shape %e [[0, 1]] output_shape [2, 4] : tensor<8xf32> into tensor<2x4xf32>
    %r = weft.equation (%p, %q) in (2, 4) names ["p", "q"] {
      %a = weft.read %v[%p, %q] : tensor<2x4xf32> -> f32
      weft.yield %a : f32
    } : tensor<2x4xf32>
    weft.yield %r : tensor<2x4xf32>
  } : tensor<3x2x4xf32>
  return %y : tensor<3x2x4xf32>
}

// What does not depend on the index is computed once, and repeated for the result.
// CHECK-LABEL: func.func @invariant
func.func @invariant(%x: tensor<8xf32>) -> tensor<3x8xf32> {
  // CHECK: %[[E:.*]] = weft.equation (%{{.*}}) in (8) names ["i"]
  // CHECK: weft.equation (%[[B:.*]], %[[R:.*]]) in (3, 8) names ["b", "r0"]
  // CHECK-NEXT: weft.read %[[E]][%[[R]]] : tensor<8xf32>
  %y = weft.loop parallel (%b) in (3) names ["b"] {
    %e = weft.equation (%i) in (8) names ["i"] {
      %a = weft.read %x[%i] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } : tensor<8xf32>
    weft.yield %e : tensor<8xf32>
  } : tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}

// Loops in loops; an outer index with the name of an inner one gets another; index arithmetic of the loop is written
// again in the body that uses it.
// CHECK-LABEL: func.func @nested
func.func @nested(%x: tensor<3x4x12xf32>) -> tensor<3x4x6xf32> {
  %c2 = arith.constant 2 : index
  // CHECK: weft.equation (%[[I:.*]], %[[J:.*]], %[[K:.*]]) in (3, 4, 6) names ["i_1", "j", "i"]
  // CHECK: %[[T:.*]] = arith.muli %[[J]], %{{.*}} : index
  // CHECK: %[[S:.*]] = arith.addi %[[T]], %[[K]] : index
  // CHECK: weft.read %{{.*}}[%[[I]], %[[J]], %[[S]]] : tensor<3x4x12xf32>
  %y = weft.loop parallel (%i) in (3) names ["i"] {
    %z = weft.loop parallel (%j) in (4) names ["j"] {
      %from = arith.muli %j, %c2 : index
      %e = weft.equation (%k) in (6) names ["i"] {
        %s = arith.addi %from, %k : index
        %a = weft.read %x[%i, %j, %s] : tensor<3x4x12xf32> -> f32
        weft.yield %a : f32
      } : tensor<6xf32>
      weft.yield %e : tensor<6xf32>
    } : tensor<4x6xf32>
    weft.yield %z : tensor<4x6xf32>
  } : tensor<3x4x6xf32>
  return %y : tensor<3x4x6xf32>
}

// Steps under an index are made for all of its values at once: slices get its axis, a history behind its positions.
// CHECK-LABEL: func.func @steps
func.func @steps(%x: tensor<5x9xf32>) -> tensor<5x9xf32> {
  %c0 = arith.constant 0 : index
  // CHECK: %[[FROM:.*]] = weft.equation (%{{.*}}) in (5) names ["b"]
  // CHECK: %[[Y:.*]] = weft.loop up (%[[T:.*]]) in (9) names ["t"] state (%[[BEFORE:.*]]: tensor<5xf32>, %[[ALL:.*]]: tensor<10x5xf32>) from (%[[FROM]] : tensor<5xf32>)
  %y = weft.loop parallel (%b) in (5) names ["b"] {
    %h = weft.equation () in () names [] {
      %a = weft.read %x[%b, %c0] : tensor<5x9xf32> -> f32
      weft.yield %a : f32
    } : tensor<f32>
    %s = weft.loop up (%t) in (9) names ["t"] state (%before: tensor<f32>, %all: tensor<10xf32>) from (%h : tensor<f32>) attributes {given = array<i64: 1>, history = array<i1: true>, keep = ["all"], window = array<i64: 1>} {
      // CHECK: weft.equation (%[[B:.*]]) in (5) names ["b"]
      %n = weft.equation () in () names [] {
        // CHECK: weft.read %[[BEFORE]][%[[B]]]
        %a = weft.read %before[] : tensor<f32> -> f32
        // CHECK: weft.read %[[ALL]][%{{.*}}, %[[B]]]
        %f = weft.read %all[%c0] : tensor<10xf32> -> f32
        // CHECK: weft.read %{{.*}}[%[[B]], %[[T]]]
        %c = weft.read %x[%b, %t] : tensor<5x9xf32> -> f32
        %af = arith.addf %a, %f : f32
        %afc = arith.addf %af, %c : f32
        weft.yield %afc : f32
      } : tensor<f32>
      weft.yield %n : tensor<f32>
    } : tensor<9xf32>
    weft.yield %s : tensor<9xf32>
  } : tensor<5x9xf32>
  // CHECK: weft.equation (%[[B1:.*]], %[[T1:.*]]) in (5, 9)
  // CHECK: weft.read %[[Y]][%[[T1]], %[[B1]]]
  return %y : tensor<5x9xf32>
}

// A sort under an index sorts rows.
// CHECK-LABEL: func.func @sort_rows
// CHECK: %[[KEYS:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (4, 8)
// CHECK: weft.sort %[[KEYS]] descending : tensor<4x8xf32> -> tensor<4x2xi64>
func.func @sort_rows(%x: tensor<4x8xf32>) -> tensor<4x2xi64> {
  %y = weft.loop parallel (%b) in (4) names ["b"] {
    %row = weft.equation (%i) in (8) names ["i"] {
      %a = weft.read %x[%b, %i] : tensor<4x8xf32> -> f32
      weft.yield %a : f32
    } : tensor<8xf32>
    %o = weft.sort %row descending : tensor<8xf32> -> tensor<2xi64>
    weft.yield %o : tensor<2xi64>
  } : tensor<4x2xi64>
  return %y : tensor<4x2xi64>
}

// Steps that end early are made until the last point has ended: of the inner index first, then of both.
// CHECK-LABEL: func.func @ends
func.func @ends(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: weft.loop up (%{{.*}}) in (9) names ["t"] state (%[[S:.*]]: tensor<4x6xf32>, %[[HAD:.*]]: tensor<4x6xi1>, %[[N:.*]]: tensor<4x6xi64>)
  // CHECK-SAME: keep = ["last", "none", "none", "none"], weft.ends_by_point, weft.until
  // CHECK: arith.cmpf
  // CHECK: %[[KEPT:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (4, 6)
  // CHECK: weft.read %[[HAD]]
  // CHECK: arith.select
  // CHECK: %[[ENDED:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (4, 6)
  // CHECK: arith.ori
  // CHECK: %[[STEPS:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (4, 6)
  // CHECK: %[[ALL:.*]] = weft.equation () in ()
  // CHECK: weft.reduce all (%[[B:.*]], %[[I:.*]]) from (%{{.*}}, %{{.*}}) to (%{{.*}}, %{{.*}})
  // CHECK-NEXT: weft.read %[[ENDED]][%[[B]], %[[I]]]
  // CHECK-NOT: weft.equation
  // CHECK: weft.yield %[[KEPT]], %[[ENDED]], %[[STEPS]], %[[ALL]] : tensor<4x6xf32>, tensor<4x6xi1>, tensor<4x6xi64>, tensor<i1>
  %y = weft.loop parallel (%b) in (4) names ["b"] {
    %row = weft.loop parallel (%i) in (6) names ["i"] {
      %from = weft.equation () in () names [] {
        %a = weft.read %x[%b, %i] : tensor<4x6xf32> -> f32
        weft.yield %a : f32
      } : tensor<f32>
      %s, %n = weft.loop up (%t) in (9) names ["t"] state (%s: tensor<f32>) from (%from : tensor<f32>)
          attributes {given = array<i64: 1, 0>, history = array<i1: false, false>, keep = ["last", "none"], weft.until, window = array<i64: 1, 0>} {
        %next = weft.equation () in () names [] {
          %a = weft.read %s[] : tensor<f32> -> f32
          %t2 = math.tanh %a : f32
          weft.yield %t2 : f32
        } : tensor<f32>
        %end = weft.equation () in () names [] {
          %a = weft.read %next[] : tensor<f32> -> f32
          %c = arith.constant 0.1 : f32
          %v = arith.cmpf olt, %a, %c : f32
          weft.yield %v : i1
        } : tensor<i1>
        weft.yield %next, %end : tensor<f32>, tensor<i1>
      } : tensor<f32>, tensor<i64>
      weft.yield %s : tensor<f32>
    } : tensor<6xf32>
    weft.yield %row : tensor<6xf32>
  } : tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}
