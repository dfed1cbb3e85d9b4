// RUN: weft-opt %s -cse -canonicalize | FileCheck %s

// Equal equations are one, unused ones none.
// CHECK-LABEL: func.func @equal_and_unused
func.func @equal_and_unused(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: %[[Y:.*]] = weft.equation
  // CHECK-NOT: weft.equation
  // CHECK: return %[[Y]], %[[Y]]
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  %z = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  %unused = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    %b = arith.addf %a, %a : f32
    weft.yield %b : f32
  } : tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// A read is in range where it stands, and perhaps nowhere else: it stays under its condition.
// CHECK-LABEL: func.func @guarded
func.func @guarded(%x: tensor<4xf32>) -> tensor<9xf32> {
  // CHECK: scf.if
  // CHECK-NEXT: weft.read
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %y = weft.equation (%i) in (9) names ["i"] {
    %t = arith.cmpi slt, %i, %c4 : index
    %a = scf.if %t -> f32 {
      %b = weft.read %x[%i] : tensor<4xf32> -> f32
      scf.yield %b : f32
    } else {
      scf.yield %zero : f32
    }
    weft.yield %a : f32
  } : tensor<9xf32>
  return %y : tensor<9xf32>
}

// A check has an effect.
// CHECK-LABEL: func.func @check
func.func @check(%h: index, %w: index) {
  // CHECK: weft.check equal
  weft.check equal %h, %w "H and W differ"
  return
}
