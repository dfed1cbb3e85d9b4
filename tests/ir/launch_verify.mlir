// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @launch_c1_unknown(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.launch' op C1: no kernel is called copy}}
  %y = weft.launch @copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

weft.kernel @copy (%x: tensor<4xf32>) -> (tensor<4xf32>) {
  weft.return %x : tensor<4xf32>
}
func.func @launch_c1_type(%x: tensor<5xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'weft.launch' op C1: launches '(tensor<5xf32>) -> tensor<4xf32>', but the kernel is '(tensor<4xf32>) -> tensor<4xf32>'}}
  %y = weft.launch @copy(%x) : (tensor<5xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

weft.kernel @copy (%x: tensor<?xf32>) -> (tensor<?xf32>) {
  weft.return %x : tensor<?xf32>
}
func.func @launch_c2_sizes(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{'weft.launch' op C2: has 0 sizes for 1 run-time sizes of its results}}
  %y = weft.launch @copy(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
