// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-pack-weights{vector-bytes=32 vector-registers=16}))' | FileCheck %s

// The weights of a convolution as [columns / block][taps][channels][block]; whole blocks need no padding.
// CHECK-LABEL: func.func @convolution
// CHECK: %[[P:.*]] = weft.equation (%[[B:.*]], %[[R:.*]], %[[S:.*]], %[[C:.*]], %[[L:.*]]) in (4, 3, 3, 32, 16)
// CHECK: %[[FIRST:.*]] = arith.muli %[[B]], %c16
// CHECK: %[[K:.*]] = arith.addi %[[FIRST]], %[[L]]
// CHECK: weft.read %{{.*}}[%[[K]], %[[C]], %[[R]], %[[S]]] : tensor<64x32x3x3xf32>
// The sum walks it in its order.
// CHECK: attributes {packed = {axis = 3 : i64, block = 16 : i64}}
// CHECK: weft.reduce sum (%[[R2:.*]], %[[S2:.*]], %[[C2:.*]]) from {{.*}} names ["r", "s", "c"]
// CHECK: arith.divui
// CHECK: arith.remui
// CHECK: weft.read %[[P]][%{{.*}}, %[[R2]], %[[S2]], %[[C2]], %{{.*}}] : tensor<4x3x3x32x16xf32>
func.func @convolution(%x: tensor<1x14x14x32xf32>) -> tensor<1x12x12x64xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %w = weft.weight "w" : tensor<64x32x3x3xf32>
  %y = weft.equation (%n, %i, %j, %k) in (1, 12, 12, 64) names ["n", "i", "j", "k"] {
    %s = weft.reduce sum (%c, %r, %q) from (%c0, %c0, %c0) to (%c32, %c3, %c3) names ["c", "r", "s"] {
      %ir = arith.addi %i, %r : index
      %jq = arith.addi %j, %q : index
      %a = weft.read %x[%n, %ir, %jq, %c] : tensor<1x14x14x32xf32> -> f32
      %b = weft.read %w[%k, %c, %r, %q] : tensor<64x32x3x3xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x12x12x64xf32>
  return %y : tensor<1x12x12x64xf32>
}

// A last block that is not full is filled with zeros.
// CHECK-LABEL: func.func @odd_columns
// CHECK: weft.equation {{.*}} in (1, 40, 40)
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[K:.*]], %c37
// CHECK: %[[LAST:.*]] = arith.minui %[[K]], %c36
// CHECK: %[[W:.*]] = weft.read %{{.*}}[%[[LAST]], %{{.*}}] : tensor<37x40xf32>
// CHECK: arith.select %[[INSIDE]], %[[W]]
func.func @odd_columns(%x: tensor<64x40xf32>) -> tensor<64x37xf32> {
  %c0 = arith.constant 0 : index
  %c40 = arith.constant 40 : index
  %w = weft.weight "w" : tensor<37x40xf32>
  %y = weft.equation (%i, %k) in (64, 37) names ["i", "k"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c40) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<64x40xf32> -> f32
      %b = weft.read %w[%k, %c] : tensor<37x40xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x37xf32>
  return %y : tensor<64x37xf32>
}

// Weights that two indices choose: the outer one stays an axis, the inner one is blocked.
// CHECK-LABEL: func.func @gates
// CHECK: %[[P:.*]] = weft.equation (%[[K:.*]], %[[B:.*]], %[[C:.*]], %[[L:.*]]) in (4, 2, 24, 16)
// CHECK: %[[FIRST:.*]] = arith.muli %[[B]], %c16
// CHECK: %[[D:.*]] = arith.addi %[[FIRST]], %[[L]]
// CHECK: arith.muli %[[K]], %c32
// CHECK: attributes {packed = {axis = 2 : i64, block = 16 : i64}}
// CHECK: weft.read %[[P]][%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : tensor<4x2x24x16xf32>
func.func @gates(%x: tensor<64x24xf32>) -> tensor<64x4x32xf32> {
  %c0 = arith.constant 0 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %w = weft.weight "w" : tensor<128x24xf32>
  %y = weft.equation (%i, %k, %d) in (64, 4, 32) names ["i", "k", "d"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c24) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<64x24xf32> -> f32
      %first = arith.muli %k, %c32 : index
      %kd = arith.addi %first, %d : index
      %b = weft.read %w[%kd, %c] : tensor<128x24xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x4x32xf32>
  return %y : tensor<64x4x32xf32>
}

