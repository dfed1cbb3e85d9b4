#include "backends/halide/test_kernels.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace weft::backends {
namespace {

// `text` with every $NAME replaced by its number.
std::string Fill(absl::string_view text, const Sizes& sizes) {
  std::vector<std::pair<std::string, std::string>> replacements;
  for (const auto& [name, value] : sizes)
    replacements.emplace_back(absl::StrCat("$", name), absl::StrCat(value));
  return absl::StrReplaceAll(text, replacements);
}

constexpr char kConstants[] = R"(
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
)";

}  // namespace

TestKernel MakeTestKernel(absl::string_view name, absl::string_view text, const Sizes& sizes) {
  TestKernel kernel;
  kernel.name = std::string(name);
  for (const auto& [key, value] : sizes) absl::StrAppend(&kernel.name, " ", key, "=", value);
  kernel.text = Fill(absl::StrReplaceAll(text, {{"$CONSTANTS", kConstants}}), sizes);
  return kernel;
}

namespace {

// y = max(x + b, 0) over three axes, the bias along the last.
constexpr char kPointwise[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<$Ax$Bx$Cxf32>, %b: tensor<$Cxf32>) -> (tensor<$Ax$Bx$Cxf32>) {
  $CONSTANTS
  %y = weft.equation (%i, %j, %k) in ($A, $B, $C) names ["i", "j", "k"] attributes {path = "m.y"} {
    %a = weft.read %x[%i, %j, %k] : tensor<$Ax$Bx$Cxf32> -> f32
    %q = weft.read %b[%k] : tensor<$Cxf32> -> f32
    %s = arith.addf %a, %q : f32
    %r = arith.maximumf %s, %zero : f32
    weft.yield %r : f32
  } : tensor<$Ax$Bx$Cxf32>
  weft.return %y : tensor<$Ax$Bx$Cxf32>
})";

constexpr char kDynamic[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<?x?xf32>, %n: index) -> (tensor<?x?xf32>) {
  $CONSTANTS
  %h = tensor.dim %x, %c0 : tensor<?x?xf32>
  %y = weft.equation (%i, %j) in (%n, %h) names ["i", "j"] attributes {path = "m.y"} {
    %ii = arith.muli %i, %c2 : index
    %im = arith.subi %ii, %c1 : index
    %a = weft.read %x[%j, %im] outside [inside, clamp] : tensor<?x?xf32> -> f32
    %m = weft.read %x[%j, %im] outside [inside, mirror] : tensor<?x?xf32> -> f32
    %w = weft.read %x[%j, %im] outside [inside, wrap] : tensor<?x?xf32> -> f32
    %f = weft.read %x[%j, %im] outside [inside, fill] else %one : tensor<?x?xf32> -> f32
    %s = arith.addf %a, %m : f32
    %t = arith.mulf %w, %f : f32
    %r = arith.subf %s, %t : f32
    weft.yield %r : f32
  } : tensor<?x?xf32>
  weft.return %y : tensor<?x?xf32>
})";

constexpr char kMatmulDynamic[] = R"(
weft.kernel @k {class = "contraction"} (%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> (tensor<?x?xf32>) {
  $CONSTANTS
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %d = tensor.dim %x, %c1 : tensor<?x?xf32>
  %n = tensor.dim %w, %c1 : tensor<?x?xf32>
  %y = weft.equation (%i, %k) in (%m, %n) names ["i", "k"] attributes {path = "m.y"} {
    %s = weft.reduce sum (%c) from (%c0) to (%d) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<?x?xf32> -> f32
      %b = weft.read %w[%c, %k] : tensor<?x?xf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    weft.yield %s : f32
  } : tensor<?x?xf32>
  weft.return %y : tensor<?x?xf32>
})";

// y = sum(r < 2) w[., r] * x[. + r], zero beyond the last row, for sizes of any length.
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

