// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @iterate_c1_callee(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.iterate' op C1: no step is called nothing}}
  %y = weft.iterate up @nothing [2] from (%x : tensor<4xf32>) {given = array<i64: 1>, window = array<i64: 1>, history = array<i1: false>, keep = ["all"]} : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func private @step(%t: index, %h: tensor<4xf32>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {weft.step}
func.func @iterate_c1_inputs(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{'weft.iterate' op C1: the step takes 3 other arguments}}
  %y = weft.iterate up @step [2] from (%x : tensor<4xf32>) {given = array<i64: 1>, window = array<i64: 1>, history = array<i1: false>, keep = ["all"]} : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func private @step(%t: index, %h: tensor<4xf32>) -> tensor<4xf32> attributes {weft.step}
func.func @iterate_c2_result(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.iterate' op C2: result 'tensor<4xf32>', not 'tensor<2x4xf32>'}}
  %y = weft.iterate up @step [2] from (%x : tensor<4xf32>) {given = array<i64: 1>, window = array<i64: 1>, history = array<i1: false>, keep = ["all"]} : tensor<4xf32>
  return %y : tensor<4xf32>
}
