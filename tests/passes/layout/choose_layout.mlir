// RUN: weft-opt %s -weft-choose-layout | FileCheck %s
// Between two 1x1 convolutions the channels become the last axis, through the activation; input and output keep theirs.
// CHECK-LABEL: func.func @convs
// CHECK-SAME:      %[[X:.*]]: tensor<1x3x5x7xf32>
func.func @convs(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %w1 = weft.weight "w1" : tensor<8x3xf32>
  %w2 = weft.weight "w2" : tensor<4x8xf32>
  // CHECK: %[[A:.*]] = weft.equation (%[[N:.*]], %[[I:.*]], %[[J:.*]], %[[K:.*]]) in (1, 5, 7, 8) names ["n", "i", "j", "k"] attributes {path = "a"}
  // CHECK: weft.read %[[X]][%[[N]], %{{.*}}, %[[I]], %[[J]]]
  // CHECK: } : tensor<1x5x7x8xf32>
  %a = weft.equation (%n, %k, %i, %j) in (1, 8, 5, 7) names ["n", "k", "i", "j"] attributes {path = "a"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c3) names ["c"] {
      %p = weft.read %x[%n, %c, %i, %j] : tensor<1x3x5x7xf32> -> f32
      %q = weft.read %w1[%k, %c] : tensor<8x3xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x8x5x7xf32>
  // CHECK: %[[R:.*]] = weft.equation (%[[N:.*]], %[[I:.*]], %[[J:.*]], %[[K:.*]]) in (1, 5, 7, 8) names ["n", "i", "j", "k"] attributes {path = "r"}
  // CHECK: weft.read %[[A]][%[[N]], %[[I]], %[[J]], %[[K]]]
  %r = weft.equation (%n, %k, %i, %j) in (1, 8, 5, 7) names ["n", "k", "i", "j"] attributes {path = "r"} {
    %p = weft.read %a[%n, %k, %i, %j] : tensor<1x8x5x7xf32> -> f32
    %m = arith.maximumf %p, %zero : f32
    weft.yield %m : f32
  } : tensor<1x8x5x7xf32>
  // CHECK: weft.equation (%[[N:.*]], %[[K:.*]], %[[I:.*]], %[[J:.*]]) in (1, 4, 5, 7) names ["n", "k", "i", "j"] attributes {path = "y"}
  // CHECK: weft.reduce sum (%[[C:.*]]) from
  // CHECK: weft.read %[[R]][%[[N]], %[[I]], %[[J]], %[[C]]]
  %y = weft.equation (%n, %k, %i, %j) in (1, 4, 5, 7) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c8) names ["c"] {
      %p = weft.read %r[%n, %c, %i, %j] : tensor<1x8x5x7xf32> -> f32
      %q = weft.read %w2[%k, %c] : tensor<4x8xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// A contraction that is much work is made with its channels last, and copied into the order that is returned.
// CHECK-LABEL: func.func @returned
func.func @returned(%x: tensor<1x5x7x96xf32>) -> tensor<1x4x5x7xf32> {
  %c0 = arith.constant 0 : index
  %c96 = arith.constant 96 : index
  %w = weft.weight "w" : tensor<4x96xf32>
  // CHECK: %[[Y:.*]] = weft.equation (%{{.*}}) in (1, 5, 7, 4) names ["n", "i", "j", "k"] attributes {path = "y"}
  // CHECK: %[[COPY:.*]] = weft.equation (%[[N:.*]], %[[K:.*]], %[[I:.*]], %[[J:.*]]) in (1, 4, 5, 7) {{.*}} attributes {path = "y.permuted", relayout}
  // CHECK: weft.read %[[Y]][%[[N]], %[[I]], %[[J]], %[[K]]]
  // CHECK: return %[[COPY]]
  %y = weft.equation (%n, %k, %i, %j) in (1, 4, 5, 7) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c96) names ["c"] {
      %p = weft.read %x[%n, %i, %j, %c] : tensor<1x5x7x96xf32> -> f32
      %q = weft.read %w[%k, %c] : tensor<4x96xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// An input that is summed over at places given by data, several times an element, is read from a copy with its channels
// last; the result of the method keeps its order.
// CHECK-LABEL: func.func @sampled
// CHECK-SAME:      %[[X:[a-z0-9]*]]: tensor<16x9x11xf32>
func.func @sampled(%x: tensor<16x9x11xf32>, %at: tensor<500x4xi64>) -> tensor<16x500xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  // CHECK: %[[COPY:.*]] = weft.equation (%[[I:.*]], %[[J:.*]], %[[C:.*]]) in (9, 11, 16) names ["i1", "i2", "i0"] attributes {path = "y.permuted", relayout}
  // CHECK: weft.read %[[X]][%[[C]], %[[I]], %[[J]]]
  // CHECK: weft.equation (%[[C:.*]], %[[P:.*]]) in (16, 500) names ["c", "p"]
  // CHECK: weft.read %[[COPY]][%[[V:.*]], %[[V]], %[[C]]] outside [clamp, clamp, inside]
  %y = weft.equation (%c, %p) in (16, 500) names ["c", "p"] attributes {path = "y"} {
    %s = weft.reduce sum (%a) from (%c0) to (%c4) names ["a"] {
      %n = weft.read %at[%p, %a] : tensor<500x4xi64> -> i64
      %v = arith.index_cast %n : i64 to index
      %r = weft.read %x[%c, %v, %v] outside [inside, clamp, clamp] : tensor<16x9x11xf32> -> f32
      weft.yield %r : f32
    } : f32
    weft.yield %s : f32
  } : tensor<16x500xf32>
  return %y : tensor<16x500xf32>
}

// Where few elements are read, a copy does not pay.
// CHECK-LABEL: func.func @sampled_once
// CHECK-NOT: relayout
func.func @sampled_once(%x: tensor<16x90x110xf32>, %at: tensor<50x4xi64>) -> tensor<16x50xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %y = weft.equation (%c, %p) in (16, 50) names ["c", "p"] attributes {path = "y"} {
    %s = weft.reduce sum (%a) from (%c0) to (%c4) names ["a"] {
      %n = weft.read %at[%p, %a] : tensor<50x4xi64> -> i64
      %v = arith.index_cast %n : i64 to index
      %r = weft.read %x[%c, %v, %v] outside [inside, clamp, clamp] : tensor<16x90x110xf32> -> f32
      weft.yield %r : f32
    } : f32
    weft.yield %s : f32
  } : tensor<16x50xf32>
  return %y : tensor<16x50xf32>
}

// Rows read at places given by data stay rows, though how long they are is known at run time only and what makes them
// would rather have the other axis last.
// CHECK-LABEL: func.func @rows
// CHECK: weft.equation (%{{.*}}, %{{.*}}) in (28, %{{.*}}) names ["m", "j"] attributes {path = "across"}
func.func @rows(%x: tensor<28x30xf32>, %left: tensor<?x2xi64>, %top: tensor<500x2xi64>) -> tensor<500x?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %wide = tensor.dim %left, %c0 : tensor<?x2xi64>
  %across = weft.equation (%m, %j) in (28, %wide) names ["m", "j"] attributes {path = "across"} {
    %s = weft.reduce sum (%b) from (%c0) to (%c2) names ["b"] {
      %n = weft.read %left[%j, %b] : tensor<?x2xi64> -> i64
      %v = arith.index_cast %n : i64 to index
      %r = weft.read %x[%m, %v] outside [inside, clamp] : tensor<28x30xf32> -> f32
      weft.yield %r : f32
    } : f32
    weft.yield %s : f32
  } : tensor<28x?xf32>
  %y = weft.equation (%i, %j) in (500, %wide) names ["i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%a) from (%c0) to (%c2) names ["a"] {
      %n = weft.read %top[%i, %a] : tensor<500x2xi64> -> i64
      %v = arith.index_cast %n : i64 to index
      %r = weft.read %across[%v, %j] outside [clamp, inside] : tensor<28x?xf32> -> f32
      weft.yield %r : f32
    } : f32
    weft.yield %s : f32
  } : tensor<500x?xf32>
  return %y : tensor<500x?xf32>
}

