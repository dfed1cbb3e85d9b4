// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @filter_c1(%x: tensor<4xf32>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.filter' op C1: filters by 'tensor<4xf32>'}}
  %y, %n = weft.filter %x : tensor<4xf32> -> tensor<4xi64>, tensor<i64>
  return %y : tensor<4xi64>
}

// -----

func.func @filter_c2(%m: tensor<4xi1>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.filter' op C2: gives 'tensor<4xi64>' and 'tensor<1xi64>'}}
  %y, %n = weft.filter %m : tensor<4xi1> -> tensor<4xi64>, tensor<1xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @filter_c3(%m: tensor<?xi1>) -> tensor<?xi64> {
  // expected-error @+1 {{'weft.filter' op C3: has 0 sizes for 1 run-time axes}}
  %y, %n = weft.filter %m : tensor<?xi1> -> tensor<?xi64>, tensor<i64>
  return %y : tensor<?xi64>
}
