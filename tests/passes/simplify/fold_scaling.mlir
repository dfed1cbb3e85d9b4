// RUN: weft-opt %s -weft-fold-scaling -canonicalize | FileCheck %s
// a[k]*(sum + m[k]): the weights are scaled, what is left is one addition.
// CHECK-LABEL: func.func @scale
func.func @scale(%x: tensor<5x8xf32>) -> tensor<5x6xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  // CHECK: %[[W:.*]] = weft.weight "w"
  %w = weft.weight "w" : tensor<6x8xf32>
  // CHECK: %[[A:.*]] = weft.weight "a"
  %a = weft.weight "a" : tensor<6xf32>
  %m = weft.weight "m" : tensor<6xf32>
  // CHECK: %[[S:.*]] = weft.equation (%[[K:.*]], %[[C:.*]]) in (6, 8)
  // CHECK-DAG: weft.read %[[A]][%[[K]]]
  // CHECK-DAG: weft.read %[[W]][%[[K]], %[[C]]]
  // CHECK: arith.mulf
  // CHECK: weft.equation (%[[I:.*]], %[[O:.*]]) in (5, 6)
  // CHECK: %[[SUM:.*]] = weft.reduce sum
  // CHECK: weft.read %[[S]][%[[O]], %{{.*}}] : tensor<6x8xf32>
  // CHECK: arith.addf %[[SUM]]
  // CHECK-NEXT: weft.yield
  %y = weft.equation (%i, %o) in (5, 6) names ["i", "o"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c8) names ["c"] {
      %p = weft.read %x[%i, %c] : tensor<5x8xf32> -> f32
      %q = weft.read %w[%o, %c] : tensor<6x8xf32> -> f32
      %pq = arith.mulf %p, %q : f32
      weft.yield %pq : f32
    } : f32
    %mean = weft.read %m[%o] : tensor<6xf32> -> f32
    %scale = weft.read %a[%o] : tensor<6xf32> -> f32
    %d = arith.addf %s, %mean : f32
    %r = arith.mulf %d, %scale : f32
    weft.yield %r : f32
  } : tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// A factor that comes from the input, or goes with an index that the weights lack, stays.
// CHECK-LABEL: func.func @keep
func.func @keep(%x: tensor<5x8xf32>) -> tensor<5x6xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %w = weft.weight "w" : tensor<6x8xf32>
  %a = weft.weight "a" : tensor<5xf32>
  // CHECK: weft.equation (%{{.*}}, %{{.*}}) in (5, 6)
  // CHECK: %[[SUM:.*]] = weft.reduce sum
  // CHECK: arith.mulf %[[SUM]], %{{.*}}
  %y = weft.equation (%i, %o) in (5, 6) names ["i", "o"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c8) names ["c"] {
      %p = weft.read %x[%i, %c] : tensor<5x8xf32> -> f32
      %q = weft.read %w[%o, %c] : tensor<6x8xf32> -> f32
      %pq = arith.mulf %p, %q : f32
      weft.yield %pq : f32
    } : f32
    %scale = weft.read %a[%i] : tensor<5xf32> -> f32
    %r = arith.mulf %s, %scale : f32
    weft.yield %r : f32
  } : tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