constexpr char kDepthwise[] = R"(
weft.kernel @k {class = "depthwise"} (%x: tensor<1x$Hx$Hx$Cxf32>, %w: tensor<3x3x$Cxf32>) -> (tensor<1x$Hx$Hx$Cxf32>) {
  $CONSTANTS
  %y = weft.equation (%n, %i, %j, %k) in (1, $H, $H, $C) names ["n", "i", "j", "k"] attributes {path = "m.y"} {
    %s = weft.reduce sum (%r, %q) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %ir = arith.addi %i, %r : index
      %ip = arith.subi %ir, %c1 : index
      %jr = arith.addi %j, %q : index
      %jp = arith.subi %jr, %c1 : index
      %a = weft.read %x[%n, %ip, %jp, %k] outside [inside, fill, fill, inside] else %zero : tensor<1x$Hx$Hx$Cxf32> -> f32
      %b = weft.read %w[%r, %q, %k] : tensor<3x3x$Cxf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    %u = arith.maximumf %s, %zero : f32
    weft.yield %u : f32
  } : tensor<1x$Hx$Hx$Cxf32>
  weft.return %y : tensor<1x$Hx$Hx$Cxf32>
})";

// Greatest of a 3x3 window with stride 2 in channels-first order, -inf outside.
constexpr char kMaxPool[] = R"(
weft.kernel @k {class = "depthwise"} (%x: tensor<$Cx$Hx$Hxf32>) -> (tensor<$Cx$Hx$Hxf32>) {
  $CONSTANTS
  %low = arith.constant 0xFF800000 : f32
  %y = weft.equation (%k, %i, %j) in ($C, $H, $H) names ["k", "i", "j"] attributes {path = "m.y"} {
    %s = weft.reduce max (%r, %q) from (%c0, %c0) to (%c3, %c3) names ["r", "s"] {
      %i2 = arith.muli %i, %c2 : index
      %ir = arith.addi %i2, %r : index
      %jr = arith.addi %j, %q : index
      %jp = arith.subi %jr, %c1 : index
      %a = weft.read %x[%k, %ir, %jp] outside [inside, fill, fill] else %low : tensor<$Cx$Hx$Hxf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Cx$Hx$Hxf32>
  weft.return %y : tensor<$Cx$Hx$Hxf32>
})";

constexpr char kSoftmax[] = R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Rx$Nxf32>) -> (tensor<$Rx$Nxf32>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %peak = weft.equation (%i) in ($R) names ["i"] attributes {common = array<i64: 0>, path = "m.peak"} {
    %s = weft.reduce max (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<$Rx$Nxf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  %e = weft.equation (%i, %j) in ($R, $N) names ["i", "j"] attributes {common = array<i64: 0>, path = "m.e"} {
    %a = weft.read %x[%i, %j] : tensor<$Rx$Nxf32> -> f32
    %b = weft.read %peak[%i] : tensor<$Rxf32> -> f32
    %d = arith.subf %a, %b : f32
    %d1 = arith.subf %one, %d : f32
    %q = arith.divf %one, %d1 : f32
    weft.yield %q : f32
  } : tensor<$Rx$Nxf32>
  %z = weft.equation (%i) in ($R) names ["i"] attributes {common = array<i64: 0>, path = "m.z"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %e[%i, %j] : tensor<$Rx$Nxf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  %y = weft.equation (%i, %j) in ($R, $N) names ["i", "j"] attributes {common = array<i64: 0>, path = "m.y"} {
    %a = weft.read %e[%i, %j] : tensor<$Rx$Nxf32> -> f32
    %b = weft.read %z[%i] : tensor<$Rxf32> -> f32
    %d = arith.divf %a, %b : f32
    weft.yield %d : f32
  } : tensor<$Rx$Nxf32>
  weft.return %y : tensor<$Rx$Nxf32>
})";

// Scores, their row sums and weighted values of heads that lie side by side.
constexpr char kAttention[] = R"(
weft.kernel @k {class = "attention"} (%f: tensor<$Lx$Tx3x$Dxf32>) -> (tensor<$Tx$Lx$Dxf32>) {
  $CONSTANTS
  %l = arith.constant $L : index
  %d = arith.constant $D : index
  %p = weft.equation (%h, %i, %j) in ($T, $L, $L) names ["h", "i", "j"] attributes {common = array<i64: 0, 1>, path = "m.p"} {
    %s = weft.reduce sum (%c) from (%c0) to (%d) names ["c"] {
      %a = weft.read %f[%i, %h, %c0, %c] : tensor<$Lx$Tx3x$Dxf32> -> f32
      %b = weft.read %f[%j, %h, %c1, %c] : tensor<$Lx$Tx3x$Dxf32> -> f32
      %m = arith.mulf %a, %b : f32
      weft.yield %m : f32
    } : f32
    %q = math.absf %s : f32
    weft.yield %q : f32
  } : tensor<$Tx$Lx$Lxf32>
  %z = weft.equation (%h, %i) in ($T, $L) names ["h", "i"] attributes {common = array<i64: 0, 1>, path = "m.z"} {
    %s = weft.reduce sum (%j) from (%c0) to (%l) names ["j"] {
      %a = weft.read %p[%h, %i, %j] : tensor<$Tx$Lx$Lxf32> -> f32
      weft.yield %a : f32
    } : f32
    %q = arith.addf %s, %one : f32
    weft.yield %q : f32
  } : tensor<$Tx$Lxf32>
  %o = weft.equation (%h, %i, %e) in ($T, $L, $D) names ["h", "i", "e"] attributes {common = array<i64: 0, 1>, path = "m.o"} {
    %s = weft.reduce sum (%j) from (%c0) to (%l) names ["j"] {
      %a = weft.read %p[%h, %i, %j] : tensor<$Tx$Lx$Lxf32> -> f32
      %b = weft.read %f[%j, %h, %c2, %e] : tensor<$Lx$Tx3x$Dxf32> -> f32
      %m = arith.mulf %a, %b : f32
      weft.yield %m : f32
    } : f32
    %q = weft.read %z[%h, %i] : tensor<$Tx$Lxf32> -> f32
    %r = arith.divf %s, %q : f32
    weft.yield %r : f32
  } : tensor<$Tx$Lx$Dxf32>
  weft.return %o : tensor<$Tx$Lx$Dxf32>
})";

// Every choosing reduction, with a condition and a value if nothing is left.
constexpr char kChoices[] = R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Rx$Nx3xf32>, %t: tensor<$Rx$Nxi1>) -> (tensor<$Rxi64>, tensor<$Rxi64>, tensor<$Rxf32>, tensor<$Rxf32>, tensor<$Rxf32>, tensor<$Rxi1>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %most = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.most"} {
    %s = weft.reduce argmax (%j, %k) from (%c0, %c0) to (%n, %c3) names ["j", "k"] {
      %a = weft.read %x[%i, %j, %k] : tensor<$Rx$Nx3xf32> -> f32
      weft.yield %a : f32
    } : index
    %q = arith.index_cast %s : index to i64
    weft.yield %q : i64
  } : tensor<$Rxi64>
  %least = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.least"} {
    %s = weft.reduce argmin (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j, %c1] : tensor<$Rx$Nx3xf32> -> f32
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %a if %b : f32
    } else %n : index
    %q = arith.index_cast %s : index to i64
    weft.yield %q : i64
  } : tensor<$Rxi64>
  %front = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.front"} {
    %s = weft.reduce first (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j, %c1] : tensor<$Rx$Nx3xf32> -> f32
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %a if %b : f32
    } else %one : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  %back = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.back"} {
    %s = weft.reduce last (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j, %c1] : tensor<$Rx$Nx3xf32> -> f32
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %a if %b : f32
    } else %one : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  %low = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.low"} {
    %s = weft.reduce min (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j, %c2] : tensor<$Rx$Nx3xf32> -> f32
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %a if %b : f32
    } else %one : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  %some = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.some"} {
    %s = weft.reduce any (%j) from (%c0) to (%n) names ["j"] {
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %b : i1
    } : i1
    %u = weft.reduce all (%j) from (%c1) to (%n) names ["j"] {
      %b = weft.read %t[%i, %j] : tensor<$Rx$Nxi1> -> i1
      weft.yield %b : i1
    } : i1
    %v = arith.xori %s, %u : i1
    weft.yield %v : i1
  } : tensor<$Rxi1>
  weft.return %most, %least, %front, %back, %low, %some : tensor<$Rxi64>, tensor<$Rxi64>, tensor<$Rxf32>, tensor<$Rxf32>, tensor<$Rxf32>, tensor<$Rxi1>
})";