// A window that goes on by two steps reads no vectors along its result: it reads a copy with the channels last, and is
// made so too.
// CHECK-LABEL: func.func @skipping
// CHECK-SAME:      %[[X:[a-z0-9]*]]: tensor<1x8x9x9xf32>
func.func @skipping(%x: tensor<1x8x9x9xf32>) -> tensor<1x8x4x4xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %w = weft.weight "w" : tensor<8x8x3x3xf32>
  // CHECK: %[[COPY:.*]] = weft.equation (%[[N:.*]], %[[I:.*]], %[[J:.*]], %[[C:.*]]) in (1, 9, 9, 8) names ["i0", "i2", "i3", "i1"] attributes {path = "y.permuted", relayout}
  // CHECK: weft.read %[[X]][%[[N]], %[[C]], %[[I]], %[[J]]]
  // CHECK: %[[Y:.*]] = weft.equation (%{{.*}}) in (1, 4, 4, 8) names ["n", "i", "j", "k"] attributes {path = "y"}
  // CHECK: weft.read %[[COPY]]
  // CHECK: %[[BACK:.*]] = weft.equation (%[[N:.*]], %[[K:.*]], %[[I:.*]], %[[J:.*]]) in (1, 8, 4, 4) {{.*}} attributes {path = "y.permuted", relayout}
  // CHECK: weft.read %[[Y]][%[[N]], %[[I]], %[[J]], %[[K]]]
  // CHECK: return %[[BACK]]
  %y = weft.equation (%n, %k, %i, %j) in (1, 8, 4, 4) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c, %r, %t) from (%c0, %c0, %c0) to (%c8, %c3, %c3) names ["c", "r", "s"] {
      %i2 = arith.muli %i, %c2 : index
      %ir = arith.addi %i2, %r : index
      %j2 = arith.muli %j, %c2 : index
      %js = arith.addi %j2, %t : index
      %p = weft.read %x[%n, %c, %ir, %js] : tensor<1x8x9x9xf32> -> f32
      %q = weft.read %w[%k, %c, %r, %t] : tensor<8x8x3x3xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x8x4x4xf32>
  return %y : tensor<1x8x4x4xf32>
}

