// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-equations{l2-bytes=65536 threads=2 explain=1}),weft-outline-kernels)' | FileCheck %s

// A launch says of every equation of other kernels that it reads why it is in none of them. What shares a kernel has
// nothing to say.
// CHECK-LABEL: func.func @rows
// CHECK: weft.launch {{.*}} {path = "e", paths = ["e"]}
// CHECK: weft.launch {{.*}} {apart = {e = "they have no outer loop in common"}, path = "y", paths = ["peak", "y"]}
func.func @rows(%x: tensor<512x256xf32>) -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 256 : index
  %last = arith.constant 511 : index
  %e = weft.equation (%i, %j) in (512, 256) names ["i", "j"] attributes {path = "e"} {
    %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<512x256xf32>
  %peak = weft.equation (%i) in (512) names ["i"] attributes {path = "peak"} {
    %back = arith.subi %last, %i : index
    %s = weft.reduce max (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %e[%back, %j] : tensor<512x256xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<512xf32>
  %y = weft.equation (%i, %j) in (512, 256) names ["i", "j"] attributes {path = "y"} {
    %a = weft.read %x[%i, %j] : tensor<512x256xf32> -> f32
    %b = weft.read %peak[%i] : tensor<512xf32> -> f32
    %d = arith.subf %a, %b : f32
    weft.yield %d : f32
  } : tensor<512x256xf32>
  return %y : tensor<512x256xf32>
}

// CHECK-LABEL: func.func @product
// CHECK: weft.launch {{.*}} {path = "h", paths = ["h"]}
// CHECK: weft.launch {{.*}} {apart = {h = "a contraction with weights has a kernel of its own"}, path = "y", paths = ["y"]}
func.func @product(%x: tensor<64x32xf32>) -> tensor<64x48xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 32 : index
  %w = weft.weight "w" : tensor<32x48xf32>
  %h = weft.equation (%i, %j) in (64, 32) names ["i", "j"] attributes {path = "h"} {
    %a = weft.read %x[%i, %j] : tensor<64x32xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<64x32xf32>
  %y = weft.equation (%i, %k) in (64, 48) names ["i", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %h[%i, %j] : tensor<64x32xf32> -> f32
      %b = weft.read %w[%j, %k] : tensor<32x48xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x48xf32>
  return %y : tensor<64x48xf32>
}

// CHECK-LABEL: func.func @through_another
// CHECK: weft.launch {{.*}} {path = "e", paths = ["e"]}
// CHECK: weft.launch {{.*}} {apart = {e = "they have no outer loop in common"}, path = "t", paths = ["t"]}
// CHECK: weft.launch {{.*}} {apart = {e = "`t` needs the one and is needed by the other", t = "they have no outer loop in common"}, path = "y"
func.func @through_another(%x: tensor<100000xf32>) -> tensor<100000xf32> {
  %c99999 = arith.constant 99999 : index
  %e = weft.equation (%i) in (100000) names ["i"] attributes {path = "e"} {
    %a = weft.read %x[%i] : tensor<100000xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<100000xf32>
  %t = weft.equation (%i) in (100000) names ["i"] attributes {path = "t"} {
    %back = arith.subi %c99999, %i : index
    %a = weft.read %e[%back] : tensor<100000xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<100000xf32>
  %y = weft.equation (%i) in (100000) names ["i"] attributes {path = "y"} {
    %back = arith.subi %c99999, %i : index
    %a = weft.read %e[%i] : tensor<100000xf32> -> f32
    %b = weft.read %t[%back] : tensor<100000xf32> -> f32
    %s = arith.addf %a, %b : f32
    weft.yield %s : f32
  } : tensor<100000xf32>
  return %y : tensor<100000xf32>
}

// What one step of the common loop hands over must stay in half of the cache.
// CHECK-LABEL: func.func @long_rows
// CHECK: {apart = {e = "what they hand over in one step of the common loops does not stay in the second-level cache"}
func.func @long_rows(%x: tensor<64x16384xf32>) -> tensor<64xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 16384 : index
  %e = weft.equation (%i, %j) in (64, 16384) names ["i", "j"] attributes {path = "e"} {
    %a = weft.read %x[%i, %j] : tensor<64x16384xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<64x16384xf32>
  %y = weft.equation (%i) in (64) names ["i"] attributes {path = "y"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<64x16384xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64xf32>
  return %y : tensor<64xf32>
}
