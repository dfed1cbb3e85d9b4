// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @update_c1(%x: tensor<4x3xf32>, %n: tensor<i64>, %r: tensor<3xf32>) -> tensor<4x2xf32> {
  // expected-error @+1 {{'weft.update' op C1: gives 'tensor<4x2xf32>' for 'tensor<4x3xf32>'}}
  %y = weft.update %x at [0](%n) with %r : tensor<4x3xf32>, (tensor<i64>), tensor<3xf32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

func.func @update_c2_slice(%x: tensor<4x3xf32>, %n: tensor<i64>, %r: tensor<4xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'weft.update' op C2: puts 'tensor<4xf32>' at 1 axes of 'tensor<4x3xf32>'}}
  %y = weft.update %x at [0](%n) with %r : tensor<4x3xf32>, (tensor<i64>), tensor<4xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @update_c2_order(%x: tensor<4x4xf32>, %n: tensor<i64>, %r: tensor<f32>) -> tensor<4x4xf32> {
  // expected-error @+1 {{'weft.update' op C2: puts 'tensor<f32>' at 2 axes of 'tensor<4x4xf32>'}}
  %y = weft.update %x at [1, 0](%n, %n) with %r : tensor<4x4xf32>, (tensor<i64>, tensor<i64>), tensor<f32> -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

func.func @update_c2_span(%x: tensor<4x3xf32>, %n: tensor<i64>, %r: tensor<2x2xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'weft.update' op C2: puts 'tensor<2x2xf32>' at 1 axes of 'tensor<4x3xf32>'}}
  %y = weft.update %x at [0](%n) with %r {spans = array<i64: 0>} : tensor<4x3xf32>, (tensor<i64>), tensor<2x2xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @update_c3(%x: tensor<4x3xf32>, %n: tensor<i64>, %r: tensor<2x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'weft.update' op C3: spans or wraps along an axis that has no position}}
  %y = weft.update %x at [0](%n) with %r {spans = array<i64: 0>, wraps = array<i64: 1>} : tensor<4x3xf32>, (tensor<i64>), tensor<2x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}
