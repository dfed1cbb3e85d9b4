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

// Steps that end by point are made for the rows of the element, until those have ended.
// CHECK-LABEL: func.func @points
func.func @points(%x: tensor<300x64xf32>, %no: tensor<300xi1>, %zero: tensor<300xi64>, %k: tensor<300xi64>) -> tensor<300x64xf32> {
  %c0 = arith.constant 0 : index
  %c300 = arith.constant 300 : index
  // CHECK: %[[COUNT:.*]] = weft.found %{{.*}} {weft.about = 300 : i64}
  // CHECK: %[[X:.*]] = weft.equation (%{{.*}}) in (%[[COUNT]], 64) {{.*}}path = "y.start"
  // CHECK: %[[LOOP:.*]]:3 = weft.loop up (%{{.*}}) in (90) names ["t"] state (%[[S:.*]]: tensor<?x64xf32>, %[[HAD:.*]]: tensor<?xi1>, %[[N:.*]]: tensor<?xi64>)
  // CHECK-SAME: from (%[[X]], %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?xi1>, tensor<?xi64>) sizes (%[[COUNT]], %[[COUNT]], %[[COUNT]])
  // CHECK-SAME: weft.ends_by_point, weft.until
  // CHECK: %[[ENDED:.*]] = weft.equation (%[[Q:.*]]) in (%[[COUNT]]) {{.*}}path = "ended"
  // CHECK: weft.read %[[HAD]][%[[Q]]]
  // CHECK: %[[ALL:.*]] = weft.equation () in ()
  // CHECK: weft.reduce all (%[[R:.*]]) from (%{{.*}}) to (%[[COUNT]]) names ["row"]
  // CHECK-NEXT: weft.read %[[ENDED]][%[[R]]]
  // CHECK: weft.yield %{{.*}}, %[[ENDED]], %{{.*}}, %[[ALL]]
  // CHECK-NOT: weft.loop
  // CHECK: weft.read %[[LOOP]]#0
  %last:3 = weft.loop up (%t) in (90) names ["t"] state (%s: tensor<300x64xf32>, %had: tensor<300xi1>, %n: tensor<300xi64>)
      from (%x, %no, %zero : tensor<300x64xf32>, tensor<300xi1>, tensor<300xi64>)
      attributes {given = array<i64: 1, 1, 1, 0>, history = array<i1: false, false, false, false>, keep = ["last", "none", "last", "none"], weft.ends_by_point, weft.until, window = array<i64: 1, 1, 1, 0>} {
    %next = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "next"} {
      %c63 = arith.constant 63 : index
      %m = arith.subi %c63, %d : index
      %a = weft.read %s[%r, %m] : tensor<300x64xf32> -> f32
      %b = math.tanh %a : f32
      %e = weft.read %had[%r] : tensor<300xi1> -> i1
      %o = weft.read %s[%r, %d] : tensor<300x64xf32> -> f32
      %v = arith.select %e, %o, %b : f32
      weft.yield %v : f32
    } : tensor<300x64xf32>
    %ended = weft.equation (%r) in (300) names ["r"] attributes {path = "ended"} {
      %a = weft.read %next[%r, %c0] : tensor<300x64xf32> -> f32
      %nine = arith.constant 9.0 : f32
      %now = arith.cmpf ogt, %a, %nine : f32
      %e = weft.read %had[%r] : tensor<300xi1> -> i1
      %v = arith.ori %now, %e : i1
      weft.yield %v : i1
    } : tensor<300xi1>
    %steps = weft.equation (%r) in (300) names ["r"] attributes {path = "steps"} {
      %a = weft.read %n[%r] : tensor<300xi64> -> i64
      %one = arith.constant 1 : i64
      %v = arith.addi %a, %one : i64
      weft.yield %v : i64
    } : tensor<300xi64>
    %all = weft.equation () in () names [] {
      %v = weft.reduce all (%r) from (%c0) to (%c300) names ["r"] {
        %e = weft.read %ended[%r] : tensor<300xi1> -> i1
        weft.yield %e : i1
      } : i1
      weft.yield %v : i1
    } : tensor<i1>
    weft.yield %next, %ended, %steps, %all : tensor<300x64xf32>, tensor<300xi1>, tensor<300xi64>, tensor<i1>
  } : tensor<300x64xf32>, tensor<300xi64>, tensor<i64>
  %y = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "y"} {
    %at = weft.read %k[%r] : tensor<300xi64> -> i64
    %i = arith.index_cast %at : i64 to index
    %here = arith.cmpi eq, %i, %c0 : index
    %v = scf.if %here -> (f32) {
      %a = weft.read %last#0[%r, %d] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } else {
      %a = weft.read %x[%r, %d] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } {weft.choice = 2}
    weft.yield %v : f32
  } : tensor<300x64xf32>
  return %y : tensor<300x64xf32>
}

