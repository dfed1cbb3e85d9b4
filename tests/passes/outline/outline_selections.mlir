// RUN: weft-opt %s -weft-outline-kernels | FileCheck %s

// A sort, segments and a filter are kernels of their own; what the data decides is told by the host, never worked out inside.
// CHECK-LABEL: func.func @lists
// CHECK: weft.launch @sort(%{{.*}}) {path = "m.order"} : (tensor<8xf32>) -> tensor<3xi64>
// CHECK: weft.launch @segments(%{{.*}}) {path = "m.segments"} : (tensor<3xi64>) -> (tensor<3xi64>, tensor<9xi64>)
// CHECK: weft.launch @filter(%{{.*}}) : (tensor<8xi1>) -> (tensor<8xi64>, tensor<i64>)
// CHECK: %[[K:.*]] = weft.found
// CHECK: weft.launch @copy(%{{.*}}, %[[K]]) sizes(%[[K]])
func.func @lists(%x: tensor<8xf32>, %m: tensor<8xi1>) -> (tensor<3xi64>, tensor<?xi1>, tensor<9xi64>) {
  %order = weft.sort %x descending : tensor<8xf32> -> tensor<3xi64> loc("m.order")
  %by_key, %starts = weft.segments %order : tensor<3xi64> -> tensor<3xi64>, tensor<9xi64> loc("m.segments")
  %at, %count = weft.filter %m : tensor<8xi1> -> tensor<8xi64>, tensor<i64>
  %k = weft.found %count : tensor<i64>
  %y = weft.equation (%i) in (%k) names ["i"] {
    %a = weft.read %m[%i] : tensor<8xi1> -> i1
    weft.yield %a : i1
  } : tensor<?xi1>
  return %order, %y, %starts : tensor<3xi64>, tensor<?xi1>, tensor<9xi64>
}