// Bounds that depend on an outer index and on data, and a reduction in a reduction.
constexpr char kBounds[] = R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Nx$Mxf32>, %lo: tensor<$Nxi64>) -> (tensor<$Nx$Mxf32>, tensor<$Nxf32>, tensor<f32>, tensor<f32>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %m = arith.constant $M : index
  %sums = weft.equation (%i, %k) in ($N, $M) names ["i", "k"] attributes {path = "m.sums"} {
    %to = arith.addi %i, %c1 : index
    %s = weft.reduce sum (%j) from (%c0) to (%to) names ["j"] {
      %a = weft.read %x[%j, %k] : tensor<$Nx$Mxf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Nx$Mxf32>
  %data = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.data"} {
    %f = weft.read %lo[%i] : tensor<$Nxi64> -> i64
    %from = arith.index_cast %f : i64 to index
    %s = weft.reduce prod (%j) from (%from) to (%m) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<$Nx$Mxf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Nxf32>
  %deep = weft.equation () in () names [] attributes {path = "m.deep"} {
    %s = weft.reduce sum (%i) from (%c0) to (%n) names ["i"] {
      %t = weft.reduce max (%j) from (%c0) to (%m) names ["j"] {
        %a = weft.read %x[%i, %j] : tensor<$Nx$Mxf32> -> f32
        weft.yield %a : f32
      } : f32
      weft.yield %t : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  %twice = weft.equation () in () names [] attributes {path = "m.twice"} {
    %s = weft.reduce sum (%i) from (%c0) to (%n) names ["i"] {
      %t = weft.reduce max (%j) from (%c0) to (%m) names ["j"] {
        %a = weft.read %x[%i, %j] : tensor<$Nx$Mxf32> -> f32
        weft.yield %a : f32
      } : f32
      %u = weft.reduce sum (%k) from (%c0) to (%m) names ["k"] {
        %b = weft.read %x[%i, %k] : tensor<$Nx$Mxf32> -> f32
        %d = arith.subf %b, %t : f32
        weft.yield %d : f32
      } : f32
      %v = arith.addf %u, %t : f32
      weft.yield %v : f32
    } : f32
    weft.yield %s : f32
  } : tensor<f32>
  weft.return %sums, %data, %deep, %twice : tensor<$Nx$Mxf32>, tensor<$Nxf32>, tensor<f32>, tensor<f32>
})";

constexpr char kGather[] = R"(
weft.kernel @k {class = "gather"} (%x: tensor<$Nx$Mxf32>, %id: tensor<$Rxi64>) -> (tensor<$Rx$Mxf32>, tensor<$Mx$Rxf32>) {
  $CONSTANTS
  %y = weft.equation (%i, %k) in ($R, $M) names ["i", "k"] attributes {path = "m.y"} {
    %d = weft.read %id[%i] : tensor<$Rxi64> -> i64
    %j = arith.index_cast %d : i64 to index
    %a = weft.read %x[%j, %k] outside [fill, inside] else %one : tensor<$Nx$Mxf32> -> f32
    %some = arith.cmpi sgt, %k, %c0 : index
    %v = scf.if %some -> (f32) {
      %p = arith.subi %k, %c1 : index
      %b = weft.read %x[%c0, %p] : tensor<$Nx$Mxf32> -> f32
      scf.yield %b : f32
    } else {
      scf.yield %zero : f32
    }
    %s = arith.addf %a, %v : f32
    weft.yield %s : f32
  } : tensor<$Rx$Mxf32>
  %z = weft.equation (%k, %i) in ($M, $R) names ["k", "i"] attributes {path = "m.z"} {
    %d = weft.read %id[%i] : tensor<$Rxi64> -> i64
    %j = arith.index_cast %d : i64 to index
    %a = weft.read %x[%j, %k] outside [wrap, inside] : tensor<$Nx$Mxf32> -> f32
    weft.yield %a : f32
  } : tensor<$Mx$Rxf32>
  weft.return %y, %z : tensor<$Rx$Mxf32>, tensor<$Mx$Rxf32>
})";

constexpr char kIntegers[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<$Nxi64>, %u: tensor<$Nxi8>, %w: tensor<$Nxi32>) -> (tensor<$Nxi64>, tensor<$Nxf32>, tensor<$Nxi32>, tensor<$Nxi8>) {
  $CONSTANTS
  %big = arith.constant 9223372036854775807 : i64
  %m3 = arith.constant -3 : i64
  %i7 = arith.constant 7 : i32
  %bigi = arith.constant 2147483647 : i32
  %y = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.y"} {
    %a = weft.read %x[%i] : tensor<$Nxi64> -> i64
    %b = arith.addi %a, %big : i64
    %c = arith.floordivsi %b, %m3 : i64
    %ii = arith.index_cast %i : index to i64
    %d = arith.muli %c, %ii : i64
    %e = arith.remsi %d, %m3 : i64
    %f = arith.addi %d, %e : i64
    weft.yield %f : i64
  } : tensor<$Nxi64>
  %z = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.z"} {
    %a = weft.read %u[%i] : tensor<$Nxi8> -> i8
    %b = arith.uitofp %a : i8 to f32
    %c = arith.sitofp %a : i8 to f32
    %d = arith.addf %b, %c : f32
    weft.yield %d : f32
  } : tensor<$Nxf32>
  %v = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.v"} {
    %a = weft.read %w[%i] : tensor<$Nxi32> -> i32
    %b = arith.addi %a, %bigi : i32
    %c = arith.muli %b, %i7 : i32
    %d = arith.shrsi %c, %i7 : i32
    %e = arith.shrui %c, %i7 : i32
    %f = arith.xori %d, %e : i32
    %lt = arith.cmpi ult, %b, %c : i32
    %g = arith.select %lt, %f, %a : i32
    weft.yield %g : i32
  } : tensor<$Nxi32>
  %t = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.t"} {
    %a = weft.read %w[%i] : tensor<$Nxi32> -> i32
    %f = arith.sitofp %a : i32 to f32
    %g = arith.negf %f : f32
    %h = arith.fptosi %g : f32 to i32
    %c = arith.shli %h, %i7 : i32
    %q = arith.trunci %c : i32 to i8
    weft.yield %q : i8
  } : tensor<$Nxi8>
  weft.return %y, %z, %v, %t : tensor<$Nxi64>, tensor<$Nxf32>, tensor<$Nxi32>, tensor<$Nxi8>
})";

