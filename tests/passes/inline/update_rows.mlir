// RUN: weft-opt %s -weft-update-rows | FileCheck %s

// One row of 10000 is computed in a step. Its place is a value of the step; where that is outside nothing is read.
// CHECK-LABEL: func.func @row
func.func @row(%x: tensor<8x4xf32>, %at: tensor<8xi64>, %old: tensor<10000x4xf32>) -> tensor<10000x4xf32> {
  // CHECK: weft.loop up (%[[T:.*]]) in (8) names ["t"] state (%[[S:[^:]*]]: tensor<10000x4xf32>)
  // CHECK: %[[AT:.*]] = weft.equation () in () names [] attributes {path = "s.at"}
  // CHECK: weft.read %{{.*}}[%[[T]]] : tensor<8xi64> -> i64
  // CHECK: %[[ROW:.*]] = weft.equation (%[[D:.*]]) in (4) names ["d"] attributes {path = "s.row"}
  // CHECK: weft.read %[[AT]][] : tensor<i64> -> i64
  // CHECK: arith.cmpi ult
  // CHECK: scf.if
  // CHECK: weft.read %{{.*}}[%[[T]], %[[D]]]
  // CHECK: weft.read %[[S]][%{{.*}}, %[[D]]]
  // CHECK: %[[NEXT:.*]] = weft.update %[[S]] at [0](%[[AT]]) with %[[ROW]]
  // CHECK: weft.yield %[[NEXT]]
  %y = weft.loop up (%t) in (8) names ["t"] state (%s: tensor<10000x4xf32>) from (%old : tensor<10000x4xf32>) attributes {given = array<i64: 1>, history = array<i1: false>, keep = ["last"], window = array<i64: 1>} {
    %next = weft.equation (%n, %d) in (10000, 4) names ["n", "d"] attributes {path = "s"} {
      %p = weft.read %at[%t] : tensor<8xi64> -> i64
      %i = arith.index_cast %p : i64 to index
      %here = arith.cmpi eq, %n, %i : index
      %v = scf.if %here -> f32 {
        %a = weft.read %x[%t, %d] : tensor<8x4xf32> -> f32
        %b = weft.read %s[%n, %d] : tensor<10000x4xf32> -> f32
        %c = arith.addf %a, %b : f32
        scf.yield %c : f32
      } else {
        %b = weft.read %s[%n, %d] : tensor<10000x4xf32> -> f32
        scf.yield %b : f32
      }
      weft.yield %v : f32
    } : tensor<10000x4xf32>
    weft.yield %next : tensor<10000x4xf32>
  } : tensor<10000x4xf32>
  return %y : tensor<10000x4xf32>
}

// Two equalities are one element; the others keep all their elements: a condition that knows an index, a row of another
// place, a small state.
// CHECK-LABEL: func.func @elements
func.func @elements(%at: tensor<i64>, %old: tensor<100x100xf32>, %few: tensor<9xf32>) -> (tensor<100x100xf32>, tensor<100x100xf32>, tensor<100x100xf32>, tensor<9xf32>) {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  // CHECK: weft.update %{{.*}} at [0, 1](%{{.*}}, %{{.*}}) with %{{.*}} : tensor<100x100xf32>, (tensor<i64>, tensor<i64>), tensor<f32>
  // CHECK-NOT: weft.update
  %y:4 = weft.loop up (%t) in (8) names ["t"] state (%a: tensor<100x100xf32>, %b: tensor<100x100xf32>, %c: tensor<100x100xf32>, %s: tensor<9xf32>) from (%old, %old, %old, %few : tensor<100x100xf32>, tensor<100x100xf32>, tensor<100x100xf32>, tensor<9xf32>) attributes {given = array<i64: 1, 1, 1, 1>, history = array<i1: false, false, false, false>, keep = ["last", "last", "last", "last"], window = array<i64: 1, 1, 1, 1>} {
    %na = weft.equation (%n, %d) in (100, 100) names ["n", "d"] {
      %p = weft.read %at[] : tensor<i64> -> i64
      %i = arith.index_cast %p : i64 to index
      %row = arith.cmpi eq, %n, %i : index
      %column = arith.cmpi eq, %t, %d : index
      %here = arith.andi %row, %column : i1
      %old_value = weft.read %a[%n, %d] : tensor<100x100xf32> -> f32
      %v = arith.select %here, %one, %old_value : f32
      weft.yield %v : f32
    } : tensor<100x100xf32>
    %nb = weft.equation (%n, %d) in (100, 100) names ["n", "d"] {
      %here = arith.cmpi eq, %n, %d : index
      %old_value = weft.read %b[%n, %d] : tensor<100x100xf32> -> f32
      %v = arith.select %here, %one, %old_value : f32
      weft.yield %v : f32
    } : tensor<100x100xf32>
    %nc = weft.equation (%n, %d) in (100, 100) names ["n", "d"] {
      %here = arith.cmpi eq, %n, %t : index
      %old_value = weft.read %c[%d, %n] : tensor<100x100xf32> -> f32
      %v = arith.select %here, %one, %old_value : f32
      weft.yield %v : f32
    } : tensor<100x100xf32>
    %ns = weft.equation (%n) in (9) names ["n"] {
      %here = arith.cmpi eq, %n, %t : index
      %old_value = weft.read %s[%n] : tensor<9xf32> -> f32
      %v = arith.select %here, %one, %old_value : f32
      weft.yield %v : f32
    } : tensor<9xf32>
    weft.yield %na, %nb, %nc, %ns : tensor<100x100xf32>, tensor<100x100xf32>, tensor<100x100xf32>, tensor<9xf32>
  } : tensor<100x100xf32>, tensor<100x100xf32>, tensor<100x100xf32>, tensor<9xf32>
  return %y#0, %y#1, %y#2, %y#3 : tensor<100x100xf32>, tensor<100x100xf32>, tensor<100x100xf32>, tensor<9xf32>
}
