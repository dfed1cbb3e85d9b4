// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @reduce_c1_names(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C1: has 1 index ranges, but 1 region arguments and 2 names}}
    %s = weft.reduce sum (%j) from (%c0) to (%c4) names ["j", "k"] {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduce_c1_bounds(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C1: lower and upper bounds differ in number}}
    %s = weft.reduce sum (%j) from (%c0, %c0) to (%c4) names ["j"] {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduce_c2_two_values(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C2: must yield one value}}
    %s = weft.reduce sum (%j) from (%c0) to (%c4) names ["j"] {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a, %a : f32, f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduce_c3_position(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C3: result 'f32' of a body of 'f32'}}
    %s = weft.reduce argmax (%j) from (%c0) to (%c4) names ["j"] {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduce_c4_condition(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C4: reduces 'f32', not i1}}
    %s = weft.reduce any (%j) from (%c0) to (%c4) names ["j"] {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @reduce_c5_empty(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<f32> {
  %y = weft.equation () in () names [] {
    // expected-error @+1 {{'weft.reduce' op C5: value if empty is 'index', not 'f32'}}
    %s = "weft.reduce"(%c0, %c4, %c0) <{kind = 2 : i32, names = ["j"], operandSegmentSizes = array<i32: 1, 1, 1>}> ({
    ^bb0(%j: index):
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    }) : (index, index, index) -> f32
    weft.yield %s : f32
  } : tensor<f32>
  return %y : tensor<f32>
}
