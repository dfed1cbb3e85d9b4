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
