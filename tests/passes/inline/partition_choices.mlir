// RUN: weft-opt %s -weft-partition-choices | FileCheck %s
// What the first element needs is computed for the rows that choose it, and read from there; the second one is only read.
// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<300x64xf32>, %w: tensor<64x64xf32>, %k: tensor<300xi64>) -> tensor<300x64xf32> {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  // CHECK: %[[KEYS:.*]] = weft.equation (%{{.*}}) in (300) names ["row"] attributes {path = "y.choice"}
  // CHECK: %[[ORDER:.*]], %[[STARTS:.*]] = weft.segments %[[KEYS]] : tensor<300xi64> -> tensor<300xi64>, tensor<3xi64>
  // CHECK: %[[PLACE:.*]], %{{.*}} = weft.segments %[[ORDER]]
  // CHECK: %[[COUNT:.*]] = weft.found %{{.*}} {weft.about = 300 : i64}
  // CHECK: %[[LIST:.*]] = weft.equation (%{{.*}}) in (%[[COUNT]]) names ["row"] attributes {path = "y.row"}
  // CHECK: weft.read %[[ORDER]]
  // CHECK: %[[OWN:.*]] = weft.equation (%[[Q:.*]], %{{.*}}) in (%[[COUNT]], 64) names ["row", "d"] attributes {path = "own"}
  // CHECK: %[[N:.*]] = weft.read %[[LIST]][%[[Q]]]
  // CHECK: %[[R:.*]] = arith.index_cast %[[N]]
  // CHECK: weft.read %{{.*}}[%[[R]], %{{.*}}] : tensor<300x64xf32>
  // CHECK: %[[VALUES:.*]] = weft.equation (%[[Q:.*]], %{{.*}}) in (%[[COUNT]], 64)
  // CHECK: weft.read %[[OWN]][%[[Q]], %{{.*}}]
  // CHECK: weft.equation (%[[I:.*]], %[[D:.*]]) in (300, 64) names ["r", "d"]
  // CHECK-NOT: weft.reduce
  // CHECK: %[[AT:.*]] = weft.read %[[PLACE]][%[[I]]]
  // CHECK: %[[FIRST:.*]] = weft.read %[[STARTS]]
  // CHECK: arith.subi %[[AT]], %[[FIRST]]
  // CHECK: weft.read %[[VALUES]][%{{.*}}, %[[D]]]
  %own = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "own"} {
    %s = weft.reduce sum (%j) from (%c0) to (%c64) names ["j"] {
      %a = weft.read %x[%r, %j] : tensor<300x64xf32> -> f32
      %b = weft.read %w[%j, %d] : tensor<64x64xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<300x64xf32>
  %y = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "y"} {
    %at = weft.read %k[%r] : tensor<300xi64> -> i64
    %i = arith.index_cast %at : i64 to index
    %here = arith.cmpi eq, %i, %c0 : index
    %v = scf.if %here -> (f32) {
      %a = weft.read %own[%r, %d] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } else {
      %a = weft.read %x[%r, %d] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } {weft.choice = 2}
    weft.yield %v : f32
  } : tensor<300x64xf32>
  return %y : tensor<300x64xf32>
}
// Without an index: a step that is made or not.
// CHECK-LABEL: func.func @once
func.func @once(%x: tensor<64x64xf32>, %k: tensor<i64>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  // CHECK: %[[TAKEN:.*]] = weft.found
  // CHECK: %[[SIDE:.*]] = weft.loop up (%{{.*}}) in (%[[TAKEN]]) {{.*}}weft.side
  // CHECK: weft.reduce sum
  // CHECK: weft.yield %{{.*}} : tensor<64x64xf32>
  // CHECK: weft.equation (%[[I:.*]], %[[D:.*]]) in (64, 64)
  // CHECK-NOT: weft.reduce
  // CHECK: weft.read %[[SIDE]][%[[I]], %[[D]]]
  %own = weft.equation (%r, %d) in (64, 64) names ["r", "d"] attributes {path = "own"} {
    %s = weft.reduce sum (%j) from (%c0) to (%c64) names ["j"] {
      %a = weft.read %x[%r, %j] : tensor<64x64xf32> -> f32
      %b = weft.read %x[%j, %d] : tensor<64x64xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64xf32>
  %y = weft.equation (%r, %d) in (64, 64) names ["r", "d"] attributes {path = "y"} {
    %at = weft.read %k[] : tensor<i64> -> i64
    %i = arith.index_cast %at : i64 to index
    %here = arith.cmpi eq, %i, %c0 : index
    %v = scf.if %here -> (f32) {
      %a = weft.read %own[%r, %d] : tensor<64x64xf32> -> f32
      scf.yield %a : f32
    } else {
      %a = weft.read %x[%r, %d] : tensor<64x64xf32> -> f32
      scf.yield %a : f32
    } {weft.choice = 2}
    weft.yield %v : f32
  } : tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}

// What another element reads as well, or another row, is computed for all.
// CHECK-LABEL: func.func @shared
func.func @shared(%x: tensor<300x64xf32>, %k: tensor<300xi64>) -> tensor<300x64xf32> {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  // CHECK: weft.equation (%{{.*}}, %{{.*}}) in (300, 64) names ["r", "d"] attributes {path = "both"}
  // CHECK: weft.reduce
  // CHECK-NOT: weft.segments
  %both = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "both"} {
    %s = weft.reduce sum (%j) from (%c0) to (%c64) names ["j"] {
      %a = weft.read %x[%r, %j] : tensor<300x64xf32> -> f32
      %b = weft.read %x[%j, %d] : tensor<300x64xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<300x64xf32>
  %y = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "y"} {
    %at = weft.read %k[%r] : tensor<300xi64> -> i64
    %i = arith.index_cast %at : i64 to index
    %here = arith.cmpi eq, %i, %c0 : index
    // CHECK: scf.if
    // CHECK-NOT: weft.choice
    %v = scf.if %here -> (f32) {
      %a = weft.read %both[%r, %d] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } else {
      %a = weft.read %both[%r, %d] : tensor<300x64xf32> -> f32
      %b = arith.negf %a : f32
      scf.yield %b : f32
    } {weft.choice = 2}
    weft.yield %v : f32
  } : tensor<300x64xf32>
  return %y : tensor<300x64xf32>
}
