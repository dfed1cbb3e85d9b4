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
