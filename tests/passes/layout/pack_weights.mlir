// RUN: weft-opt %s -weft-pack-weights | FileCheck %s
// RUN: weft-opt %s -weft-pack-weights="vector-bytes=16 vector-registers=16" | FileCheck %s --check-prefix=NARROW
// [columns / block][taps][channels][block], zero behind the last of the 20 columns; the sum runs over channels innermost.
// CHECK-LABEL: func.func @conv
// NARROW-LABEL: func.func @conv
func.func @conv(%x: tensor<1x9x9x6xf32>) -> tensor<1x7x7x20xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c6 = arith.constant 6 : index
  // CHECK: %[[W:.*]] = weft.weight "w"
  %w = weft.weight "w" : tensor<20x6x3x3xf32>
  // CHECK: %[[P:.*]] = weft.equation (%[[B:.*]], %[[R:.*]], %[[S:.*]], %[[C:.*]], %[[L:.*]]) in (1, 3, 3, 6, 32)
  // CHECK: weft.read %[[W]][%{{.*}}, %[[C]], %[[R]], %[[S]]] outside [fill, inside, inside, inside]
  // CHECK: weft.equation (%{{.*}}, %{{.*}}, %{{.*}}, %[[K:.*]]) in (1, 7, 7, 20) names ["n", "i", "j", "k"] attributes {packed = {axis = 3 : i64, block = 32 : i64}}
  // CHECK: weft.reduce sum (%[[RR:.*]], %[[SS:.*]], %[[CC:.*]]) from {{.*}} names ["r", "s", "c"]
  // CHECK-DAG: %[[Q:.*]] = arith.divui %[[K]]
  // CHECK-DAG: %[[M:.*]] = arith.remui %[[K]]
  // CHECK: weft.read %[[P]][%[[Q]], %[[RR]], %[[SS]], %[[CC]], %[[M]]] : tensor<1x3x3x6x32xf32>
  // NARROW: weft.equation {{.*}} in (3, 3, 3, 6, 8)
  %y = weft.equation (%n, %i, %j, %k) in (1, 7, 7, 20) names ["n", "i", "j", "k"] {
    %s = weft.reduce sum (%c, %r, %t) from (%c0, %c0, %c0) to (%c6, %c3, %c3) names ["c", "r", "s"] {
      %p = arith.addi %i, %r : index
      %q = arith.addi %j, %t : index
      %a = weft.read %x[%n, %p, %q, %c] : tensor<1x9x9x6xf32> -> f32
      %b = weft.read %w[%k, %c, %r, %t] : tensor<20x6x3x3xf32> -> f32
      %m = arith.mulf %a, %b : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x7x7x20xf32>
  return %y : tensor<1x7x7x20xf32>
}

// A window per channel is no contraction: its weights take the order of the loops.
// CHECK-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<9x16xf32>) -> tensor<7x16xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %w = weft.weight "w" : tensor<16x3xf32>
  // CHECK: %[[P:.*]] = weft.equation (%[[R:.*]], %[[K:.*]]) in (3, 16)
  // CHECK-NEXT: weft.read %{{.*}}[%[[K]], %[[R]]] : tensor<16x3xf32>
  // CHECK: weft.read %[[P]][%{{.*}}, %{{.*}}] : tensor<3x16xf32>
  %y = weft.equation (%i, %k) in (7, 16) names ["i", "k"] {
    %s = weft.reduce sum (%r) from (%c0) to (%c3) names ["r"] {
      %p = arith.addi %i, %r : index
      %a = weft.read %x[%p, %k] : tensor<9x16xf32> -> f32
      %b = weft.read %w[%k, %r] : tensor<16x3xf32> -> f32
      %m = arith.mulf %a, %b : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<7x16xf32>
  return %y : tensor<7x16xf32>
}
