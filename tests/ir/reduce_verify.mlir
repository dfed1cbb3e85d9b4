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

// -----

func.func @reduce_c6_indices(%x: tensor<4xf32>, %c0: index, %c4: index) -> tensor<3xf32> {
  %y = weft.equation (%i) in (3) names ["i"] {
    // expected-error @+1 {{'weft.reduce' op C6: affine_map<(d0, d1) -> (d0)> is no map from the indices of its equation}}
    %s = weft.reduce sum (%j) from (%c0) to (%c4) names ["j"] attributes {counted_to = affine_map<(d0, d1) -> (d0)>} {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

func.func @reduce_c6_condition(%x: tensor<4xf32>, %c0: index, %c4: index, %is: i1) -> tensor<3xf32> {
  %y = weft.equation (%i) in (3) names ["i"] {
    // expected-error @+1 {{'weft.reduce' op C6: counts some elements of several ranges, of a condition or with a value if empty}}
    %s = weft.reduce sum (%j) from (%c0) to (%c4) names ["j"] attributes {counted_from = affine_map<(d0) -> (d0)>} {
      %a = weft.read %x[%j] : tensor<4xf32> -> f32
      weft.yield %a if %is : f32
    } : f32
    weft.yield %s : f32
  } : tensor<3xf32>
  return %y : tensor<3xf32>
}