constexpr char kShortFloats[] = R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Rx$Nx$T>) -> (tensor<$Rx$Nx$T>, tensor<$Rx$T>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %half = arith.constant 0.375 : $T
  %y = weft.equation (%i, %j) in ($R, $N) names ["i", "j"] attributes {path = "m.y"} {
    %a = weft.read %x[%i, %j] : tensor<$Rx$Nx$T> -> $T
    %b = arith.mulf %a, %half : $T
    %c = arith.addf %b, %a : $T
    %d = math.sqrt %c : $T
    weft.yield %d : $T
  } : tensor<$Rx$Nx$T>
  %z = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.z"} {
    %s = weft.reduce sum (%j) from (%c0) to (%n) names ["j"] {
      %a = weft.read %x[%i, %j] : tensor<$Rx$Nx$T> -> $T
      weft.yield %a : $T
    } : $T
    weft.yield %s : $T
  } : tensor<$Rx$T>
  weft.return %y, %z : tensor<$Rx$Nx$T>, tensor<$Rx$T>
})";

// What floats do at their edges: every comparison, rounding, sign and the bits themselves.
constexpr char kFloatEdges[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<$Nxf32>, %w: tensor<$Nxf32>) -> (tensor<$Nxf32>, tensor<$Nxi1>, tensor<$Nxf32>) {
  $CONSTANTS
  %y = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.y"} {
    %a = weft.read %x[%i] : tensor<$Nxf32> -> f32
    %b = weft.read %w[%i] : tensor<$Nxf32> -> f32
    %c = arith.maximumf %a, %b : f32
    %d = arith.minimumf %c, %one : f32
    %n = arith.cmpf une, %a, %a : f32
    %e = arith.subf %a, %a : f32
    %f = arith.select %n, %one, %e : f32
    %g = arith.divf %d, %b : f32
    %h = arith.addf %g, %f : f32
    weft.yield %h : f32
  } : tensor<$Nxf32>
  %z = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.z"} {
    %a = weft.read %x[%i] : tensor<$Nxf32> -> f32
    %b = weft.read %w[%i] : tensor<$Nxf32> -> f32
    %c = arith.cmpf ult, %a, %b : f32
    %d = arith.cmpf oge, %a, %zero : f32
    %e = arith.cmpf one, %a, %b : f32
    %f = arith.cmpf ord, %a, %b : f32
    %g = arith.xori %c, %d : i1
    %h = arith.andi %e, %f : i1
    %k = arith.ori %g, %h : i1
    weft.yield %k : i1
  } : tensor<$Nxi1>
  %v = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.v"} {
    %a = weft.read %x[%i] : tensor<$Nxf32> -> f32
    %b = math.floor %a : f32
    %c = math.roundeven %a : f32
    %d = math.trunc %a : f32
    %e = math.ceil %a : f32
    %f = math.copysign %b, %c : f32
    %g = math.absf %d : f32
    %h = arith.mulf %f, %g : f32
    %s = math.sqrt %g : f32
    %t = arith.addf %h, %s : f32
    %u = arith.subf %t, %e : f32
    weft.yield %u : f32
  } : tensor<$Nxf32>
  weft.return %y, %z, %v : tensor<$Nxf32>, tensor<$Nxi1>, tensor<$Nxf32>
})";

}  // namespace

