// RUN: weft-opt %s -weft-extract-constants -canonicalize | FileCheck %s
// The part of a body that weights alone decide gets an equation over the indices it depends on.
// CHECK-LABEL: func.func @norm
// CHECK-SAME:      %[[X:.*]]: tensor<?x6xf32>
func.func @norm(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %c0 = arith.constant 0 : index
  %eps = arith.constant 1.0e-5 : f32
  %n = tensor.dim %x, %c0 : tensor<?x6xf32>
  %g = weft.weight "g" : tensor<6xf32>
  %v = weft.weight "v" : tensor<6xf32>
  // CHECK: %[[A:.*]] = weft.equation (%{{.*}}) in (6) names ["c"]
  // CHECK: math.sqrt
  // CHECK: arith.divf
  // CHECK: weft.equation (%[[I:.*]], %[[C:.*]]) in (%{{.*}}, 6) names ["n", "c"]
  // CHECK-NEXT: %[[P:.*]] = weft.read %[[X]][%[[I]], %[[C]]]
  // CHECK-NEXT: %[[Q:.*]] = weft.read %[[A]][%[[C]]]
  // CHECK-NEXT: arith.mulf %[[P]], %[[Q]]
  %y = weft.equation (%i, %c) in (%n, 6) names ["n", "c"] {
    %p = weft.read %x[%i, %c] : tensor<?x6xf32> -> f32
    %gc = weft.read %g[%c] : tensor<6xf32> -> f32
    %vc = weft.read %v[%c] : tensor<6xf32> -> f32
    %e = arith.addf %vc, %eps : f32
    %s = math.sqrt %e : f32
    %f = arith.divf %gc, %s : f32
    %r = arith.mulf %p, %f : f32
    weft.yield %r : f32
  } : tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// A weight that is only read stays; so does cheap arithmetic on indices.
// CHECK-LABEL: func.func @plain
func.func @plain(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %b = weft.weight "b" : tensor<6xf32>
  // CHECK-COUNT-1: weft.equation
  // CHECK-NOT: weft.equation
  %y = weft.equation (%i, %c) in (4, 6) names ["n", "c"] {
    %p = weft.read %x[%i, %c] : tensor<4x6xf32> -> f32
    %bc = weft.read %b[%c] : tensor<6xf32> -> f32
    %r = arith.addf %p, %bc : f32
    %k = arith.index_cast %c : index to i64
    %kf = arith.sitofp %k : i64 to f32
    %s = arith.mulf %r, %kf : f32
    weft.yield %s : f32
  } : tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}
