// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-equations{l2-bytes=65536 threads=2}))' | FileCheck %s

// What one equation makes and the next reads at the same point shares a kernel, and they share its loop.
// CHECK-LABEL: func.func @softmax
// CHECK: names ["i"] attributes {common = array<i64: 0>, group = 0 : i64}
// CHECK: names ["i", "j"] attributes {common = array<i64: 0>, group = 0 : i64}
func.func @softmax(%x: tensor<512x256xf32>) -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 256 : index
  %peak = weft.equation (%i) in (512) names ["i"] {
    %s = weft.reduce max (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<512xf32>
  %y = weft.equation (%i, %j) in (512, 256) names ["i", "j"] {
    %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
    %b = weft.read %peak[%i] : tensor<512xf32> -> f32
    %d = arith.subf %a, %b : f32
    %e = math.exp %d : f32
    weft.yield %e : f32
  } : tensor<512x256xf32>
  return %y : tensor<512x256xf32>
}

// A reader of other points (the row before) shares no loop over them; much work without a common loop stays apart.
// CHECK-LABEL: func.func @shifted
// CHECK: names ["i", "j"] attributes {group = 0 : i64}
// CHECK: names ["i", "j"] attributes {group = 1 : i64}
func.func @shifted(%x: tensor<512x256xf32>) -> tensor<511x256xf32> {
  %c1 = arith.constant 1 : index
  %e = weft.equation (%i, %j) in (512, 256) names ["i", "j"] {
    %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<512x256xf32>
  %y = weft.equation (%i, %j) in (511, 256) names ["i", "j"] {
    %next = arith.addi %i, %c1 : index
    %a = weft.read %e[%next, %j] : tensor<512x256xf32> -> f32
    weft.yield %a : f32
  } : tensor<511x256xf32>
  return %y : tensor<511x256xf32>
}

// Little work shares a kernel without any common loop: one launch instead of two.
// CHECK-LABEL: func.func @small
// CHECK: names ["i"] attributes {common = array<i64>, group = 0 : i64}
// CHECK: names ["i"] attributes {common = array<i64>, group = 0 : i64}
func.func @small(%x: tensor<8xf32>) -> tensor<7xf32> {
  %c1 = arith.constant 1 : index
  %e = weft.equation (%i) in (8) names ["i"] {
    %a = weft.read %x[%i] : tensor<8xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<8xf32>
  %y = weft.equation (%i) in (7) names ["i"] {
    %next = arith.addi %i, %c1 : index
    %a = weft.read %e[%next] : tensor<8xf32> -> f32
    weft.yield %a : f32
  } : tensor<7xf32>
  return %y : tensor<7xf32>
}

// The columns are met at the same point, the rows are not: a loop is common only if it is an outer one of all, since
// inside of what is not common it would take strides.
// CHECK-LABEL: func.func @inner_axis
// CHECK: names ["i", "j"] attributes {group = 0 : i64}
// CHECK: names ["i", "j"] attributes {group = 1 : i64}
func.func @inner_axis(%x: tensor<512x256xf32>) -> tensor<511x256xf32> {
  %c1 = arith.constant 1 : index
  %e = weft.equation (%i, %j) in (512, 256) names ["i", "j"] {
    %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<512x256xf32>
  %y = weft.equation (%i, %j) in (511, 256) names ["i", "j"] {
    %next = arith.addi %i, %c1 : index
    %a = weft.read %e[%i, %j] : tensor<512x256xf32> -> f32
    %b = weft.read %e[%next, %j] : tensor<512x256xf32> -> f32
    %s = arith.addf %a, %b : f32
    weft.yield %s : f32
  } : tensor<511x256xf32>
  return %y : tensor<511x256xf32>
}

// What the members hand to each other at one point must stay in half of the cache: 16384 floats do not.
// CHECK-LABEL: func.func @long_rows
// CHECK: names ["i", "j"] attributes {group = 0 : i64}
// CHECK: names ["i"] attributes {group = 1 : i64}
func.func @long_rows(%x: tensor<64x16384xf32>) -> tensor<64xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 16384 : index
  %e = weft.equation (%i, %j) in (64, 16384) names ["i", "j"] {
    %a = weft.read %x[%i, %j] : tensor<64x16384xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<64x16384xf32>
  %y = weft.equation (%i) in (64) names ["i"] {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<64x16384xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64xf32>
  return %y : tensor<64xf32>
}

// Two equations that would need a third between them are no kernel: it reads the first and the second reads it.
// CHECK-LABEL: func.func @through_another
// CHECK: names ["i"] attributes {group = 0 : i64}
// CHECK: names ["i"] attributes {group = 1 : i64}
// CHECK: names ["i"] attributes {group = 2 : i64}
func.func @through_another(%x: tensor<100000xf32>) -> tensor<100000xf32> {
  %c99999 = arith.constant 99999 : index
  %e = weft.equation (%i) in (100000) names ["i"] {
    %a = weft.read %x[%i] : tensor<100000xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<100000xf32>
  %t = weft.equation (%i) in (100000) names ["i"] {
    %back = arith.subi %c99999, %i : index
    %a = weft.read %e[%back] : tensor<100000xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<100000xf32>
  %y = weft.equation (%i) in (100000) names ["i"] {
    %back = arith.subi %c99999, %i : index
    %a = weft.read %e[%i] : tensor<100000xf32> -> f32
    %b = weft.read %t[%back] : tensor<100000xf32> -> f32
    %s = arith.addf %a, %b : f32
    weft.yield %s : f32
  } : tensor<100000xf32>
  return %y : tensor<100000xf32>
}
