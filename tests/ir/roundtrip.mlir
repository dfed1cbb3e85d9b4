// RUN: weft-opt %s | weft-opt | FileCheck %s
// Every op prints what it parses.

// CHECK-LABEL: func.func public @forward
func.func public @forward(%x: tensor<1x3x?x9xf32> {weft.name = "x"}, %id: tensor<4xi64>) -> tensor<1x32x?x9xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %h = tensor.dim %x, %c2 : tensor<1x3x?x9xf32>
  // CHECK: weft.weight "conv.weight" : tensor<32x3x3xf32>
  %w = weft.weight "conv.weight" : tensor<32x3x3xf32>
  // CHECK: weft.weight "count" {changes, range = array<i64: 0, 9>, state} : tensor<i64>
  %count = weft.weight "count" {state, changes, range = array<i64: 0, 9>} : tensor<i64>
  // CHECK: weft.weight "norm.mean" {fill = 1.000000e+00 : f64, state} : tensor<32xf32>
  %m = weft.weight "norm.mean" {state, fill = 1.0} : tensor<32xf32>
  // CHECK: weft.check divisible %{{.*}}, %{{.*}} "H must be even, not {0}" values(%{{.*}})
  weft.check divisible %h, %c2 "H must be even, not {0}" values(%h)
  // CHECK: weft.equation (%[[N:.*]], %[[K:.*]], %[[I:.*]], %[[J:.*]]) in (1, 32, %{{.*}}, 9) names ["n", "k", "i", "j"] attributes {path = "conv.y"} {
  %y = weft.equation (%n, %k, %i, %j) in (1, 32, %h, 9) names ["n", "k", "i", "j"] attributes {path = "conv.y"} {
    // CHECK: weft.reduce sum (%[[C:.*]], %[[R:.*]]) from (%{{.*}}, %{{.*}}) to (%{{.*}}, %{{.*}}) names ["c", "r"] {
    %s = weft.reduce sum (%c, %r) from (%c0, %c0) to (%c3, %c3) names ["c", "r"] {
      %p = arith.addi %i, %r : index
      %q = arith.subi %p, %c1 : index
      // CHECK: weft.read %{{.*}}[%[[N]], %[[C]], %{{.*}}, %[[J]]] outside [inside, inside, fill, inside] else %{{.*}} : tensor<1x3x?x9xf32> -> f32
      %a = weft.read %x[%n, %c, %q, %j] outside [inside, inside, fill, inside] else %zero : tensor<1x3x?x9xf32> -> f32
      // CHECK: weft.read %{{.*}}[%[[K]], %[[C]], %[[R]]] : tensor<32x3x3xf32> -> f32
      %b = weft.read %w[%k, %c, %r] : tensor<32x3x3xf32> -> f32
      %ab = arith.mulf %a, %b : f32
      %there = arith.cmpi slt, %c, %c2 : index
      // CHECK: weft.yield %{{.*}} if %{{.*}} : f32
      weft.yield %ab if %there : f32
    // CHECK: } else %{{.*}} : f32
    } else %zero : f32
    weft.yield %s : f32
  } : tensor<1x32x?x9xf32>
  // CHECK: weft.loop parallel (%[[L:.*]]) in (4) names ["l"] {
  %z = weft.loop parallel (%l) in (4) names ["l"] {
    %row = weft.equation () in () names [] {
      %v = weft.read %id[%l] : tensor<4xi64> -> i64
      weft.yield %v : i64
    } : tensor<i64>
    weft.yield %row : tensor<i64>
  } : tensor<4xi64>
  // CHECK: weft.loop up (%[[T:.*]]) in (%{{.*}}) names ["t"] state (%[[P:.*]]: tensor<4xf32>, %[[A:.*]]: tensor<?x4xf32>) from (%{{.*}} : tensor<4xf32>) attributes {given = array<i64: 1>, history = array<i1: true>, keep = ["last"], window = array<i64: 1>} {
  %first = weft.prepared 4 : tensor<4xf32>
  %last = weft.loop up (%t) in (%h) names ["t"] state (%before: tensor<4xf32>, %all: tensor<?x4xf32>) from (%first : tensor<4xf32>) attributes {given = array<i64: 1>, history = array<i1: true>, keep = ["last"], window = array<i64: 1>} {
    weft.yield %before : tensor<4xf32>
  } : tensor<4xf32>
  // CHECK: weft.loop down (%{{.*}}) in (5) names ["t"] sizes (%{{.*}}) attributes
  %rows = weft.loop down (%t) in (5) names ["t"] sizes (%h) attributes {given = array<i64: 0>, history = array<i1: false>, keep = ["all"], window = array<i64: 0>} {
    %row = weft.launch @scale(%x) sizes(%h) : (tensor<1x3x?x9xf32>) -> tensor<?xf32>
    weft.yield %row : tensor<?xf32>
  } : tensor<5x?xf32>
  // CHECK: weft.iterate up @step [%{{.*}}](%{{.*}}, %{{.*}} : tensor<4xi64>, index) from(%{{.*}} : tensor<4xf32>) {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} : tensor<?x4xf32>
  %steps = weft.iterate up @step [%h] (%id, %h : tensor<4xi64>, index) from (%first : tensor<4xf32>) {given = array<i64: 1>, history = array<i1: false>, keep = ["all"], window = array<i64: 1>} : tensor<?x4xf32>
  %seed = arith.constant 7 : i64
  // CHECK: weft.random %{{.*}} at %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}
  %bits = weft.random %seed at %seed, %seed, %seed, %seed
  // CHECK: weft.prepared 3 : tensor<4xf32>
  %prepared = weft.prepared 3 : tensor<4xf32>
  // CHECK: weft.launch @relu(%{{.*}}, %{{.*}}) {weft.offset = array<i64: 64>} : (tensor<4xf32>, index) -> tensor<4xf32>
  %r = weft.launch @relu(%prepared, %h) {weft.offset = array<i64: 64>} : (tensor<4xf32>, index) -> tensor<4xf32>
  // CHECK: weft.launch @scale(%{{.*}}) sizes(%{{.*}}) : (tensor<1x3x?x9xf32>) -> tensor<?xf32>
  %d = weft.launch @scale(%x) sizes(%h) : (tensor<1x3x?x9xf32>) -> tensor<?xf32>
  return %y : tensor<1x32x?x9xf32>
}

