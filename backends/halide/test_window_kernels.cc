#include "absl/strings/str_replace.h"
#include "backends/halide/test_kernels.h"

namespace weft::backends {
namespace {

// A 1x1 convolution with packed weights, a bias and a rectifier, and a 3x3 window per channel over it.
constexpr char kWidened[] = R"(
weft.kernel @k {class = "contraction"} (%x: tensor<1x$Hx$Wx$Cxf32>, %w: tensor<$BLOCKSx$Cx$BLOCKxf32>, %b: tensor<$Kxf32>, %f: tensor<3x3x$Kxf32>) -> (tensor<1x$Ix$Jx$Kxf32>) {
  $CONSTANTS
  %d = arith.constant $C : index
  %block = arith.constant $BLOCK : index
  %stride = arith.constant $S : index
  %low = arith.constant 0xFF800000 : f32
  %h = weft.equation (%n, %i, %j, %k) in (1, $H, $W, $K) names ["n", "i", "j", "k"] attributes {common = array<i64: 3>, packed = {axis = 3, block = $BLOCK}, path = "m.h"} {
    %s = weft.reduce sum (%c) from (%c0) to (%d) names ["c"] {
      %a = weft.read %x[%n, %i, %j, %c] : tensor<1x$Hx$Wx$Cxf32> -> f32
      %ko = arith.divui %k, %block : index
      %ki = arith.remui %k, %block : index
      %q = weft.read %w[%ko, %c, %ki] : tensor<$BLOCKSx$Cx$BLOCKxf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    %bias = weft.read %b[%k] : tensor<$Kxf32> -> f32
    %t = arith.addf %s, %bias : f32
    %u = arith.maximumf %t, %zero : f32
    weft.yield %u : f32
  } : tensor<1x$Hx$Wx$Kxf32>
  %y = weft.equation (%n, %i, %j, %k) in (1, $I, $J, $K) names ["n", "i", "j", "k"] attributes {common = array<i64: 3>, path = "m.y"} {
    %s = weft.reduce KIND (%r, %t) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %is = arith.muli %i, %stride : index
      %ir = arith.addi %is, %r : index
      %ip = arith.subi %ir, %c1 : index
      %js = arith.muli %j, %stride : index
      %jr = arith.addi %js, %t : index
      %jp = arith.subi %jr, %c1 : index
      %a = weft.read %h[%n, %ip, %jp, %k] outside [inside, fill, fill, inside] else FILL : tensor<1x$Hx$Wx$Kxf32> -> f32
      VALUE
    } : f32
    weft.yield %s : f32
  } : tensor<1x$Ix$Jx$Kxf32>
  weft.return %y : tensor<1x$Ix$Jx$Kxf32>
})";

constexpr char kFiltered[] = R"(
      %v = weft.read %f[%r, %t, %k] : tensor<3x3x$Kxf32> -> f32
      %p = arith.mulf %a, %v : f32
      weft.yield %p : f32)";

// Windows over the last axes of planes, in `groups` of results that read the same channels, with a bias.
constexpr char kPlanar[] = R"(
weft.kernel @k {class = "contraction"} (%x: tensor<$Nx$Cx$Hx$Wxf32>, %w: tensor<$Kx$Gx$Rx$Rxf32>, %b: tensor<$Kxf32>) -> (tensor<$Nx$Kx$Ix$Jxf32>) {
  $CONSTANTS
  %group = arith.constant $G : index
  %results = arith.constant $Q : index
  %window = arith.constant $R : index
  %stride = arith.constant $S : index
  %pad = arith.constant $P : index
  %y = weft.equation (%n, %k, %i, %j) in ($N, $K, $I, $J) names ["n", "k", "i", "j"] attributes {path = "m.y"} {
    %s = weft.reduce sum (%c, %r, %t) from (%c0, %c0, %c0) to (%group, %window, %window) names ["c", "r", "s"] {
      %g = arith.divui %k, %results : index
      %first = arith.muli %g, %group : index
      %channel = arith.addi %first, %c : index
      %is = arith.muli %i, %stride : index
      %ir = arith.addi %is, %r : index
      %ip = arith.subi %ir, %pad : index
      %js = arith.muli %j, %stride : index
      %jr = arith.addi %js, %t : index
      %jp = arith.subi %jr, %pad : index
      %a = weft.read %x[%n, %channel, %ip, %jp] outside [inside, inside, fill, fill] else %one : tensor<$Nx$Cx$Hx$Wxf32> -> f32
      %q = weft.read %w[%k, %c, %r, %t] : tensor<$Kx$Gx$Rx$Rxf32> -> f32
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    %bias = weft.read %b[%k] : tensor<$Kxf32> -> f32
    %z = arith.addf %s, %bias : f32
    weft.yield %z : f32
  } : tensor<$Nx$Kx$Ix$Jxf32>
  weft.return %y : tensor<$Nx$Kx$Ix$Jxf32>
})";

}  // namespace

