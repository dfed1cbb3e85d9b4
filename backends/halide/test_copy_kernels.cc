#include "absl/strings/str_cat.h"
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

// Sums over two steps along a row that data gives, of any length.
constexpr char kDynamicRows[] = R"(
weft.kernel @k {class = "depthwise"} (%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> (tensor<?x?xf32>) {
  $CONSTANTS
  %m = tensor.dim %w, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %y = weft.equation (%i, %j) in (%m, %n) names ["i", "j"] attributes {path = "m.y"} {
    %s = weft.reduce sum (%r) from (%c0) to (%c2) names ["r"] {
      %p = arith.addi %i, %r : index
      %a = weft.read %x[%p, %j] outside [fill, inside] else %zero : tensor<?x?xf32> -> f32
      %b = weft.read %w[%i, %r] : tensor<?x?xf32> -> f32
      %t = arith.mulf %a, %b : f32
      weft.yield %t : f32
    } : f32
    weft.yield %s : f32
  } : tensor<?x?xf32>
  weft.return %y : tensor<?x?xf32>
})";

}  // namespace

TestKernel Concat(int64_t rows, int64_t first, int64_t second) {
  return MakeTestKernel("concat", kConcat, {{"A", rows}, {"B", first}, {"C", second}, {"N", first + second}});
}

TestKernel Transpose(int64_t a, int64_t b, int64_t c) {
  return MakeTestKernel("transpose", kTranspose, {{"A", a}, {"B", b}, {"C", c}});
}

TestKernel DynamicRows(int64_t rows, int64_t columns) {
  TestKernel kernel = MakeTestKernel("dynamic rows", kDynamicRows);
  absl::StrAppend(&kernel.name, " ", rows, "x", columns);
  kernel.inputs.sizes = {rows, columns, rows, 2, rows, columns};
  return kernel;
}

}  // namespace weft::backends
