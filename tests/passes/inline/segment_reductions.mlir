// RUN: weft-opt %s -weft-segment-reductions | FileCheck %s
// Every edge is looked at once: the sum for n walks the part of the list that its starts give. The tensor of keys is used as
// it is, and the comparison is gone.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[DST:.*]]: tensor<?xi64>, %[[N:.*]]: index)
func.func @rows(%x: tensor<?x8xf32>, %dst: tensor<?xi64>, %n: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.dim %x, %c0 : tensor<?x8xf32>
  %edges = tensor.dim %dst, %c0 : tensor<?xi64>
  // CHECK: %[[ORDER:.*]], %[[STARTS:.*]] = weft.segments %[[DST]] sizes(%{{.*}}, %{{.*}}) : tensor<?xi64> -> tensor<?xi64>, tensor<?xi64>
  // CHECK: weft.equation (%[[I:.*]], %[[D:.*]]) in (%[[N]], 8)
  // CHECK: %[[B:.*]] = weft.read %[[STARTS]][%[[I]]]
  // CHECK: %[[BEGIN:.*]] = arith.index_cast %[[B]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %{{.*}} : index
  // CHECK: %[[L:.*]] = weft.read %[[STARTS]][%[[NEXT]]]
  // CHECK: %[[END:.*]] = arith.index_cast %[[L]]
  // CHECK: weft.reduce sum (%[[S:.*]]) from (%[[BEGIN]]) to (%[[END]]) names ["e"]
  // CHECK: %[[P:.*]] = weft.read %[[ORDER]][%[[S]]]
  // CHECK: %[[E:.*]] = arith.index_cast %[[P]]
  // CHECK-NOT: arith.cmpi
  // CHECK: %[[V:.*]] = weft.read %[[X]][%[[E]], %[[D]]]
  // CHECK-NOT: arith.select
  // CHECK: weft.yield %[[V]] : f32
  %y = weft.equation (%i, %d) in (%n, 8) names ["n", "d"] attributes {path = "y"} {
    %s = weft.reduce sum (%k) from (%c0) to (%edges) names ["e"] {
      %at = weft.read %dst[%k] : tensor<?xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %here = arith.cmpi eq, %to, %i : index
      %a = weft.read %x[%k, %d] : tensor<?x8xf32> -> f32
      %v = arith.select %here, %a, %zero : f32
      weft.yield %v if %here : f32
    } : f32
    weft.yield %s : f32
  } : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// Two equalities are one key, which no segment has where one of them is outside. What else is asked is asked still.
// CHECK-LABEL: func.func @cells
func.func @cells(%row: tensor<5000xi64>, %col: tensor<5000xi64>, %keep: tensor<5000xi1>) -> tensor<4x8xi1> {
  %c0 = arith.constant 0 : index
  %c5000 = arith.constant 5000 : index
  // CHECK: %[[KEYS:.*]] = weft.equation (%[[E:.*]]) in (5000) names ["e"] attributes {path = "y.key"}
  // CHECK: %[[R:.*]] = weft.read %{{.*}}[%[[E]]]
  // CHECK: %[[IN_ROWS:.*]] = arith.cmpi ult, %[[R]], %{{.*}} : i64
  // CHECK: %[[C:.*]] = weft.read %{{.*}}[%[[E]]]
  // CHECK: %[[IN_COLS:.*]] = arith.cmpi ult, %[[C]], %{{.*}} : i64
  // CHECK: %[[INSIDE:.*]] = arith.andi %[[IN_ROWS]], %[[IN_COLS]]
  // CHECK: %[[NONE:.*]] = arith.constant -1 : i64
  // CHECK: arith.select %[[INSIDE]], %{{.*}}, %[[NONE]] : i64
  // CHECK: weft.segments %[[KEYS]] {{.*}}: tensor<5000xi64> -> tensor<5000xi64>, tensor<33xi64>
  // CHECK: weft.reduce any
  // CHECK-NOT: cmpi
  // CHECK: %[[K:.*]] = weft.read %{{.*}} : tensor<5000xi1> -> i1
  // CHECK-NEXT: weft.yield %[[K]] : i1
  %y = weft.equation (%i, %j) in (4, 8) names ["i", "j"] attributes {path = "y"} {
    %s = weft.reduce any (%e) from (%c0) to (%c5000) names ["e"] {
      %r = weft.read %row[%e] : tensor<5000xi64> -> i64
      %ri = arith.index_cast %r : i64 to index
      %in_row = arith.cmpi eq, %ri, %i : index
      %c = weft.read %col[%e] : tensor<5000xi64> -> i64
      %ci = arith.index_cast %c : i64 to index
      %in_col = arith.cmpi eq, %ci, %j : index
      %k = weft.read %keep[%e] : tensor<5000xi1> -> i1
      %both = arith.andi %in_row, %in_col : i1
      %all = arith.andi %both, %k : i1
      weft.yield %all : i1
    } : i1
    weft.yield %s : i1
  } : tensor<4x8xi1>
  return %y : tensor<4x8xi1>
}

// How many there are is the length of the segment: nothing is walked. The key is what the index must be.
// CHECK-LABEL: func.func @count
func.func @count(%dst: tensor<5000xi64>) -> tensor<100xi64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c5000 = arith.constant 5000 : index
  // CHECK: weft.equation {{.*}} in (5000)
  // CHECK: arith.addi %{{.*}}, %{{.*}} : i64
  // CHECK: weft.segments
  // CHECK: weft.equation {{.*}} in (100)
  // CHECK-NOT: weft.reduce
  // CHECK: arith.subi %{{.*}}, %{{.*}} : index
  %y = weft.equation (%n) in (100) names ["n"] {
    %s = weft.reduce sum (%e) from (%c0) to (%c5000) names ["e"] {
      %at = weft.read %dst[%e] : tensor<5000xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %behind = arith.addi %to, %c3 : index
      %here = arith.cmpi eq, %n, %behind : index
      %one = arith.select %here, %c1, %c0 : index
      weft.yield %one : index
    } : index
    %c = arith.index_cast %s : index to i64
    weft.yield %c : i64
  } : tensor<100xi64>
  return %y : tensor<100xi64>
}