// Weights that neighbours share, `w[2*k + d]`, would be packed several times.
// CHECK-LABEL: func.func @overlapping
// CHECK-NOT: packed
// CHECK: return
func.func @overlapping(%x: tensor<64x24xf32>) -> tensor<64x48x32xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c24 = arith.constant 24 : index
  %w = weft.weight "w" : tensor<126x24xf32>
  %y = weft.equation (%i, %k, %d) in (64, 48, 32) names ["i", "k", "d"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c24) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<64x24xf32> -> f32
      %first = arith.muli %k, %c2 : index
      %kd = arith.addi %first, %d : index
      %b = weft.read %w[%kd, %c] : tensor<126x24xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x48x32xf32>
  return %y : tensor<64x48x32xf32>
}

// Two operands of this run are not packed: packing would cost what it saves.
// CHECK-LABEL: func.func @no_weights
// CHECK-NOT: packed
// CHECK: return
func.func @no_weights(%x: tensor<64x40xf32>, %w: tensor<40x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : index
  %c40 = arith.constant 40 : index
  %y = weft.equation (%i, %k) in (64, 64) names ["i", "k"] {
    %s = weft.reduce sum (%c) from (%c0) to (%c40) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<64x40xf32> -> f32
      %b = weft.read %w[%c, %k] : tensor<40x64xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}

// What is no contraction, a depthwise convolution: its weights get the axis that the innermost loop walks last.
// CHECK-LABEL: func.func @depthwise
// CHECK: %[[P:.*]] = weft.equation (%[[R:.*]], %[[S:.*]], %[[K:.*]]) in (3, 3, 32)
// CHECK: weft.read %{{.*}}[%[[K]], %[[R]], %[[S]]] : tensor<32x3x3xf32>
// CHECK: weft.equation (%{{.*}}, %{{.*}}, %{{.*}}, %[[K2:.*]]) in (1, 12, 12, 32)
// CHECK-NOT: packed
// CHECK: weft.read %[[P]][%{{.*}}, %{{.*}}, %[[K2]]] : tensor<3x3x32xf32>
func.func @depthwise(%x: tensor<1x14x14x32xf32>) -> tensor<1x12x12x32xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %w = weft.weight "w" : tensor<32x3x3xf32>
  %y = weft.equation (%n, %i, %j, %k) in (1, 12, 12, 32) names ["n", "i", "j", "k"] {
    %s = weft.reduce sum (%r, %q) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %ir = arith.addi %i, %r : index
      %jq = arith.addi %j, %q : index
      %a = weft.read %x[%n, %ir, %jq, %k] : tensor<1x14x14x32xf32> -> f32
      %b = weft.read %w[%k, %r, %q] : tensor<32x3x3xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x12x12x32xf32>
  return %y : tensor<1x12x12x32xf32>
}

// Three columns fill no vector: lanes go along the sum, which walks the last axis of the weights then.
// CHECK-LABEL: func.func @few_columns
// CHECK: %[[P:.*]] = weft.equation (%[[K:.*]], %[[R:.*]], %[[S:.*]], %[[C:.*]]) in (3, 3, 3, 32)
// CHECK: weft.read %{{.*}}[%[[K]], %[[C]], %[[R]], %[[S]]] : tensor<3x32x3x3xf32>
// CHECK: weft.reduce sum (%[[C2:.*]], %[[R2:.*]], %[[S2:.*]]) from
// CHECK: weft.read %[[P]][%{{.*}}, %[[R2]], %[[S2]], %[[C2]]] : tensor<3x3x3x32xf32>
func.func @few_columns(%x: tensor<1x14x14x32xf32>) -> tensor<1x12x12x3xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %w = weft.weight "w" : tensor<3x32x3x3xf32>
  %y = weft.equation (%n, %i, %j, %k) in (1, 12, 12, 3) names ["n", "i", "j", "k"] {
    %s = weft.reduce sum (%c, %r, %q) from (%c0, %c0, %c0) to (%c32, %c3, %c3) names ["c", "r", "s"] {
      %ir = arith.addi %i, %r : index
      %jq = arith.addi %j, %q : index
      %a = weft.read %x[%n, %ir, %jq, %c] : tensor<1x14x14x32xf32> -> f32
      %b = weft.read %w[%k, %c, %r, %q] : tensor<3x32x3x3xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x12x12x3xf32>
  return %y : tensor<1x12x12x3xf32>
}
