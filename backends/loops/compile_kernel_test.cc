#include "backends/loops/compile_kernel.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/execute/loaded_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"

namespace weft::backends {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsNan;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class LoopsTest : public testing::Test {
 protected:
  LoopsTest() {
    mlir::DialectRegistry registry;
    registry.insert<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                    mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
    context_.appendDialectRegistry(registry);
  }

  absl::StatusOr<std::string> Compile(absl::string_view text, const LoopsOptions& options = {}) {
    module_ = mlir::parseSourceString<mlir::ModuleOp>(llvm::StringRef(text.data(), text.size()), &context_);
    if (!module_) return absl::InvalidArgumentError("the kernel does not parse");
    absl::StatusOr<Target> target = ParseTarget("host");
    if (!target.ok()) return target.status();
    return CompileWithLoops(*module_->getOps<ir::KernelOp>().begin(), *target, "kernel", options);
  }

  // Compiles and runs; `buffers` are operands, then results.
  int32_t Run(absl::string_view text, std::vector<void*> buffers, std::vector<int64_t> extents = {},
              const LoopsOptions& options = {}) {
    absl::StatusOr<std::string> object = Compile(text, options);
    EXPECT_TRUE(object.ok()) << object.status();
    if (!object.ok()) return -1;
    absl::StatusOr<LoadedKernel> kernel = LoadedKernel::Load(*object, "kernel");
    EXPECT_TRUE(kernel.ok()) << kernel.status();
    if (!kernel.ok()) return -1;
    return kernel->Run(buffers.data(), extents.data());
  }

  // One f32 vector of run-time length in and one out.
  std::vector<float> RunVector(absl::string_view text, std::vector<float> x, size_t results) {
    std::vector<float> y(results, -77.0f);
    EXPECT_EQ(
        Run(text, {x.data(), y.data()}, {static_cast<int64_t>(x.size()), static_cast<int64_t>(results)}),
        kKernelOk);
    return y;
  }

  mlir::MLIRContext context_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
};

// y[i] = x[i - 3] for i in 0..n, the subscript under `outside`.
std::string Shifted(absl::string_view outside, absl::string_view fill) {
  return absl::StrCat(R"(
weft.kernel @k (%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) {
  %c3 = arith.constant 3 : index
  %nine = arith.constant 9.0 : f32
  %y = weft.equation (%i) in (%n) names ["i"] {
    %j = arith.subi %i, %c3 : index
    %a = weft.read %x[%j] outside [)",
                      outside, "] ", fill, R"( : tensor<?xf32> -> f32
    weft.yield %a : f32
  } : tensor<?xf32>
  weft.return %y : tensor<?xf32>
})");
}

TEST_F(LoopsTest, ReadsOutsideAsDeclared) {
  struct {
    absl::string_view outside, fill;
    std::vector<float> x, expected;
  } cases[] = {
      {"fill", "else %nine", {1, 2, 3}, {9, 9, 9, 1, 2, 3, 9, 9}},
      {"clamp", "", {1, 2, 3}, {1, 1, 1, 1, 2, 3, 3, 3}},
      {"mirror", "", {1, 2, 3}, {2, 3, 2, 1, 2, 3, 2, 1}},
      {"mirror", "", {5}, {5, 5, 5, 5, 5, 5, 5, 5}},
      {"wrap", "", {1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}},
      {"clamp", "", {}, {0, 0, 0, 0, 0, 0, 0, 0}},
      {"mirror", "", {}, {0, 0, 0, 0, 0, 0, 0, 0}},
      {"wrap", "", {}, {0, 0, 0, 0, 0, 0, 0, 0}},
  };
  for (auto& c : cases) {
    SCOPED_TRACE(absl::StrCat(c.outside, " of ", c.x.size()));
    std::vector<float> x = c.x, y(8, -1);
    int64_t length = static_cast<int64_t>(x.size());
    // Sizes of operands, of results, then the operand that is a size.
    EXPECT_EQ(Run(Shifted(c.outside, c.fill), {x.data(), y.data()}, {length, 8, 8}), kKernelOk);
    EXPECT_THAT(y, ElementsAreArray(c.expected));
  }
}

TEST_F(LoopsTest, ChecksProvedReadsOnDemand) {
  std::vector<float> x = {1, 2, 3}, y(4, -1);
  LoopsOptions options;
  options.check_reads = true;
  EXPECT_EQ(Run(Shifted("inside", ""), {x.data(), y.data()}, {3, 4, 4}, options), kReadOutside);
  EXPECT_THAT(y, ElementsAre(0, 0, 0, 1));
}

// y[0] = kind over x[i] where x[i] != 5, `tail` behind the region.
std::string Reduced(absl::string_view kind, absl::string_view condition, absl::string_view tail,
                    absl::string_view result = "f32") {
  std::string convert = result == "f32"
                            ? "%f = arith.addf %r, %zero : f32"
                            : "%w = arith.index_cast %r : index to i64\n  %f = arith.sitofp %w : i64 to f32";
  return absl::StrCat(R"(
weft.kernel @k (%x: tensor<?xf32>) -> (tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant -0.0 : f32
  %five = arith.constant 5.0 : f32
  %c42 = arith.constant 42 : index
  %f42 = arith.constant 42.0 : f32
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %y = weft.equation (%j) in (%c1) names ["j"] {
    %r = weft.reduce )",
                      kind, R"( (%i) from (%c0) to (%n) names ["i"] {
      %a = weft.read %x[%i] : tensor<?xf32> -> f32
      %t = arith.cmpf une, %a, %five : f32
      weft.yield %a )",
                      condition, R"( : f32
    } )",
                      tail, " : ", result, "\n  ", convert, R"(
    weft.yield %f : f32
  } : tensor<?xf32>
  weft.return %y : tensor<?xf32>
})");
}

