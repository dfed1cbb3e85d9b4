// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-compose-equations))' | FileCheck %s --check-prefix=COMPOSED
// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-equations{l2-bytes=65536 threads=2}))' | FileCheck %s

// What schedules say of kernels: `h` has one of its own, although what follows it could be computed with it; `e` is in that of
// `peak`, although they have no loop in common; `f` cannot be in that of `w`, and the reason is kept for the report.
module attributes {weft.fusion = {h = "", e = "peak", f = "w"}} {

// COMPOSED-LABEL: func.func @product
// COMPOSED: weft.equation {{.*}} attributes {path = "h"}
// COMPOSED: weft.equation {{.*}} attributes {path = "y"}
func.func @product(%x: tensor<64x32xf32>) -> tensor<64x48xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 32 : index
  %v = weft.weight "v" : tensor<32x48xf32>
  %h = weft.equation (%i, %k) in (64, 48) names ["i", "k"] attributes {path = "h"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<64x32xf32> -> f32
      %b = weft.read %v[%j, %k] : tensor<32x48xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x48xf32>
  %y = weft.equation (%i, %k) in (64, 48) names ["i", "k"] attributes {path = "y"} {
    %a = weft.read %h[%i, %k] : tensor<64x48xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<64x48xf32>
  return %y : tensor<64x48xf32>
}

// CHECK-LABEL: func.func @rows
// CHECK: weft.equation {{.*}} attributes {common = array<i64>, group = [[BOTH:[0-9]+]] : i64, path = "e"}
// CHECK: weft.equation {{.*}} attributes {common = array<i64>, group = [[BOTH]] : i64, path = "peak"}
func.func @rows(%x: tensor<512x256xf32>) -> tensor<512xf32> {
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
  return %peak : tensor<512xf32>
}

// CHECK-LABEL: func.func @between
// CHECK: weft.equation {{.*}} attributes {group = [[FIRST:[0-9]+]] : i64, path = "f"}
// CHECK: weft.equation {{.*}} attributes {apart = {f = "`g` needs the one and is needed by the other"}, group = [[LAST:[0-9]+]] : i64, path = "w"}
func.func @between(%x: tensor<512x256xf32>) -> tensor<512x256xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 256 : index
  %rows = arith.constant 512 : index
  %last = arith.constant 511 : index
  %f = weft.equation (%i, %j) in (512, 256) names ["i", "j"] attributes {path = "f"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<512x256xf32> -> f32
      %b = math.exp %a : f32
      weft.yield %b : f32
    } : f32
    weft.yield %s : f32
  } : tensor<512x256xf32>
  %g = weft.equation (%j) in (256) names ["j"] attributes {path = "g"} {
    %s = weft.reduce sum (%i) from (%c0) to (%rows) names ["i"] {
      %a = weft.read %f[%i, %j] : tensor<512x256xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<256xf32>
  %w = weft.equation (%i, %j) in (512, 256) names ["i", "j"] attributes {path = "w"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %f[%i, %k] : tensor<512x256xf32> -> f32
      %b = weft.read %g[%k] : tensor<256xf32> -> f32
      %p = arith.addf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<512x256xf32>
  return %w : tensor<512x256xf32>
}

}