// Elements with two indices are one list; a batch has a list each. A read that nothing proves inside for all elements
// reads zeros outside. Where no element is read, the size bounds the walk.
// CHECK-LABEL: func.func @pixels
func.func @pixels(%label: tensor<3x64x100xi64>, %cut: tensor<64xi64>) -> tensor<3x50xf32> {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c100 = arith.constant 100 : index
  %one = arith.constant 1.0 : f32
  %none = arith.constant 9.0 : f32
  // CHECK: weft.equation (%[[B:.*]], %[[P:.*]]) in (3, 6400) names ["b", "h_w"]
  // CHECK: arith.remui %[[P]]
  // CHECK: arith.divui %[[P]]
  // CHECK: weft.read %{{.*}} outside [fill, fill, fill] else
  // CHECK: weft.segments {{.*}} : tensor<3x6400xi64> -> tensor<3x6400xi64>, tensor<3x51xi64>
  // CHECK: weft.equation (%[[B2:.*]], %[[N:.*]]) in (3, 50)
  // CHECK: weft.read %{{.*}}[%[[B2]], %[[N]]] : tensor<3x51xi64> -> i64
  // CHECK: %[[BEGIN:.*]] = arith.maxsi
  // CHECK: %[[END:.*]] = arith.minsi
  // CHECK: weft.reduce first (%{{.*}}) from (%[[BEGIN]]) to (%[[END]]) names ["h_w"]
  // CHECK: } else %{{.*}} : f32
  %y = weft.equation (%b, %n) in (3, 50) names ["b", "n"] {
    %s = weft.reduce first (%h, %w) from (%c0, %c0) to (%c64, %c100) names ["h", "w"] {
      %r = weft.read %cut[%h] : tensor<64xi64> -> i64
      %ri = arith.index_cast %r : i64 to index
      %at = weft.read %label[%b, %ri, %w] : tensor<3x64x100xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %here = arith.cmpi eq, %to, %n : index
      weft.yield %one if %here : f32
    } else %none : f32
    weft.yield %s : f32
  } : tensor<3x50xf32>
  return %y : tensor<3x50xf32>
}