TEST_F(LoopsTest, ReducesByEveryKind) {
  struct {
    std::string text;
    std::vector<float> x;
    float expected;
  } cases[] = {
      {Reduced("sum", "", ""), {1, 2, 5}, 8},
      {Reduced("sum", "if %t", ""), {1, 2, 5}, 3},
      {Reduced("sum", "", ""), {}, 0},
      {Reduced("sum", "if %t", "else %f42"), {5, 5}, 42},
      {Reduced("prod", "", ""), {3, 2, 5}, 30},
      {Reduced("prod", "if %t", ""), {5}, 1},
      {Reduced("max", "", ""), {-3, -2, -5}, -2},
      {Reduced("max", "", ""), {1, kNan, 3}, kNan},
      {Reduced("max", "", ""), {}, -kInf},
      {Reduced("max", "", "else %f42"), {-kInf}, -kInf},
      {Reduced("min", "", ""), {3, 2, 5}, 2},
      {Reduced("min", "", ""), {}, kInf},
      {Reduced("min", "if %t", ""), {7, 5, 6}, 6},
      {Reduced("first", "if %t", "else %f42"), {5, 5, 8, 9}, 8},
      {Reduced("last", "if %t", "else %f42"), {8, 9, 5}, 9},
      {Reduced("last", "if %t", "else %f42"), {5}, 42},
      {Reduced("argmax", "", "", "index"), {1, 7, 7, 2}, 1},
      {Reduced("argmax", "", "", "index"), {1, kNan, 7, kNan}, 1},
      {Reduced("argmax", "", "", "index"), {-kInf, -kInf}, 0},
      {Reduced("argmax", "if %t", "", "index"), {5, 4, 3}, 1},
      {Reduced("argmax", "", "else %c42", "index"), {}, 42},
      {Reduced("argmin", "", "", "index"), {3, 1, 1}, 1},
      {Reduced("argmin", "", "", "index"), {kNan, 3, kNan, 2}, 3},
      {Reduced("argmin", "", "", "index"), {kNan, kInf}, 1},
  };
  for (auto& c : cases) {
    SCOPED_TRACE(c.text);
    float y = RunVector(c.text, c.x, 1)[0];
    if (std::isnan(c.expected)) {
      EXPECT_THAT(y, IsNan());
    } else {
      EXPECT_EQ(y, c.expected);
    }
  }
}

TEST_F(LoopsTest, PositionsAreRowMajorAmongTheRanges) {
  // Ranges 1..4 and 2..5 of a 4x5 matrix: the greatest element, at (3, 2), is number 2 * 3 + 0 of them.
  std::vector<float> x(20, 0);
  x[3 * 5 + 2] = 8;
  int64_t y = -1;
  EXPECT_EQ(Run(R"(
weft.kernel @k (%x: tensor<4x5xf32>) -> (tensor<i64>) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %y = weft.equation () in () names [] {
    %r = weft.reduce argmax (%i, %j) from (%c1, %c2) to (%c4, %c5) names ["i", "j"] {
      %a = weft.read %x[%i, %j] : tensor<4x5xf32> -> f32
      weft.yield %a : f32
    } : index
    %w = arith.index_cast %r : index to i64
    weft.yield %w : i64
  } : tensor<i64>
  weft.return %y : tensor<i64>
})",
                {x.data(), &y}),
            kKernelOk);
  EXPECT_EQ(y, 6);
}

