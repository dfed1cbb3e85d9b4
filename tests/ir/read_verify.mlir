// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @read_c1_subscripts(%x: tensor<4x4xf32>) -> tensor<4xf32> {
  %y = weft.equation (%i) in (4) names ["i"] {
    // expected-error @+1 {{'weft.read' op C1: 1 subscripts and 1 words of `outside` for 'tensor<4x4xf32>'}}
    %a = weft.read %x[%i] : tensor<4x4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @read_c1_words(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = weft.equation (%i) in (4) names ["i"] {
    // expected-error @+1 {{'weft.read' op C1: 1 subscripts and 2 words of `outside` for 'tensor<4xf32>'}}
    %a = weft.read %x[%i] outside [clamp, clamp] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @read_c2_no_fill(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = weft.equation (%i) in (4) names ["i"] {
    // expected-error @+1 {{'weft.read' op C2: lacks the value that fills}}
    %a = weft.read %x[%i] outside [fill] : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @read_c2_fill_for_nothing(%x: tensor<4xf32>, %f: f32) -> tensor<4xf32> {
  %y = weft.equation (%i) in (4) names ["i"] {
    // expected-error @+1 {{'weft.read' op C2: has a value that nothing fills}}
    %a = weft.read %x[%i] outside [clamp] else %f : tensor<4xf32> -> f32
    weft.yield %a : f32
  } : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @read_c3_type(%x: tensor<4xf32>) -> tensor<4xf64> {
  %y = weft.equation (%i) in (4) names ["i"] {
    // expected-error @+1 {{'weft.read' op C3: reads 'f64' from 'tensor<4xf32>'}}
    %a = weft.read %x[%i] : tensor<4xf32> -> f64
    weft.yield %a : f64
  } : tensor<4xf64>
  return %y : tensor<4xf64>
}