// The position that argmax gives is one of all elements.
// CHECK-LABEL: func.func @position
func.func @position(%x: tensor<5000xf32>, %dst: tensor<5000xi64>) -> tensor<100xi64> {
  %c0 = arith.constant 0 : index
  %c7 = arith.constant 7 : index
  %c5000 = arith.constant 5000 : index
  // CHECK: %[[NONE:.*]] = arith.constant -1 : index
  // CHECK: %[[AT:.*]] = weft.reduce argmax
  // CHECK: } else %[[NONE]] : index
  // CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %[[AT]] : index
  // CHECK: weft.read %{{.*}}[%[[PLACE]]] outside [fill]
  // CHECK: %[[FOUND:.*]] = arith.cmpi sge, %[[AT]], %{{.*}} : index
  // CHECK: arith.select %[[FOUND]], %{{.*}}, %c7
  %y = weft.equation (%n) in (100) names ["n"] {
    %s = weft.reduce argmax (%e) from (%c0) to (%c5000) names ["e"] {
      %at = weft.read %dst[%e] : tensor<5000xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %here = arith.cmpi eq, %to, %n : index
      %a = weft.read %x[%e] : tensor<5000xf32> -> f32
      weft.yield %a if %here : f32
    } else %c7 : index
    %p = arith.index_cast %s : index to i64
    weft.yield %p : i64
  } : tensor<100xi64>
  return %y : tensor<100xi64>
}

// The order of a permutation is its inverse; that of the first few of one, or of other numbers, is sorted.
// CHECK-LABEL: func.func @inverse
func.func @inverse(%x: tensor<100xf32>, %z: tensor<100xi64>) -> (tensor<100xi64>, tensor<9xi64>, tensor<100xi64>) {
  // CHECK: %[[P:.*]] = weft.sort %{{.*}} : tensor<100xf32>
  %p = weft.sort %x : tensor<100xf32> -> tensor<100xi64>
  // CHECK: %[[Q:.*]], %{{.*}} = weft.segments %[[P]] : tensor<100xi64> -> tensor<100xi64>, tensor<101xi64>
  %q = weft.sort %p : tensor<100xi64> -> tensor<100xi64>
  // CHECK: %[[FEW:.*]] = weft.sort %[[P]] : tensor<100xi64> -> tensor<9xi64>
  %few = weft.sort %p : tensor<100xi64> -> tensor<9xi64>
  // CHECK: %[[O:.*]] = weft.sort
  %o = weft.sort %z : tensor<100xi64> -> tensor<100xi64>
  // CHECK: return %[[Q]], %[[FEW]], %[[O]]
  return %q, %few, %o : tensor<100xi64>, tensor<9xi64>, tensor<100xi64>
}

// Few pairs, a key that knows the index, and a comparison without data stay.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: weft.segments
func.func @stays(%dst: tensor<100xi64>, %own: tensor<5000x100xi64>) -> (tensor<20xi1>, tensor<100xi1>, tensor<100xi1>) {
  %c0 = arith.constant 0 : index
  %c100 = arith.constant 100 : index
  %c5000 = arith.constant 5000 : index
  %few = weft.equation (%n) in (20) names ["n"] {
    %s = weft.reduce any (%e) from (%c0) to (%c100) names ["e"] {
      %at = weft.read %dst[%e] : tensor<100xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %here = arith.cmpi eq, %to, %n : index
      weft.yield %here : i1
    } : i1
    weft.yield %s : i1
  } : tensor<20xi1>
  %self = weft.equation (%n) in (100) names ["n"] {
    %s = weft.reduce any (%e) from (%c0) to (%c5000) names ["e"] {
      %at = weft.read %own[%e, %n] : tensor<5000x100xi64> -> i64
      %to = arith.index_cast %at : i64 to index
      %here = arith.cmpi eq, %to, %n : index
      weft.yield %here : i1
    } : i1
    weft.yield %s : i1
  } : tensor<100xi1>
  %plain = weft.equation (%n) in (100) names ["n"] {
    %s = weft.reduce any (%e) from (%c0) to (%c5000) names ["e"] {
      %here = arith.cmpi eq, %e, %n : index
      weft.yield %here : i1
    } : i1
    weft.yield %s : i1
  } : tensor<100xi1>
  return %few, %self, %plain : tensor<20xi1>, tensor<100xi1>, tensor<100xi1>
}
