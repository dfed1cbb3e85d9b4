// RUN: weft-opt %s -weft-fold-views | FileCheck %s
// A read of an expanded shape joins its subscripts.
// CHECK-LABEL: func.func @expand
// CHECK-SAME:      %[[X:.*]]: tensor<2x12xf32>
func.func @expand(%x: tensor<2x12xf32>) -> tensor<2x3x4xf32> {
  // CHECK: weft.equation (%[[N:.*]], %[[G:.*]], %[[C:.*]]) in (2, 3, 4)
  // CHECK: %[[T:.*]] = arith.muli %[[G]], %{{.*}} : index
  // CHECK: %[[S:.*]] = arith.addi %[[T]], %[[C]] : index
  // CHECK: weft.read %[[X]][%[[N]], %[[S]]] : tensor<2x12xf32>
  %v = tensor.expand_shape %x [[0], [1, 2]] output_shape [2, 3, 4] : tensor<2x12xf32> into tensor<2x3x4xf32>
  %y = weft.equation (%n, %g, %c) in (2, 3, 4) names ["n", "g", "c"] {
    %a = weft.read %v[%n, %g, %c] : tensor<2x3x4xf32> -> f32
    %b = arith.negf %a : f32
    weft.yield %b : f32
  } : tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// A read of a collapsed shape splits its subscript where the ranges of the indices show how.
// CHECK-LABEL: func.func @collapse
// CHECK-SAME:      %[[X:.*]]: tensor<2x3x4xf32>
func.func @collapse(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %c4 = arith.constant 4 : index
  // CHECK: weft.equation (%[[N:.*]], %[[G:.*]], %[[C:.*]]) in (2, 3, 4)
  // CHECK: weft.read %[[X]][%[[N]], %[[G]], %[[C]]] : tensor<2x3x4xf32>
  %v = tensor.collapse_shape %x [[0], [1, 2]] : tensor<2x3x4xf32> into tensor<2x12xf32>
  %y = weft.equation (%n, %g, %c) in (2, 3, 4) names ["n", "g", "c"] {
    %t = arith.muli %g, %c4 : index
    %s = arith.addi %t, %c : index
    %a = weft.read %v[%n, %s] : tensor<2x12xf32> -> f32
    weft.yield %a : f32
  } : tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// An index that does not split keeps the view: it is free, a division is not.
// CHECK-LABEL: func.func @whole
func.func @whole(%x: tensor<2x3x4xf32>) -> tensor<2x12xf32> {
  // CHECK: %[[V:.*]] = tensor.collapse_shape
  // CHECK: weft.read %[[V]]
  %v = tensor.collapse_shape %x [[0], [1, 2]] : tensor<2x3x4xf32> into tensor<2x12xf32>
  %y = weft.equation (%n, %i) in (2, 12) names ["n", "i"] {
    %a = weft.read %v[%n, %i] : tensor<2x12xf32> -> f32
    weft.yield %a : f32
  } : tensor<2x12xf32>
  return %y : tensor<2x12xf32>
}
