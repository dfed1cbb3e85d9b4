// RUN: weft-opt %s -weft-simplify-subscripts -canonicalize | FileCheck %s
// k div 8 is 0 and (k div 1)*1 + c is k, for k in 0..8 and c in 0..1: a grouped convolution's subscripts.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<8xf32>, %y: tensor<4x8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  // CHECK: weft.equation (%[[K:.*]]) in (8)
  // CHECK-NEXT: %[[A:.*]] = weft.read %{{.*}}[%[[K]]] : tensor<8xf32>
  // CHECK-NEXT: %[[B:.*]] = weft.read %{{.*}}[%c0, %[[K]]] : tensor<4x8xf32>
  // CHECK-NEXT: arith.addf %[[A]], %[[B]]
  %z = weft.equation (%k) in (8) names ["k"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c1) names ["c"] {
      %g = arith.divsi %k, %c1 : index
      %gc = arith.muli %g, %c1 : index
      %ci = arith.addi %gc, %c : index
      %a = weft.read %x[%ci] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } : f32
    %h = arith.floordivsi %k, %c8 : index
    %b = weft.read %y[%h, %k] : tensor<4x8xf32> -> f32
    %r = arith.addf %s, %b : f32
    weft.yield %r : f32
  } : tensor<8xf32>
  return %z : tensor<8xf32>
}

// (g*4 + c) div 4 is g and its remainder c; a subscript that may be negative keeps its floor.
// CHECK-LABEL: func.func @split
func.func @split(%x: tensor<3x4xf32>, %w: tensor<9xf32>) -> tensor<3x4xf32> {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c2 = arith.constant 2 : index
  // CHECK: weft.equation (%[[G:.*]], %[[C:.*]]) in (3, 4)
  // CHECK: weft.read %{{.*}}[%[[G]], %[[C]]] : tensor<3x4xf32>
  // CHECK: arith.floordivsi
  %z = weft.equation (%g, %c) in (3, 4) names ["g", "c"] {
    %t = arith.muli %g, %c4 : index
    %s = arith.addi %t, %c : index
    %q = arith.divsi %s, %c4 : index
    %r = arith.remsi %s, %c4 : index
    %a = weft.read %x[%q, %r] : tensor<3x4xf32> -> f32
    %m = arith.subi %c, %c1 : index
    %f = arith.floordivsi %m, %c2 : index
    %b = weft.read %w[%f] outside [fill] else %a : tensor<9xf32> -> f32
    weft.yield %b : f32
  } : tensor<3x4xf32>
  return %z : tensor<3x4xf32>
}

// A guard that the ranges make superfluous goes; one that may be needed stays.
// CHECK-LABEL: func.func @guards
func.func @guards(%x: tensor<8xf32>, %zero: f32) -> tensor<7xf32> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // CHECK: weft.read %{{.*}}[%{{.*}}] : tensor<8xf32>
  // CHECK: weft.read %{{.*}}[%{{.*}}] outside [fill] else %{{.*}} : tensor<8xf32>
  %z = weft.equation (%i) in (7) names ["i"] {
    %p = arith.addi %i, %c1 : index
    %q = arith.addi %i, %c2 : index
    %a = weft.read %x[%p] outside [fill] else %zero : tensor<8xf32> -> f32
    %b = weft.read %x[%q] outside [fill] else %zero : tensor<8xf32> -> f32
    %r = arith.addf %a, %b : f32
    weft.yield %r : f32
  } : tensor<7xf32>
  return %z : tensor<7xf32>
}