// Of a loop of which each step is a row those of the element are made; what it alone reads has them too.
// CHECK-LABEL: func.func @row_loop
func.func @row_loop(%x: tensor<300x64xf32>, %w: tensor<64x64xf32>, %k: tensor<300xi64>) -> tensor<300xf32> {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  // CHECK: %[[COUNT:.*]] = weft.found %{{.*}} {weft.about = 300 : i64}
  // CHECK: %[[LIST:.*]] = weft.equation (%{{.*}}) in (%[[COUNT]]) names ["row"] attributes {path = "y.row"}
  // CHECK: %[[OWN:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (%[[COUNT]], 64) names ["row", "d"] attributes {path = "own"}
  // CHECK: %[[LOOP:.*]] = weft.loop up (%[[Q:.*]]) in (%[[COUNT]])
  // CHECK: weft.equation () in ()
  // CHECK: %[[N:.*]] = weft.read %[[LIST]][%[[Q]]]
  // CHECK: %[[R:.*]] = arith.index_cast %[[N]]
  // CHECK: weft.read %[[OWN]][%[[Q]], %{{.*}}]
  // CHECK: weft.read %{{.*}}[%[[R]], %{{.*}}] : tensor<300x64xf32>
  // CHECK: } : tensor<?xf32>
  // CHECK: weft.read %[[LOOP]]
  %own = weft.equation (%r, %d) in (300, 64) names ["r", "d"] attributes {path = "own"} {
    %s = weft.reduce sum (%j) from (%c0) to (%c64) names ["j"] {
      %a = weft.read %x[%r, %j] : tensor<300x64xf32> -> f32
      %b = weft.read %w[%j, %d] : tensor<64x64xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<300x64xf32>
  %rows = weft.loop up (%r) in (300) names ["r"]
      attributes {given = array<i64: 0>, history = array<i1: false>, keep = ["all"], window = array<i64: 0>} {
    %one = weft.equation () in () names [] attributes {path = "one"} {
      %s = weft.reduce sum (%j) from (%c0) to (%c64) names ["j"] {
        %a = weft.read %own[%r, %j] : tensor<300x64xf32> -> f32
        %b = weft.read %x[%r, %j] : tensor<300x64xf32> -> f32
        %p = arith.mulf %a, %b : f32
        weft.yield %p : f32
      } : f32
      weft.yield %s : f32
    } : tensor<f32>
    weft.yield %one : tensor<f32>
  } : tensor<300xf32>
  %y = weft.equation (%r) in (300) names ["r"] attributes {path = "y"} {
    %at = weft.read %k[%r] : tensor<300xi64> -> i64
    %i = arith.index_cast %at : i64 to index
    %here = arith.cmpi eq, %i, %c0 : index
    %v = scf.if %here -> (f32) {
      %a = weft.read %rows[%r] : tensor<300xf32> -> f32
      scf.yield %a : f32
    } else {
      %a = weft.read %x[%r, %c0] : tensor<300x64xf32> -> f32
      scf.yield %a : f32
    } {weft.choice = 2}
    weft.yield %v : f32
  } : tensor<300xf32>
  return %y : tensor<300xf32>
}