// Too few results for vectors of them: nothing is copied.
// CHECK-LABEL: func.func @narrow
// CHECK-NOT: relayout
// CHECK: return
func.func @narrow(%x: tensor<1x8x9x9xf32>) -> tensor<1x3x7x7xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %w = weft.weight "w" : tensor<3x8x3x3xf32>
  %y = weft.equation (%n, %k, %i, %j) in (1, 3, 7, 7) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c, %r, %t) from (%c0, %c0, %c0) to (%c8, %c3, %c3) names ["c", "r", "s"] {
      %ir = arith.addi %i, %r : index
      %js = arith.addi %j, %t : index
      %p = weft.read %x[%n, %c, %ir, %js] : tensor<1x8x9x9xf32> -> f32
      %q = weft.read %w[%k, %c, %r, %t] : tensor<3x8x3x3xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x3x7x7xf32>
  return %y : tensor<1x3x7x7xf32>
}

// Little work: the result keeps its order, and with it the input does.
// CHECK-LABEL: func.func @light
// CHECK-NOT: relayout
// CHECK: return
func.func @light(%x: tensor<1x16x9x9xf32>) -> tensor<1x64x5x5xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %w = weft.weight "w" : tensor<64x16xf32>
  %y = weft.equation (%n, %k, %i, %j) in (1, 64, 5, 5) names ["n", "k", "i", "j"] attributes {path = "y"} {
    %s = weft.reduce sum (%c) from (%c0) to (%c16) names ["c"] {
      %i2 = arith.muli %i, %c2 : index
      %j2 = arith.muli %j, %c2 : index
      %p = weft.read %x[%n, %c, %i2, %j2] : tensor<1x16x9x9xf32> -> f32
      %q = weft.read %w[%k, %c] : tensor<64x16xf32> -> f32
      %m = arith.mulf %p, %q : f32
      weft.yield %m : f32
    } : f32
    weft.yield %s : f32
  } : tensor<1x64x5x5xf32>
  return %y : tensor<1x64x5x5xf32>
}
