// RUN: weft-opt %s -weft-outline-kernels | FileCheck %s

// Equations of one group are one kernel.
// CHECK-LABEL: func.func @one_group
// CHECK-NOT: weft.equation
// CHECK: weft.launch @rows(%{{.*}}) {{{.*}}path = "m.y", paths = ["m.e", "m.y"]} : (tensor<4x8xf32>) -> tensor<4xf32>
func.func @one_group(%x: tensor<4x8xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 8 : index
  %e = weft.equation (%i, %j) in (4, 8) names ["i", "j"] attributes {common = array<i64: 0>, group = 0 : i64, path = "m.e"} {
    %a = weft.read %x[%i, %j] : tensor<4x8xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<4x8xf32>
  %y = weft.equation (%i) in (4) names ["i"] attributes {common = array<i64: 0>, group = 0 : i64, path = "m.y"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<4x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// A size of an operand is read off it in the kernel; another is passed, and the launch gives the sizes of the results.
// CHECK-LABEL: func.func @sizes
// CHECK: %[[H:.*]] = tensor.dim
// CHECK: weft.launch @copy(%{{.*}}, %[[N:.*]]) sizes(%[[N]], %[[H]]) {{.*}}: (tensor<?xf32>, index) -> tensor<?x?xf32>
func.func @sizes(%x: tensor<?xf32>, %n: index) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %h = tensor.dim %x, %c0 : tensor<?xf32>
  %y = weft.equation (%i, %j) in (%n, %h) names ["i", "j"] {
    %a = weft.read %x[%j] : tensor<?xf32> -> f32
    weft.yield %a : f32
  } : tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// A launch stands behind all that it needs, also where its group's first equation stood above that.
// CHECK-LABEL: func.func @order
// CHECK: %[[B:.*]] = weft.launch @[[SECOND:[a-z_]*]](%{{.*}}) {{.*}}: (tensor<4xf32>) -> tensor<4xf32>
// CHECK: weft.launch @{{.*}}(%{{.*}}, %[[B]]) {{.*}}: (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
func.func @order(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = weft.equation (%i) in (4) names ["i"] attributes {common = array<i64: 0>, group = 0 : i64} {
    %u = weft.read %x[%i] : tensor<4xf32> -> f32
    %v = math.exp %u : f32
    weft.yield %v : f32
  } : tensor<4xf32>
  %b = weft.equation (%i) in (4) names ["i"] attributes {group = 1 : i64} {
    %u = weft.read %x[%i] : tensor<4xf32> -> f32
    %v = math.tanh %u : f32
    weft.yield %v : f32
  } : tensor<4xf32>
  %y = weft.equation (%i) in (4) names ["i"] attributes {common = array<i64: 0>, group = 0 : i64} {
    %u = weft.read %a[%i] : tensor<4xf32> -> f32
    %v = weft.read %b[%i] : tensor<4xf32> -> f32
    %w = arith.addf %u, %v : f32
    weft.yield %w : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// An equation without a group is a kernel of its own.
// CHECK-LABEL: func.func @contraction
// CHECK: weft.launch @matmul_tanh
func.func @contraction(%x: tensor<4x8xf32>, %w: tensor<8x5xf32>) -> tensor<4x5xf32> {
  %c0 = arith.constant 0 : index
  %n = arith.constant 8 : index
  %y = weft.equation (%i, %k) in (4, 5) names ["i", "k"] {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<4x8xf32> -> f32
      %b = weft.read %w[%j, %k] : tensor<8x5xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    %t = math.tanh %s : f32
    weft.yield %t : f32
  } : tensor<4x5xf32>
  return %y : tensor<4x5xf32>
}

// What is not read outside is internal to the kernel. It says what it is; its bytes are those of operands and results.
// CHECK-LABEL: weft.kernel @rows {bytes = 144 : i64, class = "row_reduction", flops = {{[0-9]+}} : i64, path = "m.y"} (%{{.*}}: tensor<4x8xf32>) -> (tensor<4xf32>) {
// CHECK: %[[E:.*]] = weft.equation {{.*}} attributes {common = array<i64: 0>, path = "m.e"}
// CHECK: %[[Y:.*]] = weft.equation {{.*}} attributes {common = array<i64: 0>, path = "m.y"}
// CHECK: weft.read %[[E]]
// CHECK: weft.return %[[Y]] : tensor<4xf32>

// Sizes that are not numbers leave the work unknown.
// CHECK-LABEL: weft.kernel @copy
// CHECK-SAME: {class = "copy"} (%[[X:.*]]: tensor<?xf32>, %[[N:.*]]: index) -> (tensor<?x?xf32>) {
// CHECK: %[[H:.*]] = tensor.dim %[[X]]
// CHECK: weft.equation ({{.*}}) in (%[[N]], %[[H]])

// The class is of what costs most: a contraction with an epilogue is a contraction.
// CHECK-LABEL: weft.kernel @matmul_tanh
// CHECK-SAME: class = "contraction"
