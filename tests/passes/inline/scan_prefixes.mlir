// RUN: weft-opt %s -weft-scan-prefixes | FileCheck %s
// What lies up to an index is carried from step to step; the other index of the equation makes slices.
// CHECK-LABEL: func.func @up_to
func.func @up_to(%x: tensor<3x64xf32>) -> tensor<3x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[ZERO:.*]] = weft.equation (%{{.*}}) in (3) names ["b"]
  // CHECK: %[[SUMS:.*]] = weft.loop up (%[[T:.*]]) in (64) names ["j"] state (%[[BEFORE:.*]]: tensor<3xf32>) from (%[[ZERO]] : tensor<3xf32>)
  // CHECK: weft.equation (%[[B:.*]]) in (3) names ["b"]
  // CHECK: %[[S:.*]] = weft.read %[[BEFORE]][%[[B]]]
  // CHECK: %[[X:.*]] = weft.read %{{.*}}[%[[B]], %[[T]]]
  // CHECK: arith.addf %[[S]], %[[X]]
  // CHECK: weft.equation (%[[B1:.*]], %[[I1:.*]]) in (3, 64)
  // CHECK-NOT: weft.reduce
  // CHECK: weft.read %[[SUMS]][%[[I1]], %[[B1]]] : tensor<64x3xf32> -> f32
  %y = weft.equation (%b, %i) in (3, 64) names ["b", "i"] {
    %end = arith.addi %i, %c1 : index
    %s = weft.reduce sum (%j) from (%c0) to (%end) names ["j"] {
      %a = weft.read %x[%b, %j] : tensor<3x64xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<3x64xf32>
  return %y : tensor<3x64xf32>
}

// Before an index there is one step less, and nothing before the first. Elements count where their condition holds.
// CHECK-LABEL: func.func @before
func.func @before(%x: tensor<64xf32>) -> tensor<64xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  // CHECK: %[[MAX:.*]] = weft.loop up (%{{.*}}) in (63) names ["j"]
  // CHECK: arith.maximumf
  // CHECK: arith.select
  // CHECK: weft.read %[[MAX]][%{{.*}}] outside [fill] else %{{.*}} : tensor<63xf32> -> f32
  %y = weft.equation (%i) in (64) names ["i"] {
    %s = weft.reduce max (%j) from (%c0) to (%i) names ["j"] {
      %a = weft.read %x[%j] : tensor<64xf32> -> f32
      %there = arith.cmpf ogt, %a, %zero : f32
      weft.yield %a if %there : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64xf32>
  return %y : tensor<64xf32>
}

// From an index on, downwards; the element of step 0 is number 1.
// CHECK-LABEL: func.func @behind
func.func @behind(%x: tensor<64xi1>) -> tensor<64xi1> {
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  // CHECK: weft.loop down (%[[T:.*]]) in (63) names ["j"]
  // CHECK: %[[J:.*]] = arith.addi %[[T]], %{{.*}} : index
  // CHECK: weft.read %{{.*}}[%[[J]]] : tensor<64xi1> -> i1
  // CHECK: arith.ori
  %y = weft.equation (%i) in (64) names ["i"] {
    %begin = arith.addi %i, %c1 : index
    %s = weft.reduce any (%j) from (%begin) to (%c64) names ["j"] {
      %a = weft.read %x[%j] : tensor<64xi1> -> i1
      weft.yield %a : i1
    } : i1
    weft.yield %s : i1
  } : tensor<64xi1>
  return %y : tensor<64xi1>
}

// Elements that depend on the index, and short ranges, stay.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: weft.loop
func.func @stays(%x: tensor<64xf32>, %z: tensor<8xf32>) -> (tensor<64xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %y = weft.equation (%i) in (64) names ["i"] {
    %xi = weft.read %x[%i] : tensor<64xf32> -> f32
    %s = weft.reduce sum (%j) from (%c0) to (%i) names ["j"] {
      %a = weft.read %x[%j] : tensor<64xf32> -> f32
      %d = arith.subf %a, %xi : f32
      weft.yield %d : f32
    } : f32
    weft.yield %s : f32
  } : tensor<64xf32>
  %w = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce sum (%j) from (%c0) to (%i) names ["j"] {
      %a = weft.read %z[%j] : tensor<8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %y, %w : tensor<64xf32>, tensor<8xf32>
}

// Counts are carried as i64. The first one that counts stays, and a second state says whether there was one.
// CHECK-LABEL: func.func @first
func.func @first(%b: tensor<64xi1>) -> (tensor<64xi64>, tensor<64xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant -1 : index
  // CHECK: %[[COUNT:.*]] = weft.loop up (%{{.*}}) in (64) names ["j"] state (%[[BEFORE:[a-z0-9]*]]: tensor<i64>)
  // CHECK: %[[N:.*]] = weft.read %[[BEFORE]][]
  // CHECK: arith.addi %[[N]], %{{.*}} : i64
  // CHECK: weft.equation (%[[I:.*]]) in (64)
  // CHECK-NOT: weft.reduce
  // CHECK: weft.read %[[COUNT]][%[[I]]]
  %n = weft.equation (%i) in (64) names ["i"] {
    %end = arith.addi %i, %c1 : index
    %s = weft.reduce sum (%j) from (%c0) to (%end) names ["j"] {
      %there = weft.read %b[%j] : tensor<64xi1> -> i1
      %one = arith.select %there, %c1, %c0 : index
      weft.yield %one : index
    } : index
    %r = arith.index_cast %s : index to i64
    weft.yield %r : i64
  } : tensor<64xi64>
  // CHECK: %[[FIRST:[0-9]*]]:2 = weft.loop up (%{{.*}}) in (64) names ["j"]
  // CHECK: %[[NONE:.*]] = arith.xori
  // CHECK: %[[TAKES:[0-9]*]] = arith.andi %{{.*}}, %[[NONE]]
  // CHECK: arith.select %[[TAKES]]
  // CHECK: weft.equation (%[[I:.*]]) in (64)
  // CHECK: %[[AT:.*]] = weft.read %[[FIRST]]#0[%[[I]]]
  // CHECK: %[[FOUND:.*]] = weft.read %[[FIRST]]#1[%[[I]]]
  // CHECK: arith.select %[[FOUND]]
  %f = weft.equation (%i) in (64) names ["i"] {
    %end = arith.addi %i, %c1 : index
    %s = weft.reduce first (%j) from (%c0) to (%end) names ["j"] {
      %there = weft.read %b[%j] : tensor<64xi1> -> i1
      weft.yield %j if %there : index
    } else %none : index
    %r = arith.index_cast %s : index to i64
    weft.yield %r : i64
  } : tensor<64xi64>
  return %n, %f : tensor<64xi64>, tensor<64xi64>
}