func.func private @step(%t: index, %h: tensor<4xf32>, %id: tensor<4xi64>, %n: index) -> tensor<4xf32> attributes {weft.step}

// CHECK: weft.kernel @relu {class = "pointwise"} (%[[X:.*]]: tensor<4xf32>, %{{.*}}: index) -> (tensor<4xf32>) {
weft.kernel @relu {class = "pointwise"} (%x: tensor<4xf32>, %h: index) -> (tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    %b = arith.maximumf %a, %zero : f32
    weft.yield %b : f32
  } : tensor<4xf32>
  // CHECK: weft.return %{{.*}} : tensor<4xf32>
  weft.return %y : tensor<4xf32>
}

weft.kernel @scale (%x: tensor<1x3x?x9xf32>) -> (tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %h = tensor.dim %x, %c2 : tensor<1x3x?x9xf32>
  %y = weft.equation (%i) in (%h) names ["i"] {
    %a = weft.read %x[%c0, %c0, %i, %c0] : tensor<1x3x?x9xf32> -> f32
    weft.yield %a : f32
  } : tensor<?xf32>
  weft.return %y : tensor<?xf32>
}

// CHECK-LABEL: func.func public @lists
func.func public @lists(%x: tensor<?x9xf32>, %m: tensor<?xi1>) -> (tensor<?x5xi64>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x9xf32>
  // CHECK: weft.sort %{{.*}} sizes(%{{.*}}) descending : tensor<?x9xf32> -> tensor<?x5xi64>
  %first = weft.sort %x sizes(%n) descending : tensor<?x9xf32> -> tensor<?x5xi64>
  // CHECK: weft.segments %{{.*}} sizes(%{{.*}}, %{{.*}}) : tensor<?x5xi64> -> tensor<?x5xi64>, tensor<?x10xi64>
  %order, %starts = weft.segments %first sizes(%n, %n) : tensor<?x5xi64> -> tensor<?x5xi64>, tensor<?x10xi64>
  // CHECK: %[[AT:.*]], %[[COUNT:.*]] = weft.filter %{{.*}} sizes(%{{.*}}) : tensor<?xi1> -> tensor<?xi64>, tensor<i64>
  %at, %count = weft.filter %m sizes(%n) : tensor<?xi1> -> tensor<?xi64>, tensor<i64>
  // CHECK: weft.update %{{.*}} at [0](%[[COUNT]]) with %[[COUNT]] : tensor<?xi64>, (tensor<i64>), tensor<i64> -> tensor<?xi64>
  %changed = weft.update %at at [0](%count) with %count : tensor<?xi64>, (tensor<i64>), tensor<i64> -> tensor<?xi64>
  // CHECK: weft.update %{{.*}} at [0](%[[COUNT]]) with %[[AT]] {spans = array<i64: 0>, wraps = array<i64: 0>} : tensor<?xi64>, (tensor<i64>), tensor<?xi64> -> tensor<?xi64>
  %ring = weft.update %changed at [0](%count) with %at {spans = array<i64: 0>, wraps = array<i64: 0>} : tensor<?xi64>, (tensor<i64>), tensor<?xi64> -> tensor<?xi64>
  // CHECK: %[[K:.*]] = weft.found %[[COUNT]] : tensor<i64>
  %k = weft.found %count : tensor<i64>
  // CHECK: tensor.extract_slice %[[AT]][0] [%[[K]]] [1]
  %kept = tensor.extract_slice %at[0] [%k] [1] : tensor<?xi64> to tensor<?xi64>
  // CHECK: weft.extern "f"(%{{.*}}) sizes(%{{.*}}) bounds(%{{.*}}, %{{.*}}) {elements = ["bool", "int"], names = ["y"], ranged = array<i1: true>} : (tensor<?xi1>) -> tensor<?xi64>
  %called = weft.extern "f"(%m) sizes(%n) bounds(%c0, %n) {elements = ["bool", "int"], names = ["y"], ranged = array<i1: true>} : (tensor<?xi1>) -> tensor<?xi64>
  return %first, %kept : tensor<?x5xi64>, tensor<?xi64>
}
