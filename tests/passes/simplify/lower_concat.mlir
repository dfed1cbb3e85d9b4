// RUN: weft-opt %s -weft-lower-concat | FileCheck %s
// One equation that asks the index which source to read, and reads only that.
// CHECK-LABEL: func.func @join
// CHECK-SAME:      %[[A:.*]]: tensor<2x3xf32>, %[[B:.*]]: tensor<2x?xf32>
func.func @join(%a: tensor<2x3xf32>, %b: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK: weft.equation (%[[I:.*]], %[[J:.*]]) in (2, %{{.*}})
  // CHECK: %[[HERE:.*]] = arith.cmpi slt, %[[J]], %{{.*}} : index
  // CHECK: scf.if %[[HERE]] -> (f32) {
  // CHECK-NEXT: weft.read %[[A]][%[[I]], %[[J]]]
  // CHECK: } else {
  // CHECK: %[[REST:.*]] = arith.subi %[[J]], %{{.*}} : index
  // CHECK-NEXT: weft.read %[[B]][%[[I]], %[[REST]]]
  // CHECK-NOT: tensor.concat
  %y = tensor.concat dim(1) %a, %b : (tensor<2x3xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}
