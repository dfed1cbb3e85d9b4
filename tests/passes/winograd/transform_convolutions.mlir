// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-transform-convolutions{tolerance=1e-4}))' | FileCheck %s
// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-transform-convolutions{tolerance=1e-5 l2-bytes=4194304}))' | FileCheck %s --check-prefix=TWO
// RUN: weft-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(weft-transform-convolutions{tolerance=1e-7}))' | FileCheck %s --check-prefix=NONE
// RUN: weft-opt %s -split-input-file -weft-transform-convolutions | FileCheck %s --check-prefix=NONE

// Transformed tiles of the input and of the weights, a matrix product for each of the 36 places, and the way back in the
// place of the sum: bias and relu stay behind it.
// CHECK-LABEL: func.func @padded
// CHECK-SAME:      %[[X:.*]]: tensor<2x64x20x16xf32>
// CHECK: %[[W:.*]] = weft.weight "w"
// CHECK: %[[FILTERS:.*]] = weft.equation (%{{.*}}) in (6, 6, 32, 64) names ["a", "b", "k", "c"] attributes {path = "y.filters"}
// CHECK: weft.read %[[W]]
// CHECK: %[[ROWS:.*]] = weft.equation (%[[N:.*]], %[[U:.*]], %[[V:.*]], %[[J:.*]], %[[A:.*]], %[[C:.*]]) in (2, 5, 4, 6, 6, 64)
// CHECK-SAME: names ["n", "row_tile", "column_tile", "j", "a", "c"] attributes {path = "y.rows", stands_alone}
// Tiles end where the results do: what lies outside is what did before.
// CHECK: weft.read %[[X]][%[[N]], %[[C]], %{{.*}}, %{{.*}}] outside [inside, inside, fill, fill]
// CHECK: %[[TILES:.*]] = weft.equation (%{{.*}}) in (2, 5, 4, 6, 6, 64) {{.*}} attributes {path = "y.tiles", stands_alone}
// CHECK-COUNT-6: weft.read %[[ROWS]]
// CHECK: %[[PRODUCTS:.*]] = weft.equation (%[[N:.*]], %[[U:.*]], %[[V:.*]], %[[A:.*]], %[[B:.*]], %[[K:.*]]) in (2, 5, 4, 6, 6, 32)
// CHECK: weft.reduce sum (%[[C:.*]]) from
// CHECK: weft.read %[[TILES]][%[[N]], %[[U]], %[[V]], %[[A]], %[[B]], %[[C]]]
// CHECK: weft.read %[[FILTERS]][%[[A]], %[[B]], %[[K]], %[[C]]]
// CHECK: weft.equation (%[[N:.*]], %[[K:.*]], %[[I:.*]], %[[J:.*]]) in (2, 32, 20, 16) names ["n", "k", "i", "j"] attributes {path = "y", stands_alone}
// CHECK: %[[U:.*]] = arith.divui %[[I]], %c4
// CHECK: %[[P:.*]] = arith.remui %[[I]], %c4
// CHECK: weft.read %[[PRODUCTS]][%[[N]], %[[U]], %{{.*}}, %{{.*}}, %{{.*}}, %[[K]]]
// CHECK-NOT: weft.reduce
// CHECK: arith.addf %{{.*}}, %[[BIAS:.*]] : f32
// CHECK: arith.maximumf
// TWO-LABEL: func.func @padded
// TWO: in (4, 4, 32, 64) names ["a", "b", "k", "c"] attributes {path = "y.filters"}
// NONE-LABEL: func.func @padded
// NONE-NOT: stands_alone
func.func @padded(%x: tensor<2x64x20x16xf32>) -> tensor<2x32x20x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %w = weft.weight "w" : tensor<32x64x3x3xf32>
  %b = weft.weight "b" : tensor<32xf32>
  %y = weft.equation (%n, %k, %i, %j) in (2, 32, 20, 16) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c, %r, %t) from (%c0, %c0, %c0) to (%c64, %c3, %c3) names ["c", "r", "s"] {
      %i1 = arith.addi %i, %r : index
      %i2 = arith.subi %i1, %c1 : index
      %j1 = arith.addi %j, %t : index
      %j2 = arith.subi %j1, %c1 : index
      %p = weft.read %x[%n, %c, %i2, %j2] outside [inside, inside, fill, fill] else %zero : tensor<2x64x20x16xf32> -> f32
      %q = weft.read %w[%k, %c, %r, %t] : tensor<32x64x3x3xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    %bias = weft.read %b[%k] : tensor<32xf32> -> f32
    %z = arith.addf %s, %bias : f32
    %relu = arith.maximumf %z, %zero : f32
    weft.yield %relu : f32
  } : tensor<2x32x20x16xf32>
  return %y : tensor<2x32x20x16xf32>
}

// -----

