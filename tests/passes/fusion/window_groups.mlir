// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-equations{l2-bytes=262144 threads=2 explain=1}))' | FileCheck %s
// RUN: weft-opt %s -pass-pipeline='builtin.module(func.func(weft-group-equations{l2-bytes=1048576 threads=2}))' | FileCheck %s --check-prefix=LARGE

// A product that no cache holds is computed with the windows that go over it, by blocks of the channels that they share.
// What reads the result has a kernel of its own. In a large cache the product waits for the windows.
// CHECK-LABEL: func.func @inverted
// CHECK: common = array<i64: 2>, group = [[GROUP:[0-9]+]] : i64, {{.*}}path = "h"
// CHECK: common = array<i64: 2>, group = [[GROUP]] : i64, path = "y"
// CHECK: apart = {y = "windows and what they read are a kernel of their own"}
// LARGE-LABEL: func.func @inverted
// LARGE-NOT: common
// LARGE: func.func @read_twice
func.func @inverted(%x: tensor<64x64x16xf32>) -> (tensor<32x32x96xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c48 = arith.constant 48 : index
  %zero = arith.constant 0.0 : f32
  %w = weft.weight "w" : tensor<2x16x48xf32>
  %f = weft.weight "f" : tensor<3x3x96xf32>
  %h = weft.equation (%i, %j, %k) in (64, 64, 96) names ["i", "j", "k"] attributes {packed = {axis = 2 : i64, block = 48 : i64}, path = "h"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c16) names ["c"] {
      %a = weft.read %x[%i, %j, %c] : tensor<64x64x16xf32> -> f32
      %ko = arith.divui %k, %c48 : index
      %ki = arith.remui %k, %c48 : index
      %q = weft.read %w[%ko, %c, %ki] : tensor<2x16x48xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64x96xf32>
  %y = weft.equation (%i, %j, %k) in (32, 32, 96) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %is = arith.muli %i, %c2 : index
      %ir = arith.addi %is, %r : index
      %js = arith.muli %j, %c2 : index
      %jr = arith.addi %js, %t : index
      %ip = arith.subi %ir, %c1 : index
      %jp = arith.subi %jr, %c1 : index
      %a = weft.read %h[%ip, %jp, %k] outside [fill, fill, inside] else %zero : tensor<64x64x96xf32> -> f32
      %q = weft.read %f[%r, %t, %k] : tensor<3x3x96xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<32x32x96xf32>
  %z = weft.equation (%i, %j, %k) in (32, 32, 96) names ["i", "j", "k"] attributes {path = "z"} {
    %a = weft.read %y[%i, %j, %k] : tensor<32x32x96xf32> -> f32
    %e = math.exp %a : f32
    weft.yield %e : f32
  } : tensor<32x32x96xf32>
  return %z : tensor<32x32x96xf32>
}

// Others want the product, too.
// CHECK-LABEL: func.func @read_twice
// CHECK-NOT: common
func.func @read_twice(%x: tensor<64x64x16xf32>) -> (tensor<32x32x96xf32>, tensor<64x64x96xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c48 = arith.constant 48 : index
  %zero = arith.constant 0.0 : f32
  %w = weft.weight "w" : tensor<2x16x48xf32>
  %f = weft.weight "f" : tensor<3x3x96xf32>
  %h = weft.equation (%i, %j, %k) in (64, 64, 96) names ["i", "j", "k"] attributes {packed = {axis = 2 : i64, block = 48 : i64}, path = "h"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c16) names ["c"] {
      %a = weft.read %x[%i, %j, %c] : tensor<64x64x16xf32> -> f32
      %ko = arith.divui %k, %c48 : index
      %ki = arith.remui %k, %c48 : index
      %q = weft.read %w[%ko, %c, %ki] : tensor<2x16x48xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64x96xf32>
  %y = weft.equation (%i, %j, %k) in (32, 32, 96) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %is = arith.muli %i, %c2 : index
      %ir = arith.addi %is, %r : index
      %js = arith.muli %j, %c2 : index
      %jr = arith.addi %js, %t : index
      %ip = arith.subi %ir, %c1 : index
      %jp = arith.subi %jr, %c1 : index
      %a = weft.read %h[%ip, %jp, %k] outside [fill, fill, inside] else %zero : tensor<64x64x96xf32> -> f32
      %q = weft.read %f[%r, %t, %k] : tensor<3x3x96xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<32x32x96xf32>
  return %y, %h : tensor<32x32x96xf32>, tensor<64x64x96xf32>
}

// Rows and columns that no window reads would be computed in vain.
// CHECK-LABEL: func.func @read_in_part
// CHECK-NOT: common
func.func @read_in_part(%x: tensor<64x64x16xf32>) -> (tensor<32x32x96xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c48 = arith.constant 48 : index
  %zero = arith.constant 0.0 : f32
  %w = weft.weight "w" : tensor<2x16x48xf32>
  %f = weft.weight "f" : tensor<3x3x96xf32>
  %h = weft.equation (%i, %j, %k) in (64, 64, 96) names ["i", "j", "k"] attributes {packed = {axis = 2 : i64, block = 48 : i64}, path = "h"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c16) names ["c"] {
      %a = weft.read %x[%i, %j, %c] : tensor<64x64x16xf32> -> f32
      %ko = arith.divui %k, %c48 : index
      %ki = arith.remui %k, %c48 : index
      %q = weft.read %w[%ko, %c, %ki] : tensor<2x16x48xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64x64x96xf32>
  %y = weft.equation (%i, %j, %k) in (32, 32, 96) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %is = arith.addi %i, %c0 : index
      %ir = arith.addi %is, %r : index
      %js = arith.addi %j, %c0 : index
      %jr = arith.addi %js, %t : index
      %a = weft.read %h[%ir, %jr, %k] outside [inside, inside, inside] : tensor<64x64x96xf32> -> f32
      %q = weft.read %f[%r, %t, %k] : tensor<3x3x96xf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<32x32x96xf32>
  return %y : tensor<32x32x96xf32>
}
