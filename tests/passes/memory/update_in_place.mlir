// RUN: weft-opt %s -weft-update-in-place -weft-plan-memory | FileCheck %s

weft.kernel @update (%s: tensor<1000xf32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>) {
  %y = weft.update %s at [0](%at) with %v : tensor<1000xf32>, (tensor<i64>), tensor<f32> -> tensor<1000xf32>
  weft.return %y : tensor<1000xf32>
}
weft.kernel @largest (%s: tensor<1000xf32>) -> (tensor<f32>) {
  %c0 = arith.constant 0 : index
  %c1000 = arith.constant 1000 : index
  %y = weft.equation () in () names [] {
    %m = weft.reduce max (%i) from (%c0) to (%c1000) names ["i"] {
      %a = weft.read %s[%i] : tensor<1000xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<f32>
  weft.return %y : tensor<f32>
}
weft.kernel @both (%s: tensor<1000xf32>, %m: tensor<1000xf32>) -> (tensor<f32>) {
  %c0 = arith.constant 0 : index
  %y = weft.equation () in () names [] {
    %a = weft.read %s[%c0] : tensor<1000xf32> -> f32
    %b = weft.read %m[%c0] : tensor<1000xf32> -> f32
    %c = arith.addf %a, %b : f32
    weft.yield %c : f32
  } : tensor<f32>
  weft.return %y : tensor<f32>
}

// What reads the state goes first, and one slice of 4000 bytes (4032 aligned) has memory, not two.
// CHECK-LABEL: func.func @before
// CHECK: weft.iterate
// CHECK-SAME: weft.in_place = array<i1: true, false>
// CHECK-SAME: weft.step_offset = 4160
func.func @before(%old: tensor<1000xf32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<8xf32>) {
  %y:2 = weft.iterate up @before_step [8] (%at, %v : tensor<i64>, tensor<f32>) from (%old, %v : tensor<1000xf32>, tensor<f32>) {given = array<i64: 1, 1>, window = array<i64: 1, 1>, history = array<i1: false, false>, keep = ["last", "all"]} : tensor<1000xf32>, tensor<8xf32>
  return %y#0, %y#1 : tensor<1000xf32>, tensor<8xf32>
}
// CHECK-LABEL: func.func private @before_step
// CHECK: weft.launch @largest
// CHECK-NEXT: weft.launch @update
func.func private @before_step(%t: index, %s: tensor<1000xf32>, %m: tensor<f32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<f32>) attributes {weft.step} {
  %next = weft.launch @update(%s, %at, %v) : (tensor<1000xf32>, tensor<i64>, tensor<f32>) -> tensor<1000xf32>
  %most = weft.launch @largest(%s) : (tensor<1000xf32>) -> tensor<f32>
  return %next, %most : tensor<1000xf32>, tensor<f32>
}

// What reads both the state before and the one behind needs two.
// CHECK-LABEL: func.func @needs_both
// CHECK: weft.iterate
// CHECK-NOT: weft.in_place
// CHECK: return
func.func @needs_both(%old: tensor<1000xf32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<8xf32>) {
  %y:2 = weft.iterate up @both_step [8] (%at, %v : tensor<i64>, tensor<f32>) from (%old, %v : tensor<1000xf32>, tensor<f32>) {given = array<i64: 1, 1>, window = array<i64: 1, 1>, history = array<i1: false, false>, keep = ["last", "all"]} : tensor<1000xf32>, tensor<8xf32>
  return %y#0, %y#1 : tensor<1000xf32>, tensor<8xf32>
}
func.func private @both_step(%t: index, %s: tensor<1000xf32>, %m: tensor<f32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<f32>) attributes {weft.step} {
  %next = weft.launch @update(%s, %at, %v) : (tensor<1000xf32>, tensor<i64>, tensor<f32>) -> tensor<1000xf32>
  %most = weft.launch @both(%s, %next) : (tensor<1000xf32>, tensor<1000xf32>) -> tensor<f32>
  return %next, %most : tensor<1000xf32>, tensor<f32>
}

// Two states that read each other: only one can be written first.
// CHECK-LABEL: func.func @crossed
// CHECK: weft.iterate
// CHECK-SAME: weft.in_place = array<i1: false, true, false>
func.func @crossed(%old: tensor<1000xf32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<1000xf32>, tensor<f32>) {
  %y:3 = weft.iterate up @crossed_step [8] (%at, %v : tensor<i64>, tensor<f32>) from (%old, %old, %v : tensor<1000xf32>, tensor<1000xf32>, tensor<f32>) {given = array<i64: 1, 1, 1>, window = array<i64: 1, 1, 1>, history = array<i1: false, false, false>, keep = ["last", "last", "last"]} : tensor<1000xf32>, tensor<1000xf32>, tensor<f32>
  return %y#0, %y#1, %y#2 : tensor<1000xf32>, tensor<1000xf32>, tensor<f32>
}
func.func private @crossed_step(%t: index, %s: tensor<1000xf32>, %r: tensor<1000xf32>, %m: tensor<f32>, %at: tensor<i64>, %v: tensor<f32>) -> (tensor<1000xf32>, tensor<1000xf32>, tensor<f32>) attributes {weft.step} {
  %s1 = weft.launch @update(%s, %at, %v) : (tensor<1000xf32>, tensor<i64>, tensor<f32>) -> tensor<1000xf32>
  %r1 = weft.launch @update(%r, %at, %v) : (tensor<1000xf32>, tensor<i64>, tensor<f32>) -> tensor<1000xf32>
  %most = weft.launch @both(%s, %r1) : (tensor<1000xf32>, tensor<1000xf32>) -> tensor<f32>
  return %s1, %r1, %most : tensor<1000xf32>, tensor<1000xf32>, tensor<f32>
}