TestKernel Pointwise(int64_t a, int64_t b, int64_t c) {
  return MakeTestKernel("pointwise", kPointwise, {{"A", a}, {"B", b}, {"C", c}});
}

TestKernel DynamicRows(int64_t rows, int64_t columns) {
  TestKernel kernel = MakeTestKernel("dynamic rows", kDynamicRows);
  absl::StrAppend(&kernel.name, " ", rows, "x", columns);
  kernel.inputs.sizes = {rows, columns, rows, 2, rows, columns};
  return kernel;
}

TestKernel Softmax(int64_t rows, int64_t length) {
  return MakeTestKernel("softmax", kSoftmax, {{"R", rows}, {"N", length}});
}

TestKernel Attention(int64_t length, int64_t heads, int64_t depth) {
  return MakeTestKernel("attention", kAttention, {{"L", length}, {"T", heads}, {"D", depth}});
}

TestKernel Depthwise(int64_t size, int64_t channels) {
  return MakeTestKernel("depthwise", kDepthwise, {{"H", size}, {"C", channels}});
}

TestKernel Matmul(int64_t rows, int64_t depth, int64_t columns, int64_t block) {
  Sizes sizes = {{"BLOCKS", block > 0 ? (columns + block - 1) / block : 0},
                 {"BLOCK", block},
                 {"M", rows},
                 {"K", depth},
                 {"N", columns}};
  return MakeTestKernel(
      block > 0 ? "packed matmul" : "matmul",
      absl::StrReplaceAll(R"(
weft.kernel @k {class = "contraction"} (%x: tensor<$Mx$Kxf32>, %w: WEIGHTS, %b: tensor<$Nxf32>) -> (tensor<$Mx$Nxf32>) {
  $CONSTANTS
  %d = arith.constant $K : index
  %block = arith.constant $BLOCK : index
  %y = weft.equation (%i, %k) in ($M, $N) names ["i", "k"] attributes {path = "m.y" PACKED} {
    %s = weft.reduce sum (%c) from (%c0) to (%d) names ["c"] {
      %a = weft.read %x[%i, %c] : tensor<$Mx$Kxf32> -> f32
      READ
      %p = arith.mulf %a, %q : f32
      weft.yield %p : f32
    } : f32
    %bias = weft.read %b[%k] : tensor<$Nxf32> -> f32
    %t = arith.addf %s, %bias : f32
    %u = arith.maximumf %t, %zero : f32
    weft.yield %u : f32
  } : tensor<$Mx$Nxf32>
  weft.return %y : tensor<$Mx$Nxf32>
})",
                          {{"WEIGHTS", block > 0 ? "tensor<$BLOCKSx$Kx$BLOCKxf32>" : "tensor<$Kx$Nxf32>"},
                           {"PACKED", block > 0 ? ", packed = {axis = 1, block = $BLOCK}" : ""},
                           {"READ", block > 0 ? "%ko = arith.divui %k, %block : index\n"
                                                "%ki = arith.remui %k, %block : index\n"
                                                "%q = weft.read %w[%ko, %c, %ki] : "
                                                "tensor<$BLOCKSx$Kx$BLOCKxf32> -> f32"
                                              : "%q = weft.read %w[%c, %k] : tensor<$Kx$Nxf32> -> f32"}}),
      sizes);
}

