// RUN: weft-opt %s -weft-compose-equations | FileCheck %s
// Activation and residual join the contraction, under its name; the normalised input is not computed once per column.
// CHECK-LABEL: func.func @epilogue
func.func @epilogue(%x: tensor<5x8xf32>, %w: tensor<6x8xf32>, %h: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  // CHECK: %[[E:.*]] = weft.equation {{.*}} attributes {path = "e"}
  // CHECK-NEXT: weft.read
  // CHECK-NEXT: math.exp
  %e = weft.equation (%i, %c) in (5, 8) names ["i", "c"] attributes {path = "e"} {
    %a = weft.read %x[%i, %c] : tensor<5x8xf32> -> f32
    %b = math.exp %a : f32
    weft.yield %b : f32
  } : tensor<5x8xf32>
  // CHECK: weft.equation {{.*}} in (5, 6) names ["i", "o"] attributes {fused = ["relu", "y"], path = "s"}
  // CHECK: %[[H:.*]] = weft.read
  // CHECK: %[[S:.*]] = weft.reduce sum
  // CHECK: weft.read %[[E]]
  // CHECK: %[[R:.*]] = arith.maximumf %[[S]]
  // CHECK: arith.addf %[[R]], %[[H]]
  // CHECK-NOT: weft.equation
  %s = weft.equation (%i, %o) in (5, 6) names ["i", "o"] attributes {path = "s"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c8) names ["c"] {
      %p = weft.read %e[%i, %c] : tensor<5x8xf32> -> f32
      %q = weft.read %w[%o, %c] : tensor<6x8xf32> -> f32
      %pq = arith.mulf %p, %q : f32
      weft.yield %pq : f32
    } : f32
    weft.yield %s : f32
  } : tensor<5x6xf32>
  %r = weft.equation (%i, %o) in (5, 6) names ["a", "b"] attributes {path = "relu"} {
    %p = weft.read %s[%i, %o] : tensor<5x6xf32> -> f32
    %q = arith.maximumf %p, %zero : f32
    weft.yield %q : f32
  } : tensor<5x6xf32>
  %y = weft.equation (%i, %o) in (5, 6) names ["a", "b"] attributes {path = "y"} {
    %g = weft.read %h[%i, %o] : tensor<5x6xf32> -> f32
    %p = weft.read %r[%i, %o] : tensor<5x6xf32> -> f32
    %q = arith.addf %p, %g : f32
    weft.yield %q : f32
  } : tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// The cheap producer of one reader goes into it; what is returned besides stays.
// CHECK-LABEL: func.func @producer
// CHECK-SAME:      %[[X:.*]]: tensor<9xf32>
func.func @producer(%x: tensor<9xf32>) -> (tensor<7xf32>, tensor<9xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK: %[[N:.*]] = weft.equation {{.*}} attributes {path = "kept"}
  // CHECK: weft.equation
  // CHECK: weft.read %[[X]]
  // CHECK: arith.negf
  // CHECK: weft.read %[[N]]
  %a = weft.equation (%i) in (9) names ["i"] attributes {path = "gone"} {
    %p = weft.read %x[%i] : tensor<9xf32> -> f32
    %q = arith.negf %p : f32
    weft.yield %q : f32
  } : tensor<9xf32>
  %b = weft.equation (%i) in (9) names ["i"] attributes {path = "kept"} {
    %p = weft.read %x[%i] : tensor<9xf32> -> f32
    %q = math.absf %p : f32
    weft.yield %q : f32
  } : tensor<9xf32>
  %y = weft.equation (%i) in (7) names ["i"] attributes {path = "y"} {
    %s = arith.addi %i, %c1 : index
    %p = weft.read %a[%s] : tensor<9xf32> -> f32
    %q = weft.read %b[%i] : tensor<9xf32> -> f32
    %r = arith.addf %p, %q : f32
    weft.yield %r : f32
  } : tensor<7xf32>
  return %y, %b : tensor<7xf32>, tensor<9xf32>
}

// A guarded read of more than a renaming: the body runs in range only.
// CHECK-LABEL: func.func @guarded
func.func @guarded(%x: tensor<9xf32>, %zero: f32) -> tensor<11xf32> {
  %c1 = arith.constant 1 : index
  // CHECK: scf.if
  // CHECK-NEXT: weft.read %{{.*}}[%{{.*}}] : tensor<9xf32>
  // CHECK-NEXT: arith.negf
  %a = weft.equation (%i) in (9) names ["i"] {
    %p = weft.read %x[%i] : tensor<9xf32> -> f32
    %q = arith.negf %p : f32
    weft.yield %q : f32
  } : tensor<9xf32>
  %y = weft.equation (%i) in (11) names ["i"] {
    %s = arith.subi %i, %c1 : index
    %p = weft.read %a[%s] outside [fill] else %zero : tensor<9xf32> -> f32
    weft.yield %p : f32
  } : tensor<11xf32>
  return %y : tensor<11xf32>
}

// A copy that is there for its order stays.
// CHECK-LABEL: func.func @copied
func.func @copied(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
  // CHECK: %[[T:.*]] = weft.equation {{.*}} attributes {relayout}
  %t = weft.equation (%i, %j) in (8, 4) names ["i", "j"] attributes {relayout} {
    %r = weft.read %x[%j, %i] : tensor<4x8xf32> -> f32
    weft.yield %r : f32
  } : tensor<8x4xf32>
  // CHECK: weft.read %[[T]][
  %y = weft.equation (%i, %j) in (8, 4) names ["i", "j"] {
    %r = weft.read %t[%i, %j] : tensor<8x4xf32> -> f32
    %s = arith.addf %r, %r : f32
    weft.yield %s : f32
  } : tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
