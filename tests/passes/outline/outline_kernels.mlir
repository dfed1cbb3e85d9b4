// RUN: weft-opt %s -weft-outline-kernels | FileCheck %s
// A group is one kernel that returns what others read; a size that is no dimension of an operand is an operand.
module {
  // CHECK-LABEL: func.func @main
  // CHECK-SAME:      %[[X:.*]]: tensor<?x4xf32>, %[[Z:.*]]: tensor<?xf32>
  func.func @main(%x: tensor<?x4xf32>, %z: tensor<?xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>) {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    // CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]]
    // CHECK-DAG: %[[K:.*]] = tensor.dim %[[Z]]
    %n = tensor.dim %x, %c0 : tensor<?x4xf32>
    %k = tensor.dim %z, %c0 : tensor<?xf32>
    // CHECK: %[[Y:.*]] = weft.launch @rows(%[[X]]) sizes(%[[N]]) {path = "y"} : (tensor<?x4xf32>) -> tensor<?x4xf32>
    %s = weft.equation (%i) in (%n) names ["i"] attributes {group = 0 : i64, common = array<i64: 0>, path = "s"} {
      %t = weft.reduce sum (%j) from (%c0) to (%c4) names ["j"] {
        %a = weft.read %x[%i, %j] : tensor<?x4xf32> -> f32
        weft.yield %a : f32
      } : f32
      weft.yield %t : f32
    } : tensor<?xf32>
    %y = weft.equation (%i, %j) in (%n, 4) names ["i", "j"] attributes {group = 0 : i64, common = array<i64: 0>, path = "y"} {
      %a = weft.read %x[%i, %j] : tensor<?x4xf32> -> f32
      %b = weft.read %s[%i] : tensor<?xf32> -> f32
      %c = arith.divf %a, %b : f32
      weft.yield %c : f32
    } : tensor<?x4xf32>
    // CHECK: %[[P:.*]] = weft.launch @copy(%[[X]], %[[K]]) sizes(%[[K]])
    %p = weft.equation (%i, %j) in (%k, 2) names ["i", "j"] attributes {group = 1 : i64} {
      %a = weft.read %x[%c0, %j] : tensor<?x4xf32> -> f32
      weft.yield %a : f32
    } : tensor<?x2xf32>
    // CHECK: return %[[Y]], %[[P]]
    return %y, %p : tensor<?x4xf32>, tensor<?x2xf32>
  }
  // CHECK: weft.kernel @rows {class = "row_reduction", path = "y"} (%[[A:.*]]: tensor<?x4xf32>) -> (tensor<?x4xf32>)
  // CHECK: tensor.dim %[[A]]
  // CHECK-COUNT-2: attributes {common = array<i64: 0>}
  // CHECK: weft.kernel @copy {class = "copy"} (%{{.*}}: tensor<?x4xf32>, %[[KK:.*]]: index) -> (tensor<?x2xf32>)
  // CHECK: weft.equation (%{{.*}}, %{{.*}}) in (%[[KK]], 2)
}