TestKernel PlanarWindows(int64_t height, int64_t width, int64_t channels, int64_t results, int64_t window,
                         int64_t stride, int64_t groups) {
  int64_t pad = window / 2;
  return MakeTestKernel("planar windows", kPlanar,
                        {{"N", 2},
                         {"H", height},
                         {"W", width},
                         {"I", (height + 2 * pad - window) / stride + 1},
                         {"J", (width + 2 * pad - window) / stride + 1},
                         {"C", channels},
                         {"K", results},
                         {"G", channels / groups},
                         {"Q", results / groups},
                         {"R", window},
                         {"S", stride},
                         {"P", pad}});
}

std::vector<TestKernel> ManyPlanarWindows() {
  std::vector<TestKernel> kernels;
  for (auto [h, w, c, k, r, s, g] : std::vector<std::array<int64_t, 7>>{{1, 1, 1, 1, 1, 1, 1},
                                                                        {9, 40, 3, 5, 3, 1, 1},
                                                                        {9, 83, 3, 8, 3, 2, 1},
                                                                        {17, 100, 2, 13, 5, 3, 1},
                                                                        {20, 77, 3, 7, 4, 4, 1},
                                                                        {20, 131, 2, 4, 3, 5, 1},
                                                                        {21, 37, 6, 6, 3, 1, 6},
                                                                        {21, 75, 6, 6, 3, 2, 6},
                                                                        {19, 33, 6, 12, 5, 1, 3},
                                                                        {16, 64, 8, 12, 3, 2, 2}})
    kernels.push_back(PlanarWindows(h, w, c, k, r, s, g));
  return kernels;
}

TestKernel WidenedWindows(int64_t height, int64_t width, int64_t channels, int64_t widened, int64_t stride,
                          int64_t block, bool is_pool) {
  std::string text = absl::StrReplaceAll(kWidened, {{"KIND", is_pool ? "max" : "sum"},
                                                    {"FILL", is_pool ? "%low" : "%zero"},
                                                    {"VALUE", is_pool ? "weft.yield %a : f32" : kFiltered}});
  return MakeTestKernel(is_pool ? "widened pool" : "widened windows", text,
                        {{"BLOCKS", (widened + block - 1) / block},
                         {"BLOCK", block},
                         {"H", height},
                         {"W", width},
                         {"I", (height - 1) / stride + 1},
                         {"J", (width - 1) / stride + 1},
                         {"C", channels},
                         {"K", widened},
                         {"S", stride}});
}

std::vector<TestKernel> ManyWidenedWindows() {
  std::vector<TestKernel> kernels;
  for (auto [h, w, c, k, s, b] : std::vector<std::array<int64_t, 6>>{{1, 1, 1, 1, 1, 16},
                                                                     {2, 3, 3, 16, 1, 16},
                                                                     {3, 2, 4, 5, 2, 32},
                                                                     {17, 19, 7, 48, 1, 24},
                                                                     {17, 19, 7, 49, 2, 24},
                                                                     {30, 23, 5, 41, 3, 8},
                                                                     {61, 40, 22, 132, 2, 24},
                                                                     {40, 61, 9, 100, 1, 48}}) {
    kernels.push_back(WidenedWindows(h, w, c, k, s, b, false));
    kernels.push_back(WidenedWindows(h, w, c, k, s, b, true));
  }
  return kernels;
}

}  // namespace weft::backends
