// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @extern_c1(%x: tensor<4xf32>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.extern' op C1: has 1 types and 1 names}}
  %y = weft.extern "f"(%x) {elements = ["f32"], names = ["y"], ranged = array<i1: false>} : (tensor<4xf32>) -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @extern_c2(%x: tensor<4xf32>) -> tensor<4xi64> {
  // expected-error @+1 {{'weft.extern' op C2: has 0 bounds for 1 ranges}}
  %y = weft.extern "f"(%x) {elements = ["f32", "int"], names = ["y"], ranged = array<i1: true>} : (tensor<4xf32>) -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

func.func @extern_c3(%x: tensor<?xf32>) -> tensor<?xi64> {
  // expected-error @+1 {{'weft.extern' op C3: has 0 sizes for 1 run-time axes}}
  %y = weft.extern "f"(%x) {elements = ["f32", "int"], names = ["y"], ranged = array<i1: false>} : (tensor<?xf32>) -> tensor<?xi64>
  return %y : tensor<?xi64>
}
