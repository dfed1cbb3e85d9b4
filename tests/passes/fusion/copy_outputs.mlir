// RUN: weft-opt %s -weft-copy-outputs | FileCheck %s
// An input that is returned, and an output returned twice, are written by equations of their own.
// CHECK-LABEL: func.func @outputs
// CHECK-SAME:      %[[X:.*]]: tensor<?xf32>
func.func @outputs(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<4xf32>, tensor<2x2xf32>) {
  // CHECK: %[[Y:.*]] = weft.equation (%{{.*}}) in (4)
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<?xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  // CHECK: %[[V:.*]] = tensor.expand_shape %[[Y]]
  %v = tensor.expand_shape %y [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  // CHECK: %[[A:.*]] = weft.equation
  // CHECK: weft.read %[[X]]
  // CHECK: %[[B:.*]] = weft.equation
  // CHECK: weft.read %[[V]]
  // CHECK: return %[[A]], %[[Y]], %[[B]]
  return %x, %y, %v : tensor<?xf32>, tensor<4xf32>, tensor<2x2xf32>
}
