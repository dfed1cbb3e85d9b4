// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @equation_c1_names(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.equation' op C1: has 1 index ranges, but 1 region arguments and 2 names}}
  %y = weft.equation (%i) in (4) names ["i", "j"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @equation_c2_shape(%x: tensor<4xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{'weft.equation' op C2: result 'tensor<5xf32>' does not have the shape of the extents}}
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

func.func @equation_c2_run_time_size(%x: tensor<?xf32>, %n: index) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.equation' op C2: result 'tensor<4xf32>' does not have the shape of the extents}}
  %y = weft.equation (%i) in (%n) names ["i"] {
    %a = weft.read %x[%i] : tensor<?xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @equation_c3_count(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // expected-error @+1 {{'weft.equation' op C3: must yield one value per result, without condition}}
  %y, %z = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>, tensor<4xf32>
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}

// -----

func.func @equation_c3_condition(%x: tensor<4xf32>, %t: i1) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.equation' op C3: must yield one value per result, without condition}}
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a if %t : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @equation_c3_type(%x: tensor<4xf32>) -> tensor<4xf64> {
  // expected-error @+1 {{'weft.equation' op C3: yields 'f32' for 'tensor<4xf64>'}}
  %y = weft.equation (%i) in (4) names ["i"] {
    %a = weft.read %x[%i] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf64>
  return %y : tensor<4xf64>
}
