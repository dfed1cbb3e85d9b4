// RUN: weft-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{'weft.kernel' op C1: takes tensors, then index values, not 'f32'}}
weft.kernel @kernel_c1_scalar (%x: f32) -> (tensor<4xf32>) {
  %y = weft.equation (%i) in (4) names ["i"] {
    weft.yield %x : f32
  } : tensor<4xf32>
  weft.return %y : tensor<4xf32>
}

// -----

// expected-error @+1 {{'weft.kernel' op C1: takes tensors, then index values, not 'tensor<4xf32>'}}
weft.kernel @kernel_c1_order (%n: index, %x: tensor<4xf32>) -> (tensor<4xf32>) {
  weft.return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{'weft.kernel' op C2: does not return its results}}
weft.kernel @kernel_c2_results (%x: tensor<4xf32>) -> (tensor<5xf32>) {
  weft.return %x : tensor<4xf32>
}
