// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @sort_c1(%m: tensor<4xi1>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.sort' op C1: sorts 'tensor<4xi1>'}}
  %y = weft.sort %m : tensor<4xi1> -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @sort_c2_longer(%x: tensor<4xf32>) -> tensor<5xi64> {
  // expected-error @+1 {{'weft.sort' op C2: gives 'tensor<5xi64>' for keys 'tensor<4xf32>'}}
  %y = weft.sort %x : tensor<4xf32> -> tensor<5xi64>
  return %y : tensor<5xi64>
}

// -----

func.func @sort_c2_type(%x: tensor<4xf32>) -> tensor<4xi32> {
  // expected-error @+1 {{'weft.sort' op C2: gives 'tensor<4xi32>' for keys 'tensor<4xf32>'}}
  %y = weft.sort %x : tensor<4xf32> -> tensor<4xi32>
  return %y : tensor<4xi32>
}

// -----

func.func @sort_c3(%x: tensor<?xf32>) -> tensor<?xi64> {
  // expected-error @+1 {{'weft.sort' op C3: has 0 sizes for 1 run-time axes}}
  %y = weft.sort %x : tensor<?xf32> -> tensor<?xi64>
  return %y : tensor<?xi64>
}