// Channels last, no border, and a size that tiles go beyond: those read nothing there. Sizes known at run time.
// CHECK-LABEL: func.func @overhanging
// CHECK-SAME:      %[[X:.*]]: tensor<?x9x64xf32>
// CHECK: %[[MORE:.*]] = arith.addi %[[H:.*]], %c3
// CHECK: %[[U:.*]] = arith.divui %[[MORE]], %c4
// CHECK: weft.equation (%{{.*}}) in (%[[U]], 2, 6, 6, 64) names ["row_tile", "column_tile", "j", "a", "c"]
// CHECK: weft.read %[[X]][{{.*}}] outside [fill, fill, inside]
func.func @overhanging(%x: tensor<?x9x64xf32>) -> tensor<?x7x64xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %dim = tensor.dim %x, %c0 : tensor<?x9x64xf32>
  %h = arith.subi %dim, %c2 : index
  %w = weft.weight "w" : tensor<3x3x64x64xf32>
  %y = weft.equation (%i, %j, %k) in (%h, 7, 64) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c64) names ["r", "s", "c"] {
      %i1 = arith.addi %i, %r : index
      %j1 = arith.addi %j, %t : index
      %p = weft.read %x[%i1, %j1, %c] : tensor<?x9x64xf32> -> f32
      %q = weft.read %w[%r, %t, %c, %k] : tensor<3x3x64x64xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<?x7x64xf32>
  return %y : tensor<?x7x64xf32>
}

// -----

// An equation's own tolerance is stronger than that of all.
module attributes {weft.tolerances = {y = 0.0 : f64}} {
  // CHECK-LABEL: func.func @forbidden
  // CHECK-NOT: stands_alone
  func.func @forbidden(%x: tensor<18x18x64xf32>) -> tensor<16x16x64xf32> {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %c64 = arith.constant 64 : index
    %w = weft.weight "w" : tensor<3x3x64x64xf32>
    %y = weft.equation (%i, %j, %k) in (16, 16, 64) names ["i", "j", "k"] attributes {path = "y"} {
      %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c64) names ["r", "s", "c"] {
        %i1 = arith.addi %i, %r : index
        %j1 = arith.addi %j, %t : index
        %p = weft.read %x[%i1, %j1, %c] : tensor<18x18x64xf32> -> f32
        %q = weft.read %w[%r, %t, %c, %k] : tensor<3x3x64x64xf32> -> f32
        %m = arith.mulf %p, %q : f32
        weft.yield %m : f32
      } : f32
      weft.yield %s : f32
    } : tensor<16x16x64xf32>
    return %y : tensor<16x16x64xf32>
  }
}

// -----

// No such convolutions: a stride of two, weights that are an input, few channels (the transformations take longer).
// CHECK-LABEL: func.func @others
// CHECK-NOT: stands_alone
func.func @others(%x: tensor<18x18x64xf32>, %given: tensor<3x3x64x64xf32>) -> (tensor<8x8x64xf32>, tensor<16x16x64xf32>, tensor<16x16x5xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %w = weft.weight "w" : tensor<3x3x64x64xf32>
  %y = weft.equation (%i, %j, %k) in (8, 8, 64) names ["i", "j", "k"] attributes {path = "y"} {
    %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c64) names ["r", "s", "c"] {
      %i0 = arith.muli %i, %c2 : index
      %i1 = arith.addi %i0, %r : index
      %j0 = arith.muli %j, %c2 : index
      %j1 = arith.addi %j0, %t : index
      %p = weft.read %x[%i1, %j1, %c] : tensor<18x18x64xf32> -> f32
      %q = weft.read %w[%r, %t, %c, %k] : tensor<3x3x64x64xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<8x8x64xf32>
  %z = weft.equation (%i, %j, %k) in (16, 16, 64) names ["i", "j", "k"] attributes {path = "z"} {
    %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c64) names ["r", "s", "c"] {
      %i1 = arith.addi %i, %r : index
      %j1 = arith.addi %j, %t : index
      %p = weft.read %x[%i1, %j1, %c] : tensor<18x18x64xf32> -> f32
      %q = weft.read %given[%r, %t, %c, %k] : tensor<3x3x64x64xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<16x16x64xf32>
  %v = weft.weight "v" : tensor<3x3x3x5xf32>
  %few = weft.equation (%i, %j, %k) in (16, 16, 5) names ["i", "j", "k"] attributes {path = "few"} {
    %s = weft.reduce sum (%r, %t, %c) from (%c0, %c0, %c0) to (%c3, %c3, %c3) names ["r", "s", "c"] {
      %i1 = arith.addi %i, %r : index
      %j1 = arith.addi %j, %t : index
      %p = weft.read %x[%i1, %j1, %c] : tensor<18x18x64xf32> -> f32
      %q = weft.read %v[%r, %t, %c, %k] : tensor<3x3x3x5xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<16x16x5xf32>
  return %y, %z, %few : tensor<8x8x64xf32>, tensor<16x16x64xf32>, tensor<16x16x5xf32>
}
