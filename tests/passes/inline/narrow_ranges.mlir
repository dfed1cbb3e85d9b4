// RUN: weft-opt %s -weft-narrow-ranges | FileCheck %s

// A condition on the index ends the range; what else it asks stays.
// CHECK-LABEL: func.func @condition
func.func @condition(%x: tensor<8x9xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c9 = arith.constant 9 : index
  %zero = arith.constant 0.0 : f32
  // CHECK: weft.equation (%[[I:.*]]) in (8)
  // CHECK: %[[END:.*]] = arith.addi %[[I]], %c1
  // CHECK: weft.reduce sum (%{{.*}}) from (%c0) to (%[[END]])
  // CHECK-NOT: arith.cmpi
  // CHECK: weft.yield %{{.*}} if %{{.*}} : f32
  %y = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce sum (%j) from (%c0) to (%c9) names ["j"] {
      %near = arith.cmpi sle, %j, %i : index
      %a = weft.read %x[%i, %j] : tensor<8x9xf32> -> f32
      %positive = arith.cmpf ogt, %a, %zero : f32
      %both = arith.andi %near, %positive : i1
      weft.yield %a if %both : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %y : tensor<8xf32>
}

// So does a choice against the value of nothing; the range is no longer than it was.
// CHECK-LABEL: func.func @mask
func.func @mask(%x: tensor<8x4xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %least = arith.constant 0xFF800000 : f32
  // CHECK: weft.equation (%[[I:.*]]) in (8)
  // CHECK: %[[END:.*]] = arith.minsi %c4, %{{.*}} : index
  // CHECK: weft.reduce max (%[[J:.*]]) from (%c0) to (%[[END]])
  // CHECK-NEXT: %[[A:.*]] = weft.read %{{.*}}[%[[I]], %[[J]]]
  // CHECK-NEXT: weft.yield %[[A]] : f32
  %y = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%j) from (%c0) to (%c4) names ["j"] {
      %far = arith.cmpi sgt, %i, %j : index
      %v = scf.if %far -> f32 {
        %a = weft.read %x[%i, %j] : tensor<8x4xf32> -> f32
        scf.yield %a : f32
      } else {
        scf.yield %least : f32
      }
      weft.yield %v : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  return %y : tensor<8xf32>
}

// Another value than that of nothing counts; so does a place that data decides, and a position counts from the beginning.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: arith.minsi
// CHECK-NOT: arith.maxsi
func.func @stays(%x: tensor<8x4xf32>, %at: tensor<8xi64>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xi64>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %y = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce max (%j) from (%c0) to (%c4) names ["j"] {
      %far = arith.cmpi slt, %j, %i : index
      %a = weft.read %x[%i, %j] : tensor<8x4xf32> -> f32
      %v = arith.select %far, %a, %zero : f32
      weft.yield %v : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  %z = weft.equation (%i) in (8) names ["i"] {
    %e = weft.read %at[%i] : tensor<8xi64> -> i64
    %end = arith.index_cast %e : i64 to index
    %s = weft.reduce sum (%j) from (%c0) to (%c4) names ["j"] {
      %far = arith.cmpi slt, %j, %end : index
      %a = weft.read %x[%i, %j] : tensor<8x4xf32> -> f32
      weft.yield %a if %far : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8xf32>
  %p = weft.equation (%i) in (8) names ["i"] {
    %s = weft.reduce argmax (%j) from (%c0) to (%c4) names ["j"] {
      %far = arith.cmpi sge, %j, %i : index
      %a = weft.read %x[%i, %j] : tensor<8x4xf32> -> f32
      weft.yield %a if %far : f32
    } else %c4 : index
    %n = arith.index_cast %s : index to i64
    weft.yield %n : i64
  } : tensor<8xi64>
  return %y, %z, %p : tensor<8xf32>, tensor<8xf32>, tensor<8xi64>
}
