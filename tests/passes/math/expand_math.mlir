// RUN: weft-opt %s -weft-expand-math | FileCheck %s

// Real functions of f32 become arithmetic: all back ends compute the same.
// CHECK-LABEL: func.func @single
// CHECK-NOT: math.{{exp|log|tanh|erf|sin|cos|tan|atan2|powf}}
// CHECK: return
func.func @single(%x: f32, %y: f32) -> f32 {
  %a = math.exp %x : f32
  %b = math.log %a : f32
  %c = math.tanh %b : f32
  %d = math.erf %c : f32
  %e = math.sin %d : f32
  %f = math.cos %e : f32
  %g = math.tan %f : f32
  %h = math.atan2 %g, %y : f32
  %i = math.powf %h, %y : f32
  return %i : f32
}

// No branches and no calls.
// CHECK-LABEL: func.func @straight
// CHECK-NOT: scf.
// CHECK-NOT: call
// CHECK: return
func.func @straight(%x: f32) -> f32 {
  %a = math.sin %x : f32
  return %a : f32
}

// What processors do themselves stays.
// CHECK-LABEL: func.func @kept
// CHECK: math.sqrt
// CHECK: math.absf
// CHECK: math.floor
func.func @kept(%x: f32) -> f32 {
  %a = math.sqrt %x : f32
  %b = math.absf %a : f32
  %c = math.floor %b : f32
  return %c : f32
}

// Short floats are computed in f32 and rounded once.
// CHECK-LABEL: func.func @short
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK-NOT: math.exp
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @short(%x: bf16) -> bf16 {
  %a = math.exp %x : bf16
  return %a : bf16
}

// f64 is left alone.
// CHECK-LABEL: func.func @double
// CHECK: math.exp %{{.*}} : f64
func.func @double(%x: f64) -> f64 {
  %a = math.exp %x : f64
  return %a : f64
}

// With the sign of the argument known, exp takes no bit of it: -|x|, the least of x and 0, x x times less than 0.
// CHECK-LABEL: func.func @never_positive
// CHECK-NOT: arith.shrsi
// CHECK: return
func.func @never_positive(%x: f32) -> (f32, f32, f32) {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant -2.0 : f32
  %size = math.absf %x : f32
  %a = arith.negf %size : f32
  %b = arith.minimumf %x, %zero : f32
  %square = arith.mulf %x, %x : f32
  %c = arith.divf %square, %two : f32
  %d = math.exp %a : f32
  %e = math.exp %b : f32
  %f = math.exp %c : f32
  return %d, %e, %f : f32, f32, f32
}

// So of short floats, and of what a sum goes over.
// CHECK-LABEL: func.func @short_never_positive
// CHECK-NOT: arith.shrsi
// CHECK: return
func.func @short_never_positive(%x: bf16) -> bf16 {
  %size = math.absf %x : bf16
  %a = arith.negf %size : bf16
  %b = math.exp %a : bf16
  return %b : bf16
}

// CHECK-LABEL: func.func @sum_of_never_positive
// CHECK-NOT: arith.shrsi
// CHECK: return
func.func @sum_of_never_positive(%x: tensor<3x?xf32>) -> tensor<3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<3x?xf32>
  %peak = weft.equation (%i) in (3) names ["i"] {
    %m = weft.reduce max (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<3x?xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<3xf32>
  %sum = weft.equation (%i) in (3) names ["i"] {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<3x?xf32> -> f32
      %p = weft.read %peak[%i] : tensor<3xf32> -> f32
      %d = arith.subf %a, %p : f32
      %r = math.exp %d : f32
      weft.yield %r : f32
    } : f32
    weft.yield %s : f32
  } : tensor<3xf32>
  return %sum : tensor<3xf32>
}

// A quotient by 0 may have any sign, and a product of numbers of unknown sign.
// CHECK-LABEL: func.func @maybe_positive
// CHECK-COUNT-3: arith.shrsi
// CHECK: return
func.func @maybe_positive(%x: f32, %y: f32) -> (f32, f32, f32) {
  %zero = arith.constant 0.0 : f32
  %size = math.absf %x : f32
  %less = arith.negf %size : f32
  %a = arith.divf %less, %zero : f32
  %b = arith.mulf %less, %y : f32
  %c = arith.maximumf %less, %y : f32
  %d = math.exp %a : f32
  %e = math.exp %b : f32
  %f = math.exp %c : f32
  return %d, %e, %f : f32, f32, f32
}