TestKernel Convolution(int64_t size, int64_t channels, int64_t results, int64_t window, int64_t stride,
                       int64_t pad, int64_t block) {
  int64_t out = (size + 2 * pad - window) / stride + 1;
  return MakeTestKernel("convolution", R"(
weft.kernel @k {class = "contraction"} (%x: tensor<1x$Hx$Hx$Cxf32>, %w: tensor<$BLOCKSx$Rx$Rx$Cx$BLOCKxf32>) -> (tensor<1x$Ox$Ox$Kxf32>) {
  $CONSTANTS
  %channels = arith.constant $C : index
  %window = arith.constant $R : index
  %stride = arith.constant $S : index
  %pad = arith.constant $P : index
  %block = arith.constant $BLOCK : index
  %y = weft.equation (%n, %k, %i, %j) in (1, $K, $O, $O) names ["n", "k", "i", "j"] attributes {path = "m.unused"} {
    weft.yield %zero : f32
  } : tensor<1x$Kx$Ox$Oxf32>
  %z = weft.equation (%n, %i, %j, %k) in (1, $O, $O, $K) names ["n", "i", "j", "k"] attributes {path = "m.y", packed = {axis = 3, block = $BLOCK}} {
    %s = weft.reduce sum (%c, %r, %q) from (%c0, %c0, %c0) to (%channels, %window, %window) names ["c", "r", "s"] {
      %i2 = arith.muli %i, %stride : index
      %ir = arith.addi %i2, %r : index
      %ip = arith.subi %ir, %pad : index
      %j2 = arith.muli %j, %stride : index
      %jr = arith.addi %j2, %q : index
      %jp = arith.subi %jr, %pad : index
      %a = weft.read %x[%n, %ip, %jp, %c] outside [inside, fill, fill, inside] else %zero : tensor<1x$Hx$Hx$Cxf32> -> f32
      %ko = arith.divui %k, %block : index
      %ki = arith.remui %k, %block : index
      %b = weft.read %w[%ko, %r, %q, %c, %ki] : tensor<$BLOCKSx$Rx$Rx$Cx$BLOCKxf32> -> f32
      %p = arith.mulf %a, %b : f32
      weft.yield %p : f32
    } : f32
    %v = weft.read %y[%n, %k, %i, %j] : tensor<1x$Kx$Ox$Oxf32> -> f32
    %t = arith.addf %s, %v : f32
    weft.yield %t : f32
  } : tensor<1x$Ox$Ox$Kxf32>
  weft.return %z : tensor<1x$Ox$Ox$Kxf32>
})",
                        {{"BLOCKS", (results + block - 1) / block},
                         {"BLOCK", block},
                         {"H", size},
                         {"C", channels},
                         {"K", results},
                         {"R", window},
                         {"S", stride},
                         {"P", pad},
                         {"O", out}});
}

