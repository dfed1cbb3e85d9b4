// RUN: weft-opt %s -weft-block-recurrences | FileCheck %s
// A step compares what it holds with what every kept step before it holds. Both are read once for all blocks; a block asks
// the kept steps before it, then its own.
// CHECK-LABEL: func.func @apart
func.func @apart(%x: tensor<?xf32>, %n: index) -> tensor<?xi1> {
  // CHECK: %[[BLOCKS:.*]] = arith.divsi
  // CHECK: %[[ROWS:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (%[[BLOCKS]], 64) names ["block", "row"]
  // CHECK: %[[COLUMNS:.*]] = weft.equation (%{{.*}}, %{{.*}}) in (%[[BLOCKS]], 64) names ["block", "column"]
  // CHECK: %[[KEPT:.*]] = weft.iterate up @apart_step_block [%[[BLOCKS]]](%[[ROWS]], %[[COLUMNS]], %arg0, %arg1 : {{.*}}) {given = array<i64: 0>, history = array<i1: true>, keep = ["all"], window = array<i64: 0>} : tensor<?x64xi1>
  // CHECK: weft.equation (%{{.*}}) in (%arg1) names ["i"]
  // CHECK: weft.read %[[KEPT]]
  %y = weft.iterate up @apart_step [%n] (%x : tensor<?xf32>) {given = array<i64: 0>, history = array<i1: true>, keep = ["all"], window = array<i64: 0>} : tensor<?xi1>
  return %y : tensor<?xi1>
}
func.func private @apart_step(%i: index, %kept: tensor<?xi1>, %x: tensor<?xf32>) -> tensor<i1> attributes {weft.step} {
  %c0 = arith.constant 0 : index
  %least = arith.constant 1.0 : f32
  %true = arith.constant true
  %y = weft.equation () in () names [] attributes {path = "apart.keep"} {
    %any = weft.reduce any (%j) from (%c0) to (%i) names ["j"] {
      %k = weft.read %kept[%j] : tensor<?xi1> -> i1
      %a = weft.read %x[%i] : tensor<?xf32> -> f32
      %b = weft.read %x[%j] : tensor<?xf32> -> f32
      %d = arith.subf %a, %b : f32
      %near = arith.cmpf olt, %d, %least : f32
      %both = arith.andi %k, %near : i1
      weft.yield %both : i1
    } : i1
    %not = arith.xori %any, %true : i1
    weft.yield %not : i1
  } : tensor<i1>
  return %y : tensor<i1>
}
// What earlier steps gave is not a condition here: the loop stays.
// CHECK-LABEL: func.func @other
func.func @other(%x: tensor<?xf32>, %n: index) -> tensor<?xi1> {
  // CHECK: weft.iterate up @other_step [%arg1]
  %y = weft.iterate up @other_step [%n] (%x : tensor<?xf32>) {given = array<i64: 0>, history = array<i1: true>, keep = ["all"], window = array<i64: 0>} : tensor<?xi1>
  return %y : tensor<?xi1>
}
func.func private @other_step(%i: index, %kept: tensor<?xi1>, %x: tensor<?xf32>) -> tensor<i1> attributes {weft.step} {
  %c0 = arith.constant 0 : index
  %y = weft.equation () in () names [] attributes {path = "other.keep"} {
    %any = weft.reduce any (%j) from (%c0) to (%i) names ["j"] {
      %k = weft.read %kept[%j] : tensor<?xi1> -> i1
      %a = weft.read %x[%i] : tensor<?xf32> -> f32
      %b = weft.read %x[%j] : tensor<?xf32> -> f32
      %near = arith.cmpf olt, %a, %b : f32
      %one = arith.ori %k, %near : i1
      weft.yield %one : i1
    } : i1
    weft.yield %any : i1
  } : tensor<i1>
  return %y : tensor<i1>
}

// CHECK-NOT: @apart_step(
// Within a block, step by step: bits alone.
// CHECK: func.func private @apart_step_within(
// CHECK: weft.reduce any (%{{.*}}) from (%{{.*}}) to (%{{.*}}) names ["column"]
// CHECK: arith.cmpi slt
// CHECK: arith.ori
// CHECK: arith.xori
// CHECK: func.func private @apart_step_block(%[[B:.*]]: index, %[[BEFORE:.*]]: tensor<?x64xi1>, %[[R:.*]]: tensor<?x64xf32>, %[[C:.*]]: tensor<?x64xf32>,
// CHECK: weft.equation (%[[K:.*]]) in (64) names ["row"] attributes {path = "apart.keep.before"}
// CHECK: weft.reduce any (%[[M:.*]], %[[L:.*]]) from (%{{.*}}) to (%[[B]], %{{.*}}) names ["block", "column"] {
// CHECK-DAG: %[[HOLDS:.*]] = weft.read %[[BEFORE]][%[[M]], %[[L]]]
// CHECK-DAG: weft.read %[[R]][%[[B]], %[[K]]]
// CHECK-DAG: weft.read %[[C]][%[[M]], %[[L]]]
// CHECK: weft.yield %{{.*}} if %[[HOLDS]]
// CHECK: weft.equation (%{{.*}}, %{{.*}}) in (64, 64) names ["row", "column"] attributes {path = "apart.keep.within"}
// CHECK: weft.iterate up @apart_step_within [64]
