// RUN: weft-opt %s -weft-plan-memory | FileCheck %s
// A chain needs two places; a view keeps its source alive; the last result is the method's output.
// CHECK: module attributes {weft.arena = 3072 : i64}
module {
  // CHECK: func.func @chain{{.*}} attributes {weft.arena = 2048 : i64, weft.slots = array<i64>}
  func.func @chain(%x: tensor<256xf32>) -> tensor<256xf32> {
    // CHECK: weft.dynamic = array<i64: -1>, weft.offset = array<i64: [[A:0|1024]]>, weft.output = array<i64: -1>
    %0 = weft.launch @k(%x) : (tensor<256xf32>) -> tensor<256xf32>
    %v = tensor.expand_shape %0 [[0, 1]] output_shape [16, 16] : tensor<256xf32> into tensor<16x16xf32>
    %f = tensor.collapse_shape %v [[0, 1]] : tensor<16x16xf32> into tensor<256xf32>
    // CHECK: weft.offset = array<i64: [[B:0|1024]]>
    %1 = weft.launch @k(%f) : (tensor<256xf32>) -> tensor<256xf32>
    // CHECK: weft.offset = array<i64: [[A]]>
    %2 = weft.launch @k(%1) : (tensor<256xf32>) -> tensor<256xf32>
    // CHECK: weft.dynamic = array<i64: -1>, weft.offset = array<i64: -1>, weft.output = array<i64: 0>
    %3 = weft.launch @k(%2) : (tensor<256xf32>) -> tensor<256xf32>
    return %3 : tensor<256xf32>
  }
  // Results of run-time size have slots: a segment, and the times from which and to which they are needed.
  // CHECK: func.func @run_time{{.*}} attributes {weft.arena = 0 : i64, weft.slots = array<i64: 0, 3, 4, 0, 4, 5, 0, 5, 6, 0, 6, 7>}
  func.func @run_time(%x: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %m = tensor.dim %z, %c0 : tensor<?xf32>
    // CHECK: weft.dynamic = array<i64: 0>
    %0 = weft.launch @d(%x) sizes(%n) : (tensor<?xf32>) -> tensor<?xf32>
    // CHECK: weft.dynamic = array<i64: 1>
    %1 = weft.launch @d(%0) sizes(%n) : (tensor<?xf32>) -> tensor<?xf32>
    // CHECK: weft.dynamic = array<i64: 2>
    %2 = weft.launch @d(%1) sizes(%n) : (tensor<?xf32>) -> tensor<?xf32>
    // CHECK: weft.dynamic = array<i64: 3>
    %3 = weft.launch @e(%2, %m) sizes(%m) : (tensor<?xf32>, index) -> tensor<?xf32>
    // CHECK: weft.output = array<i64: 0>
    %4 = weft.launch @d(%3) sizes(%m) : (tensor<?xf32>) -> tensor<?xf32>
    return %4 : tensor<?xf32>
  }
  // Behind a size that the data decides begins a segment. A loop of steps lies in the segment around it, up to a size
  // that is found in a step; what comes behind the loop is in the segment of the loop again.
  // CHECK: func.func @found{{.*}} weft.slots = array<i64: 0, 0, 10, 1, 2, 10, 1, 11, 12, 1, 5, 7, 2, 7, 8>}
  func.func @found(%x: tensor<?xf32>, %n: index, %k: tensor<i64>) -> tensor<?xf32> {
    %0 = weft.launch @d(%x) sizes(%n) : (tensor<?xf32>) -> tensor<?xf32>
    // CHECK: weft.found %{{.*}} {weft.segment = 1 : i64}
    %m = weft.found %k : tensor<i64>
    %1 = weft.launch @e(%0, %m) sizes(%m) : (tensor<?xf32>, index) -> tensor<?xf32>
    // CHECK: weft.iterate {{.*}} weft.step_segment = 1 : i64, weft.step_slot = 3 : i64
    %2 = weft.iterate up @found_step [8] (%0, %1, %k : tensor<?xf32>, tensor<?xf32>, tensor<i64>) from (%k : tensor<i64>) {given = array<i64: 1>, window = array<i64: 1>, history = array<i1: false>, keep = ["last"]} : tensor<i64>
    %3 = weft.launch @e(%x, %m) sizes(%m) : (tensor<?xf32>, index) -> tensor<?xf32>
    %4 = weft.launch @d(%3) sizes(%m) : (tensor<?xf32>) -> tensor<?xf32>
    return %4 : tensor<?xf32>
  }
  func.func private @found_step(%t: index, %s: tensor<i64>, %x: tensor<?xf32>, %y: tensor<?xf32>, %k: tensor<i64>) -> tensor<i64> attributes {weft.step} {
    %c0 = arith.constant 0 : index
    %0 = weft.launch @d(%y) sizes(%c0) : (tensor<?xf32>) -> tensor<?xf32>
    // CHECK: weft.found %{{.*}} {weft.segment = 1 : i64}
    %m = weft.found %k : tensor<i64>
    %1 = weft.launch @e(%0, %m) sizes(%m) : (tensor<?xf32>, index) -> tensor<?xf32>
    %2 = weft.launch @next(%1) : (tensor<?xf32>) -> tensor<i64>
    return %2 : tensor<i64>
  }
  // A loop of steps has memory of its own while it runs: two aligned slices of its window, all positions where a step
  // reads them (a slot, for a number of steps that inputs say), and behind them what a step needs.
  // CHECK: func.func @steps{{.*}} attributes {weft.arena = 3072 : i64, weft.slots = array<i64: 0, 0, 5, 0, 0, 4>}
  func.func @steps(%x: tensor<256xf32>, %n: index) -> tensor<?x256xf32> {
    // CHECK: weft.scratch_dynamic = array<i64: -1, 1>, weft.scratch_offset = array<i64: 0, -1>, weft.step_offset = 2048 : i64, weft.step_segment = 0 : i64, weft.step_slot = 2 : i64
    %0 = weft.iterate up @step [%n] from (%x : tensor<256xf32>) {given = array<i64: 1>, window = array<i64: 1>, history = array<i1: true>, keep = ["all"]} : tensor<?x256xf32>
    // CHECK: weft.launch @copy(%{{.*}}) sizes(%{{.*}}) {weft.dynamic = array<i64: -1>, weft.offset = array<i64: -1>, weft.output = array<i64: 0>}
    %1 = weft.launch @copy(%0) sizes(%n) : (tensor<?x256xf32>) -> tensor<?x256xf32>
    return %1 : tensor<?x256xf32>
  }
  func.func private @step(%t: index, %h: tensor<256xf32>, %all: tensor<?x256xf32>) -> tensor<256xf32> attributes {weft.step} {
    // CHECK: weft.launch @k(%{{.*}}) {weft.dynamic = array<i64: -1>, weft.offset = array<i64: 0>, weft.output = array<i64: -1>}
    %0 = weft.launch @k(%h) : (tensor<256xf32>) -> tensor<256xf32>
    // CHECK: weft.output = array<i64: 0>
    %1 = weft.launch @k(%0) : (tensor<256xf32>) -> tensor<256xf32>
    return %1 : tensor<256xf32>
  }
  weft.kernel @next (%x: tensor<?xf32>) -> (tensor<i64>) {
    %z = weft.equation () in () names [] {
      %c0 = arith.constant 0 : i64
      weft.yield %c0 : i64
    } : tensor<i64>
    weft.return %z : tensor<i64>
  }
  weft.kernel @copy (%x: tensor<?x256xf32>) -> (tensor<?x256xf32>) {
    weft.return %x : tensor<?x256xf32>
  }
  weft.kernel @k (%x: tensor<256xf32>) -> (tensor<256xf32>) {
    weft.return %x : tensor<256xf32>
  }
  weft.kernel @d (%x: tensor<?xf32>) -> (tensor<?xf32>) {
    weft.return %x : tensor<?xf32>
  }
  weft.kernel @e (%x: tensor<?xf32>, %m: index) -> (tensor<?xf32>) {
    weft.return %x : tensor<?xf32>
  }
}