TEST_F(LoopsTest, SumsOfNarrowFloatsAreRoundedOnce) {
  for (auto [type, one, expected] : {std::tuple{"f16", 0x3c00, 0x6800}, std::tuple{"bf16", 0x3f80, 0x4500}}) {
    SCOPED_TRACE(type);
    std::vector<uint16_t> x(2048, one);
    uint16_t y = 0;
    std::string text = R"(
weft.kernel @k (%x: tensor<2048xT>) -> (tensor<T>) {
  %c0 = arith.constant 0 : index
  %n = arith.constant 2048 : index
  %y = weft.equation () in () names [] {
    %r = weft.reduce sum (%i) from (%c0) to (%n) names ["i"] {
      %a = weft.read %x[%i] : tensor<2048xT> -> T
      %b = arith.mulf %a, %a : T
      weft.yield %b : T
    } : T
    weft.yield %r : T
  } : tensor<T>
  weft.return %y : tensor<T>
})";
    for (size_t at; (at = text.find("xT>")) != std::string::npos;) text.replace(at + 1, 1, type);
    for (size_t at; (at = text.find(" T\n")) != std::string::npos;) text.replace(at + 1, 1, type);
    for (size_t at; (at = text.find("<T>")) != std::string::npos;) text.replace(at + 1, 1, type);
    EXPECT_EQ(Run(text, {x.data(), &y}), kKernelOk);
    EXPECT_EQ(y, expected);
  }
}

TEST_F(LoopsTest, KeepsIntermediateTensorsOnStackAndHeap) {
  // b = 2 a, and the result is b reversed; 3 elements live on the stack, run-time many on the heap.
  for (absl::string_view size : {"3", "?"}) {
    std::string extent = size == "?" ? "%n" : "3";
    std::string type = absl::StrCat("tensor<", std::string(size), "xf32>");
    std::vector<float> x = {1, 2, 3}, y(3, 0), z(3, 0);
    std::string text = absl::StrCat(R"(
weft.kernel @k (%x: )",
                                    type, ") -> (", type, ", ", type, R"() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : )",
                                    type, R"(
  %b = weft.equation (%i) in ()",
                                    extent, R"() names ["i"] {
    %a = weft.read %x[%i] : )",
                                    type, R"( -> f32
    %s = arith.addf %a, %a : f32
    weft.yield %s : f32
  } : )",
                                    type, R"(
  %y = weft.equation (%i) in ()",
                                    extent, R"() names ["i"] {
    %m = arith.subi %n, %c1 : index
    %j = arith.subi %m, %i : index
    %a = weft.read %b[%j] : )",
                                    type, R"( -> f32
    weft.yield %a : f32
  } : )",
                                    type, "\n  weft.return %y, %y : ", type, ", ", type, "\n}");
    EXPECT_EQ(Run(text, {x.data(), y.data(), z.data()}, {3, 3, 3}), kKernelOk);
    EXPECT_THAT(y, ElementsAre(6, 4, 2));
    EXPECT_THAT(z, ElementsAre(6, 4, 2));
  }
}

TEST_F(LoopsTest, BoolsAreBytesAndConstantsAreTensors) {
  std::vector<uint8_t> x = {0, 1, 255}, y(3, 9);
  EXPECT_EQ(Run(R"(
weft.kernel @k (%x: tensor<3xi1>) -> (tensor<3xi1>) {
  %mask = arith.constant dense<[true, false, true]> : tensor<3xi1>
  %y = weft.equation (%i) in (3) names ["i"] {
    %a = weft.read %x[%i] : tensor<3xi1> -> i1
    %b = weft.read %mask[%i] : tensor<3xi1> -> i1
    %c = arith.xori %a, %b : i1
    weft.yield %c : i1
  } : tensor<3xi1>
  weft.return %y : tensor<3xi1>
})",
                {x.data(), y.data()}),
            kKernelOk);
  EXPECT_THAT(y, ElementsAre(1, 1, 0));
}

TEST_F(LoopsTest, SaysWhatNoKernelMayHold) {
  absl::StatusOr<std::string> object = Compile(R"(
weft.kernel @k () -> (tensor<3xf32>) {
  %y = weft.weight "w" : tensor<3xf32>
  weft.return %y : tensor<3xf32>
})");
  EXPECT_FALSE(object.ok());
  EXPECT_THAT(std::string(object.status().message()),
              HasSubstr("'weft.weight' op may not stand in a kernel"));
}

}  // namespace
}  // namespace weft::backends