// What softmax subtracts is the greatest of the row.
// CHECK-LABEL: func.func @softmax
// CHECK-NOT: arith.shrsi
// CHECK: return
func.func @softmax(%x: tensor<3x?xf32>, %mask: tensor<3xi1>) -> tensor<3x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %least = arith.constant 0xFF800000 : f32
  %n = tensor.dim %x, %c1 : tensor<3x?xf32>
  %peak = weft.equation (%i) in (3) names ["i"] {
    %m = weft.reduce max (%k) from (%c0) to (%n) names ["k"] {
      %open = weft.read %mask[%i] : tensor<3xi1> -> i1
      %a = weft.read %x[%i, %k] : tensor<3x?xf32> -> f32
      %b = arith.select %open, %a, %least : f32
      weft.yield %b : f32
    } : f32
    weft.yield %m : f32
  } : tensor<3xf32>
  %e = weft.equation (%i, %k) in (3, %n) names ["i", "k"] {
    %open = weft.read %mask[%i] : tensor<3xi1> -> i1
    %a = weft.read %x[%i, %k] : tensor<3x?xf32> -> f32
    %b = arith.select %open, %a, %least : f32
    %p = weft.read %peak[%i] : tensor<3xf32> -> f32
    %d = arith.subf %b, %p : f32
    %r = math.exp %d : f32
    weft.yield %r : f32
  } : tensor<3x?xf32>
  return %e : tensor<3x?xf32>
}

// Not so of another row, of some of the row, of other numbers, or of those that a condition lets pass.
// CHECK-LABEL: func.func @no_softmax
// CHECK-COUNT-4: arith.shrsi
// CHECK: return
func.func @no_softmax(%x: tensor<3x8xf32>, %z: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %peak = weft.equation (%i) in (3) names ["i"] {
    %m = weft.reduce max (%k) from (%c0) to (%c8) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<3x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<3xf32>
  %some = weft.equation (%i) in (3) names ["i"] {
    %m = weft.reduce max (%k) from (%c0) to (%c7) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<3x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<3xf32>
  %allowed = weft.equation (%i) in (3) names ["i"] {
    %m = weft.reduce max (%k) from (%c0) to (%c8) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<3x8xf32> -> f32
      %is_less = arith.cmpf olt, %a, %zero : f32
      weft.yield %a if %is_less : f32
    } : f32
    weft.yield %m : f32
  } : tensor<3xf32>
  %e = weft.equation (%i, %k) in (3, 8) names ["i", "k"] {
    %a = weft.read %x[%i, %k] : tensor<3x8xf32> -> f32
    %b = weft.read %z[%i, %k] : tensor<3x8xf32> -> f32
    %other = arith.subi %c2, %i : index
    %p = weft.read %peak[%i] : tensor<3xf32> -> f32
    %q = weft.read %peak[%other] : tensor<3xf32> -> f32
    %s = weft.read %some[%i] : tensor<3xf32> -> f32
    %t = weft.read %allowed[%i] : tensor<3xf32> -> f32
    %d0 = arith.subf %a, %q : f32
    %d1 = arith.subf %a, %s : f32
    %d2 = arith.subf %b, %p : f32
    %d3 = arith.subf %a, %t : f32
    %r0 = math.exp %d0 : f32
    %r1 = math.exp %d1 : f32
    %r2 = math.exp %d2 : f32
    %r3 = math.exp %d3 : f32
    %s0 = arith.addf %r0, %r1 : f32
    %s1 = arith.addf %r2, %r3 : f32
    %s2 = arith.addf %s0, %s1 : f32
    weft.yield %s2 : f32
  } : tensor<3x8xf32>
  return %e : tensor<3x8xf32>
}

// Powers of ints are products.
// CHECK-LABEL: func.func @integer_power
// CHECK-NOT: math.ipowi
// CHECK: arith.muli
func.func @integer_power(%x: i64, %n: i64) -> i64 {
  %a = math.ipowi %x, %n : i64
  return %a : i64
}

// Ten rounds of two products, eight of them kept apart by keys.
// CHECK-LABEL: func.func @random
// CHECK-NOT: weft.random
// CHECK-COUNT-20: arith.muli %{{.*}} : i64
// CHECK-NOT: arith.muli
// CHECK: return
func.func @random(%seed: i64, %i: i64) -> i64 {
  %bits = weft.random %seed at %i, %i, %i, %i
  return %bits : i64
}
