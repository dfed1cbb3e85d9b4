#include "backends/halide/test_kernels.h"

namespace weft::backends {
namespace {

// y = x beside w + 1, along the last axis.
constexpr char kConcat[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<$Ax$Bxf32>, %w: tensor<$Ax$Cxf32>) -> (tensor<$Ax$Nxf32>) {
  $CONSTANTS
  %b = arith.constant $B : index
  %y = weft.equation (%i, %k) in ($A, $N) names ["i", "k"] attributes {path = "m.y"} {
    %first = arith.cmpi slt, %k, %b : index
    %v = scf.if %first -> (f32) {
      %a = weft.read %x[%i, %k] : tensor<$Ax$Bxf32> -> f32
      scf.yield %a : f32
    } else {
      %m = arith.subi %k, %b : index
      %a = weft.read %w[%i, %m] : tensor<$Ax$Cxf32> -> f32
      %p = arith.addf %a, %one : f32
      scf.yield %p : f32
    }
    weft.yield %v : f32
  } : tensor<$Ax$Nxf32>
  weft.return %y : tensor<$Ax$Nxf32>
})";

// y[i, k, j] = x[i, j, k].
constexpr char kTranspose[] = R"(
weft.kernel @k {class = "copy"} (%x: tensor<$Ax$Bx$Cxf32>) -> (tensor<$Ax$Cx$Bxf32>) {
  %y = weft.equation (%i, %k, %j) in ($A, $C, $B) names ["i", "k", "j"] attributes {path = "m.y"} {
    %a = weft.read %x[%i, %j, %k] : tensor<$Ax$Bx$Cxf32> -> f32
    weft.yield %a : f32
  } : tensor<$Ax$Cx$Bxf32>
  weft.return %y : tensor<$Ax$Cx$Bxf32>
})";

}  // namespace

TestKernel Concat(int64_t rows, int64_t first, int64_t second) {
  return MakeTestKernel("concat", kConcat, {{"A", rows}, {"B", first}, {"C", second}, {"N", first + second}});
}

TestKernel Transpose(int64_t a, int64_t b, int64_t c) {
  return MakeTestKernel("transpose", kTranspose, {{"A", a}, {"B", b}, {"C", c}});
}

}  // namespace weft::backends
