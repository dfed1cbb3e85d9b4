// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @loop_c1_names(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C1: has 1 index ranges, but 1 region arguments and 0 names}}
  %y = weft.loop parallel (%l) in (2) names [] {
    weft.yield %x : tensor<4xf32>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c2_scalar(%f: f32) -> tensor<2xf32> {
  // expected-error @+1 {{'weft.loop' op C2: yields 'f32' for 'tensor<2xf32>'}}
  %y = weft.loop parallel (%l) in (2) names ["l"] {
    weft.yield %f : f32
  } : tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

func.func @loop_c2_shape(%x: tensor<4xf32>) -> tensor<4x2xf32> {
  // expected-error @+1 {{'weft.loop' op C2: yields 'tensor<4xf32>' for 'tensor<4x2xf32>'}}
  %y = weft.loop parallel (%l) in (2) names ["l"] {
    weft.yield %x : tensor<4xf32>
  } : tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

func.func @loop_c3_window(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C3: the window 2 of 1 given slices}}
  %y = weft.loop up (%t) in (2) names ["t"] state (%h: tensor<4xf32>, %g: tensor<4xf32>) from (%x : tensor<4xf32>)
      attributes {given = array<i64: 1>, window = array<i64: 2>, history = array<i1: false>, keep = ["all"]} {
    weft.yield %h : tensor<4xf32>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c4_history(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C4: reads 'tensor<2x4xf32>', not 'tensor<3x4xf32>'}}
  %y = weft.loop up (%t) in (2) names ["t"] state (%h: tensor<2x4xf32>) from (%x : tensor<4xf32>)
      attributes {given = array<i64: 1>, window = array<i64: 0>, history = array<i1: true>, keep = ["all"]} {
    weft.yield %x : tensor<4xf32>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c5_last(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C5: result 'tensor<2x4xf32>', not 'tensor<4xf32>'}}
  %y = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0>, window = array<i64: 0>, history = array<i1: false>, keep = ["last"]} {
    weft.yield %x : tensor<4xf32>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c6_sizes(%x: tensor<?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'weft.loop' op C6: has 0 sizes for 1 run-time sizes of slices}}
  %y = weft.loop down (%t) in (2) names ["t"]
      attributes {given = array<i64: 0>, window = array<i64: 0>, history = array<i1: false>, keep = ["all"]} {
    weft.yield %x : tensor<?xf32>
  } : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @loop_c7_condition(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C7: with `weft.until` the last state is one i1 of which nothing is kept}}
  %y = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0>, window = array<i64: 0>, history = array<i1: false>, keep = ["all"], weft.until} {
    weft.yield %x : tensor<4xf32>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c7_count(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C7: with `weft.until` the last result is one i64}}
  %y = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0, 0>, window = array<i64: 0, 0>, history = array<i1: false, false>, keep = ["all", "none"], weft.until} {
    weft.yield %x, %c : tensor<4xf32>, tensor<i1>
  } : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c8_states(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C8: points end in loops with `weft.until` and two states for that}}
  %y, %n = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0, 0>, window = array<i64: 0, 0>, history = array<i1: false, false>, keep = ["all", "none"], weft.until, weft.ends_by_point} {
    weft.yield %x, %c : tensor<4xf32>, tensor<i1>
  } : tensor<2x4xf32>, tensor<i64>
  return %y : tensor<2x4xf32>
}

// -----

func.func @loop_c8_types(%x: tensor<4xi1>, %k: tensor<3xi64>, %c: tensor<i1>) -> tensor<2x4xi1> {
  // expected-error @+1 {{'weft.loop' op C8: the states of points are i1 and i64 of one shape}}
  %y:2 = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0, 0, 0>, window = array<i64: 0, 0, 0>, history = array<i1: false, false, false>, keep = ["all", "none", "none"], weft.until, weft.ends_by_point} {
    weft.yield %x, %k, %c : tensor<4xi1>, tensor<3xi64>, tensor<i1>
  } : tensor<2x4xi1>, tensor<i64>
  return %y#0 : tensor<2x4xi1>
}

// -----

func.func @loop_c8_points(%x: tensor<4xf32>, %e: tensor<3xi1>, %k: tensor<3xi64>, %c: tensor<i1>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.loop' op C8: a slice without the points as first axes: 'tensor<4xf32>'}}
  %y:2 = weft.loop up (%t) in (2) names ["t"]
      attributes {given = array<i64: 0, 0, 0, 0>, window = array<i64: 0, 0, 0, 0>, history = array<i1: false, false, false, false>, keep = ["all", "none", "none", "none"], weft.until, weft.ends_by_point} {
    weft.yield %x, %e, %k, %c : tensor<4xf32>, tensor<3xi1>, tensor<3xi64>, tensor<i1>
  } : tensor<2x4xf32>, tensor<i64>
  return %y#0 : tensor<2x4xf32>
}