std::vector<TestKernel> SmallTestKernels() {
  std::vector<TestKernel> kernels;
  kernels.push_back(Pointwise(3, 5, 17));
  kernels.push_back(Concat(3, 32, 16));
  kernels.push_back(Transpose(2, 35, 41));
  kernels.push_back(Softmax(5, 37));
  kernels.push_back(Matmul(7, 12, 20, 0));
  kernels.push_back(Matmul(13, 16, 40, 16));
  kernels.push_back(Convolution(7, 4, 20, 3, 1, 1, 16));
  kernels.push_back(Depthwise(6, 19));
  kernels.push_back(WidenedWindows(9, 7, 5, 20, 2, 16, false));
  kernels.push_back(PlanarWindows(9, 23, 3, 5, 3, 2, 1));
  kernels.push_back(MakeTestKernel("max pool", kMaxPool, {{"C", 3}, {"H", 9}}));
  kernels.push_back(MakeTestKernel("bounds", kBounds, {{"N", 6}, {"M", 9}}));
  return kernels;
}

std::vector<TestKernel> AllTestKernels() {
  std::vector<TestKernel> kernels;
  for (auto [a, b, c] :
       std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {2, 3, 15}, {4, 7, 33}, {1, 31, 64}, {5, 1, 257}}) {
    kernels.push_back(Pointwise(a, b, c));
  }
  for (auto [h, w, n] : std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {5, 3, 4}, {37, 20, 19}}) {
    TestKernel kernel = MakeTestKernel("dynamic", kDynamic);
    absl::StrAppend(&kernel.name, " ", h, "x", w, " to ", n);
    kernel.inputs.sizes = {h, w, n, h};
    kernel.inputs.arguments = {n};
    kernels.push_back(kernel);
  }
  for (auto [a, b, c] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 1}, {4, 64, 64}, {3, 16, 48}, {5, 96, 32}, {2, 61, 61}, {7, 3, 64}}) {
    kernels.push_back(Concat(a, b, c));
    kernels.push_back(Transpose(a, b, c));
    kernels.push_back(DynamicRows(b, c));
  }
  for (auto [m, k, n] : std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {7, 5, 3}, {19, 33, 50}}) {
    TestKernel kernel = MakeTestKernel("dynamic matmul", kMatmulDynamic);
    absl::StrAppend(&kernel.name, " ", m, "x", k, "x", n);
    kernel.inputs.sizes = {m, k, k, n, m, n};
    kernels.push_back(kernel);
  }
  for (auto [m, k, n] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 1}, {1, 64, 100}, {5, 7, 11}, {49, 32, 24}, {31, 17, 129}, {197, 64, 96}}) {
    kernels.push_back(Matmul(m, k, n, 0));
    for (int64_t block : {16, 32, 64}) kernels.push_back(Matmul(m, k, n, block));
  }
  for (const TestKernel& kernel : ManyWidenedWindows()) kernels.push_back(kernel);
  for (const TestKernel& kernel : ManyPlanarWindows()) kernels.push_back(kernel);
  for (auto [h, c, k, r, s, p, b] : std::vector<std::array<int64_t, 7>>{{1, 1, 1, 1, 1, 0, 16},
                                                                        {5, 3, 7, 3, 1, 1, 16},
                                                                        {14, 16, 32, 3, 2, 1, 32},
                                                                        {15, 3, 24, 7, 2, 3, 32},
                                                                        {7, 20, 33, 1, 1, 0, 16},
                                                                        {28, 8, 64, 3, 1, 1, 32},
                                                                        {9, 5, 10, 5, 3, 0, 16}}) {
    kernels.push_back(Convolution(h, c, k, r, s, p, b));
  }
  for (auto [h, c] : std::vector<std::array<int64_t, 2>>{{1, 1}, {5, 16}, {14, 40}, {17, 3}}) {
    kernels.push_back(Depthwise(h, c));
    kernels.push_back(MakeTestKernel("max pool", kMaxPool, {{"C", c}, {"H", h}}));
  }
  for (auto [r, n] : std::vector<std::array<int64_t, 2>>{{1, 1}, {3, 17}, {5, 100}, {2, 197}, {7, 256}}) {
    kernels.push_back(Softmax(r, n));
  }
  for (auto [l, t, d] : std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {7, 2, 8}, {19, 3, 16}, {50, 2, 32}}) {
    kernels.push_back(Attention(l, t, d));
  }
  std::string dynamic = absl::StrReplaceAll(
      kAttention, {{"tensor<$Lx$Tx3", "tensor<?x$Tx3"},
                   {"tensor<$Tx$Lx$L", "tensor<$Tx?x?"},
                   {"tensor<$Tx$Lx", "tensor<$Tx?x"},
                   {"($T, $L, $L)", "($T, %l, %l)"},
                   {"($T, $L", "($T, %l"},
                   {"%l = arith.constant $L : index", "%l = tensor.dim %f, %c0 : tensor<?x$Tx3x$Dxf32>"}});
  for (auto [l, t, d] : std::vector<std::array<int64_t, 3>>{{1, 2, 4}, {7, 2, 16}, {50, 2, 32}}) {
    TestKernel kernel = MakeTestKernel("dynamic attention", dynamic, {{"T", t}, {"D", d}});
    kernel.inputs.sizes = {l, l};
    kernels.push_back(kernel);
  }
  for (auto [r, n] : std::vector<std::array<int64_t, 2>>{{1, 1}, {5, 3}, {33, 40}}) {
    kernels.push_back(MakeTestKernel("choices", kChoices, {{"R", r}, {"N", n}}));
  }
  for (auto [n, m] : std::vector<std::array<int64_t, 2>>{{1, 4}, {7, 11}, {40, 33}}) {
    kernels.push_back(MakeTestKernel("bounds", kBounds, {{"N", n}, {"M", m}}));
  }
  for (auto [n, m, r] : std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {5, 7, 3}, {9, 33, 40}}) {
    TestKernel kernel = MakeTestKernel("gather", kGather, {{"N", n}, {"M", m}, {"R", r}});
    kernel.inputs.integers_below = 12;
    kernels.push_back(kernel);
  }
  for (int64_t n : {1, 7, 100}) {
    TestKernel kernel = MakeTestKernel("integers", kIntegers, {{"N", n}});
    kernel.inputs.integers_below = 1 << 30;
    kernels.push_back(kernel);
    kernels.push_back(MakeTestKernel("float edges", kFloatEdges, {{"N", n}}));
  }
  for (const char* type : {"f16", "bf16", "f64"}) {
    kernels.push_back(MakeTestKernel("short floats", absl::StrReplaceAll(kShortFloats, {{"$T", type}}),
                                     {{"R", 5}, {"N", 37}}));
    kernels.back().name += type;
  }
  std::vector<TestKernel> special = kernels;
  for (TestKernel& kernel : special) {
    kernel.name += " with NaN";
    kernel.inputs.special_values = true;
    kernels.push_back(kernel);
  }
  return kernels;
}

}  // namespace weft::backends
