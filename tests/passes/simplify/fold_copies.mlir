// RUN: weft-opt %s -weft-fold-copies | FileCheck %s
// The reader of a transposition reads the source.
// CHECK-LABEL: func.func @transpose
// CHECK-SAME:      %[[X:.*]]: tensor<3x5xf32>
func.func @transpose(%x: tensor<3x5xf32>) -> tensor<5x3xf32> {
  // CHECK: weft.equation (%[[I:.*]], %[[J:.*]]) in (5, 3)
  // CHECK-NEXT: weft.read %[[X]][%[[J]], %[[I]]] : tensor<3x5xf32>
  // CHECK-NOT: weft.equation
  %t = weft.equation (%i, %j) in (5, 3) names ["i", "j"] {
    %a = weft.read %x[%j, %i] : tensor<3x5xf32> -> f32
    weft.yield %a : f32
  } : tensor<5x3xf32>
  %y = weft.equation (%i, %j) in (5, 3) names ["i", "j"] {
    %a = weft.read %t[%i, %j] : tensor<5x3xf32> -> f32
    %b = arith.negf %a : f32
    weft.yield %b : f32
  } : tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// A guard moves to the source where the axis is the same; a guarded read of padding keeps the padding.
// CHECK-LABEL: func.func @guarded
// CHECK-SAME:      %[[X:.*]]: tensor<3x5xf32>
func.func @guarded(%x: tensor<3x5xf32>, %zero: f32, %one: f32) -> (tensor<7x3xf32>, tensor<9x3xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK: weft.equation (%[[I:.*]], %[[J:.*]]) in (7, 3)
  // CHECK-NEXT: %[[S:.*]] = arith.subi %[[I]]
  // CHECK-NEXT: weft.read %[[X]][%[[J]], %[[S]]] outside [inside, fill] else %{{.*}} : tensor<3x5xf32>
  // CHECK: weft.equation (%{{.*}}, %{{.*}}) in (9, 3)
  // CHECK: weft.read %{{.*}} : tensor<7x3xf32>
  %t = weft.equation (%i, %j) in (5, 3) names ["i", "j"] {
    %a = weft.read %x[%j, %i] : tensor<3x5xf32> -> f32
    weft.yield %a : f32
  } : tensor<5x3xf32>
  %y = weft.equation (%i, %j) in (7, 3) names ["i", "j"] {
    %s = arith.subi %i, %c1 : index
    %a = weft.read %t[%s, %j] outside [fill, inside] else %zero : tensor<5x3xf32> -> f32
    weft.yield %a : f32
  } : tensor<7x3xf32>
  %z = weft.equation (%i, %j) in (9, 3) names ["i", "j"] {
    %s = arith.subi %i, %c1 : index
    %a = weft.read %y[%s, %j] outside [fill, inside] else %one : tensor<7x3xf32> -> f32
    weft.yield %a : f32
  } : tensor<9x3xf32>
  return %y, %z : tensor<7x3xf32>, tensor<9x3xf32>
}