// So it is where sizes are known at run time only: an index ends where the axis does, a step of two goes over
// half of it. Of another tensor nothing is known.
// CHECK-LABEL: func.func @guards_at_run_time
func.func @guards_at_run_time(%x: tensor<?xf32>, %w: tensor<?xf32>, %zero: f32) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %last = arith.subi %n, %c1 : index
  %half = arith.floordivsi %last, %c2 : index
  %steps = arith.addi %half, %c1 : index
  // CHECK: weft.read %{{.*}}[%{{.*}}] : tensor<?xf32>
  // CHECK: weft.read %{{.*}}[%{{.*}}] outside [fill] else %{{.*}} : tensor<?xf32>
  // CHECK: weft.read %{{.*}}[%{{.*}}] outside [fill] else %{{.*}} : tensor<?xf32>
  %y = weft.equation (%i) in (%n) names ["i"] {
    %p = arith.addi %i, %c1 : index
    %a = weft.read %x[%i] outside [fill] else %zero : tensor<?xf32> -> f32
    %b = weft.read %x[%p] outside [fill] else %zero : tensor<?xf32> -> f32
    %c = weft.read %w[%i] outside [fill] else %zero : tensor<?xf32> -> f32
    %s = arith.addf %a, %b : f32
    %r = arith.addf %s, %c : f32
    weft.yield %r : f32
  } : tensor<?xf32>
  // CHECK: weft.read %{{.*}}[%{{.*}}] : tensor<?xf32>
  // CHECK: weft.read %{{.*}}[%{{.*}}] outside [fill] else %{{.*}} : tensor<?xf32>
  %z = weft.equation (%i) in (%steps) names ["i"] {
    %twice = arith.muli %i, %c2 : index
    %next = arith.addi %twice, %c1 : index
    %a = weft.read %x[%twice] outside [fill] else %zero : tensor<?xf32> -> f32
    %b = weft.read %x[%next] outside [fill] else %zero : tensor<?xf32> -> f32
    %s = arith.addf %a, %b : f32
    weft.yield %s : f32
  } : tensor<?xf32>
  return %y, %z : tensor<?xf32>, tensor<?xf32>
}

// How many elements a window has needs no loop; what differs does, and so do numbers that are not whole.
// CHECK-LABEL: func.func @counts
func.func @counts(%at: tensor<8xi64>, %one: f32) -> (tensor<8xi64>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %c3 = arith.constant 3 : i64
  // CHECK: weft.equation
  // CHECK-NOT: weft.reduce
  // CHECK: %[[LENGTH:.*]] = arith.subi %c5, %{{.*}} : index
  // CHECK: %[[COUNT:.*]] = arith.maxsi %[[LENGTH]], %c0 : index
  // CHECK: arith.muli
  %n = weft.equation (%i) in (8) names ["i"] {
    %a = weft.read %at[%i] : tensor<8xi64> -> i64
    %from = arith.index_cast %a : i64 to index
    %s = weft.reduce sum (%u, %v) from (%from, %c0) to (%c5, %from) names ["u", "v"] {
      weft.yield %c3 : i64
    } : i64
    weft.yield %s : i64
  } : tensor<8xi64>
  // CHECK: weft.equation
  // CHECK: weft.reduce sum
  %r = weft.equation (%i) in (8) names ["i"] {
    %a = weft.read %at[%i] : tensor<8xi64> -> i64
    %from = arith.index_cast %a : i64 to index
    %s = weft.reduce sum (%u) from (%from) to (%c5) names ["u"] {
      weft.yield %one : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %n, %r : tensor<8xi64>, tensor<8xf32>
}

// What a reduction gives for nothing goes where there is something, or where it changes nothing.
// CHECK-LABEL: func.func @nothing
func.func @nothing(%x: tensor<8xf32>, %n: index) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  // CHECK: weft.reduce max
  // CHECK-NOT: else
  // CHECK: weft.reduce max
  // CHECK-NOT: else
  %some = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%u) from (%c0) to (%c5) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } else %zero : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  %neutral = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%u) from (%c0) to (%i) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } else %least : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  // CHECK: weft.reduce max
  // CHECK: else %cst : f32
  // CHECK: weft.reduce max
  // CHECK: else %cst : f32
  %none = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%u) from (%c0) to (%i) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } else %zero : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  %few = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%u) from (%c0) to (%c5) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      %positive = arith.cmpf ogt, %a, %zero : f32
      weft.yield %a if %positive : f32
    } else %zero : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %some, %neutral, %none, %few : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// So with the other kinds that have such a value.
// CHECK-LABEL: func.func @nothing_of_other_kinds
// CHECK-NOT: else
// CHECK: return
func.func @nothing_of_other_kinds(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %most = arith.constant 0x7F800000 : f32
  %sum = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce sum (%u) from (%c0) to (%i) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } else %zero : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  %min = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce min (%u) from (%c0) to (%i) names ["u"] {
      %a = weft.read %x[%u] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } else %most : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %sum, %min : tensor<8xf32>, tensor<8xf32>
}
