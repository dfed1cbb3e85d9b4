// RUN: weft-opt %s -weft-bound-masked-reductions | FileCheck %s

// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0) -> (d0 + 5)>
// CHECK-DAG: #[[TILE:.*]] = affine_map<(d0, d1) -> (d0 + 5)>
// CHECK-DAG: #[[BEGIN:.*]] = affine_map<(d0) -> (d0 - 2)>
// CHECK-DAG: #[[ENDS:.*]] = affine_map<(d0) -> (d0 + 1, 6)>

// The maximum of what is -inf behind i ends there, so does the sum of exponentials, and the product with values.
// CHECK-LABEL: func.func @causal
func.func @causal(%x: tensor<8x12xf32>, %v: tensor<12x4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c12 = arith.constant 12 : index
  %least = arith.constant 0xFF800000 : f32
  %open = weft.equation (%i, %j) in (8, 12) names ["i", "j"] {
    %last = arith.addi %i, %c4 : index
    %near = arith.cmpi sle, %j, %last : index
    %a = weft.read %x[%i, %j] : tensor<8x12xf32> -> f32
    %s = arith.select %near, %a, %least : f32
    weft.yield %s : f32
  } : tensor<8x12xf32>
  // CHECK: weft.reduce max {{.*}} attributes {counted_to = #[[ROW]]}
  %peak = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce max (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %open[%i, %j] : tensor<8x12xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  %e = weft.equation (%i, %j) in (8, 12) names ["i", "j"] {
    %a = weft.read %open[%i, %j] : tensor<8x12xf32> -> f32
    %p = weft.read %peak[%i] : tensor<8xf32> -> f32
    %d = arith.subf %a, %p : f32
    %f = math.exp %d : f32
    weft.yield %f : f32
  } : tensor<8x12xf32>
  // CHECK: weft.reduce sum {{.*}} attributes {counted_to = #[[ROW]]}
  %sum = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<8x12xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  // CHECK: weft.reduce sum {{.*}} attributes {counted_to = #[[TILE]]}
  %o = weft.equation (%i, %k) in (8, 4) names ["i", "k"] {
    %m = weft.reduce sum (%j) from (%c0) to (%c12) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<8x12xf32> -> f32
      %b = weft.read %v[%j, %k] : tensor<12x4xf32> -> f32
      %c = arith.mulf %a, %b : f32
      weft.yield %c : f32
    } : f32
    %s = weft.read %sum[%i] : tensor<8xf32> -> f32
    %q = arith.divf %m, %s : f32
    weft.yield %q : f32
  } : tensor<8x4xf32>
  return %o : tensor<8x4xf32>
}

// A window begins as well; several comparisons are several ends.
// CHECK-LABEL: func.func @window
func.func @window(%x: tensor<8x8xf32>) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c6 = arith.constant 6 : index
  %c8 = arith.constant 8 : index
  %least = arith.constant 0xFF800000 : f32
  %open = weft.equation (%i, %j) in (8, 8) names ["i", "j"] {
    %first = arith.subi %i, %c3 : index
    %after = arith.cmpi sgt, %j, %first : index
    %near = arith.cmpi sle, %j, %i : index
    %early = arith.cmpi slt, %j, %c6 : index
    %some = arith.andi %after, %near : i1
    %all = arith.andi %some, %early : i1
    %s = scf.if %all -> f32 {
      %a = weft.read %x[%i, %j] : tensor<8x8xf32> -> f32
      scf.yield %a : f32
    } else {
      scf.yield %least : f32
    }
    weft.yield %s : f32
  } : tensor<8x8xf32>
  // CHECK: weft.reduce max {{.*}} attributes {counted_from = #[[BEGIN]], counted_to = #[[ENDS]]}
  %peak = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce max (%j) from (%c0) to (%c8) names ["j"] {
      %a = weft.read %open[%i, %j] : tensor<8x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  return %peak : tensor<8xf32>
}

// The exponential of -inf less anything else than a peak may be no 0, a sum counts -inf, a minimum too, and data decide nothing.
// CHECK-LABEL: func.func @counts
// CHECK-NOT: counted
func.func @counts(%x: tensor<8x8xf32>, %shift: tensor<8xf32>, %at: tensor<8xi64>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %least = arith.constant 0xFF800000 : f32
  %open = weft.equation (%i, %j) in (8, 8) names ["i", "j"] {
    %near = arith.cmpi sle, %j, %i : index
    %a = weft.read %x[%i, %j] : tensor<8x8xf32> -> f32
    %s = arith.select %near, %a, %least : f32
    weft.yield %s : f32
  } : tensor<8x8xf32>
  %exponentials = weft.equation (%i) in (8) names ["i"] {
    %p = weft.read %shift[%i] : tensor<8xf32> -> f32
    %m = weft.reduce sum (%j) from (%c0) to (%c8) names ["j"] {
      %a = weft.read %open[%i, %j] : tensor<8x8xf32> -> f32
      %d = arith.subf %a, %p : f32
      %e = math.exp %d : f32
      weft.yield %e : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  %sum = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce sum (%j) from (%c0) to (%c8) names ["j"] {
      %a = weft.read %open[%i, %j] : tensor<8x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  %least_of = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce min (%j) from (%c0) to (%c8) names ["j"] {
      %a = weft.read %open[%i, %j] : tensor<8x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  %told = weft.equation (%i, %j) in (8, 8) names ["i", "j"] {
    %n = weft.read %at[%i] : tensor<8xi64> -> i64
    %end = arith.index_cast %n : i64 to index
    %near = arith.cmpi sle, %j, %end : index
    %a = weft.read %x[%i, %j] : tensor<8x8xf32> -> f32
    %s = arith.select %near, %a, %least : f32
    weft.yield %s : f32
  } : tensor<8x8xf32>
  %peak = weft.equation (%i) in (8) names ["i"] {
    %m = weft.reduce max (%j) from (%c0) to (%c8) names ["j"] {
      %a = weft.read %told[%i, %j] : tensor<8x8xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<8xf32>
  return %exponentials, %sum, %least_of, %peak : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}
