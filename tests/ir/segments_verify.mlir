// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @segments_c1(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.segments' op C1: has keys 'tensor<4xf32>'}}
  %o, %s = weft.segments %x : tensor<4xf32> -> tensor<4xf32>, tensor<3xi64>
  return %o : tensor<4xf32>
}

// -----

func.func @segments_c2_order(%x: tensor<4xi64>) -> tensor<5xi64> {
  // expected-error @+1 {{'weft.segments' op C2: gives 'tensor<5xi64>' and 'tensor<3xi64>' for keys 'tensor<4xi64>'}}
  %o, %s = weft.segments %x : tensor<4xi64> -> tensor<5xi64>, tensor<3xi64>
  return %o : tensor<5xi64>
}

// -----

func.func @segments_c2_starts(%x: tensor<4xi64>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.segments' op C2: gives 'tensor<4xi64>' and 'tensor<0xi64>' for keys 'tensor<4xi64>'}}
  %o, %s = weft.segments %x : tensor<4xi64> -> tensor<4xi64>, tensor<0xi64>
  return %o : tensor<4xi64>
}

// -----

func.func @segments_c3(%x: tensor<?xi64>) -> tensor<?xi64> {
  // expected-error @+1 {{'weft.segments' op C3: has 0 sizes for 1 run-time axes}}
  %o, %s = weft.segments %x : tensor<?xi64> -> tensor<?xi64>, tensor<3xi64>
  return %o : tensor<?xi64>
}
