// RUN: weft-opt %s -weft-split-prepare | FileCheck %s
// Both methods need the same scaled weight: @prepare computes it once. The bias is read as it is.
// CHECK: func.func private @prepare() -> tensor<6xf32> attributes {weft.prepare}
// CHECK: %[[W:.*]] = weft.weight "w"
// CHECK: %[[S:.*]] = weft.equation
// CHECK: weft.read %[[W]]
// CHECK-NOT: weft.equation
// CHECK: return %[[S]] : tensor<6xf32>
module {
  // CHECK-LABEL: func.func @first
  func.func @first(%x: tensor<6xf32>) -> tensor<6xf32> {
    // CHECK: %[[P:.*]] = weft.prepared 0 : tensor<6xf32>
    // CHECK: %[[B:.*]] = weft.weight "b"
    // CHECK: weft.equation
    // CHECK-DAG: weft.read %[[P]]
    // CHECK-DAG: weft.read %[[B]]
    %w = weft.weight "w" : tensor<6xf32>
    %b = weft.weight "b" : tensor<6xf32>
    %s = weft.equation (%i) in (6) names ["i"] {
      %a = weft.read %w[%i] : tensor<6xf32> -> f32
      %e = math.exp %a : f32
      weft.yield %e : f32
    } : tensor<6xf32>
    %y = weft.equation (%i) in (6) names ["i"] {
      %a = weft.read %s[%i] : tensor<6xf32> -> f32
      %c = weft.read %b[%i] : tensor<6xf32> -> f32
      %d = weft.read %x[%i] : tensor<6xf32> -> f32
      %m = arith.mulf %a, %d : f32
      %r = arith.addf %m, %c : f32
      weft.yield %r : f32
    } : tensor<6xf32>
    return %y : tensor<6xf32>
  }
  // A method may return what weights alone decide.
  // CHECK-LABEL: func.func @second
  func.func @second() -> tensor<6xf32> {
    // CHECK-NEXT: %[[P:.*]] = weft.prepared 0 : tensor<6xf32>
    // CHECK-NEXT: return %[[P]]
    %w = weft.weight "w" : tensor<6xf32>
    %s = weft.equation (%j) in (6) names ["j"] attributes {path = "other.name"} {
      %a = weft.read %w[%j] : tensor<6xf32> -> f32
      %e = math.exp %a : f32
      weft.yield %e : f32
    } : tensor<6xf32>
    return %s : tensor<6xf32>
  }
  // What the next run finds changed is computed in every run.
  // CHECK-LABEL: func.func @third
  func.func @third() -> (tensor<6xf32> {weft.next = "n"}) {
    // CHECK-NEXT: %[[N:.*]] = weft.weight "n" {changes, state}
    // CHECK: weft.equation
    // CHECK: weft.read %[[N]]
    // CHECK-NOT: weft.prepared
    %n = weft.weight "n" {state, changes} : tensor<6xf32>
    %s = weft.equation (%i) in (6) names ["i"] {
      %a = weft.read %n[%i] : tensor<6xf32> -> f32
      %e = math.exp %a : f32
      weft.yield %e : f32
    } : tensor<6xf32>
    return %s : tensor<6xf32>
  }
}
