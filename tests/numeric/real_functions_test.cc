// The error of every real function that passes/math computes, over all of f32: every 1021st number (so all
// exponents, denormals and huge arguments) and the special values, against the C library in f64.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/execute/loaded_kernel.h"
#include "backends/halide/kernel_to_halide.h"
#include "backends/loops/compile_kernel.h"
#include "backends/schedule/default_schedule.h"
#include "backends/testing/run_kernel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/math/passes.h"

namespace weft::backends {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kLargestUlp = 2.0;

absl::StatusOr<LoadedKernel> Compile(const std::string& text) {
  mlir::DialectRegistry registry;
  registry.insert<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                  mlir::tensor::TensorDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module) return absl::InvalidArgumentError("the kernel does not parse");
  absl::StatusOr<Target> target = ParseTarget("host");
  if (!target.ok()) return target.status();
  absl::StatusOr<std::string> object =
      CompileWithLoops(*module->getOps<ir::KernelOp>().begin(), *target, "kernel");
  if (!object.ok()) return object.status();
  return LoadedKernel::Load(*object, "kernel");
}

std::string UnaryKernel(absl::string_view op, absl::string_view type) {
  std::string tensor = absl::StrCat("tensor<?x", std::string(type), ">");
  return absl::StrCat("weft.kernel @k (%x: ", tensor, ") -> (", tensor, ") {\n",
                      "  %c0 = arith.constant 0 : index\n  %n = tensor.dim %x, %c0 : ", tensor,
                      "\n  %y = weft.equation (%i) in (%n) names [\"i\"] {\n    %a = weft.read %x[%i] : ",
                      tensor, " -> ", std::string(type), "\n    %b = ", std::string(op),
                      " %a : ", std::string(type), "\n    weft.yield %b : ", std::string(type),
                      "\n  } : ", tensor, "\n  weft.return %y : ", tensor, "\n}\n");
}

// `body` of an element %a, or of what is at most 0: %least.
std::string ExpKernel(absl::string_view body) {
  std::string text = UnaryKernel("math.exp", "f32");
  return absl::StrReplaceAll(
      text,
      {{"    %b = math.exp %a : f32",
        absl::StrCat(
            "    %zero = arith.constant 0.0 : f32\n    %least = arith.minimumf %a, %zero : f32\n    %b = ",
            body)}});
}

std::string BinaryKernel(absl::string_view op, absl::string_view type) {
  std::string tensor = absl::StrCat("tensor<?x", std::string(type), ">");
  return absl::StrCat("weft.kernel @k (%x: ", tensor, ", %z: ", tensor, ") -> (", tensor, ") {\n",
                      "  %c0 = arith.constant 0 : index\n  %n = tensor.dim %x, %c0 : ", tensor,
                      "\n  %y = weft.equation (%i) in (%n) names [\"i\"] {\n    %a = weft.read %x[%i] : ",
                      tensor, " -> ", std::string(type), "\n    %b = weft.read %z[%i] : ", tensor, " -> ",
                      std::string(type), "\n    %c = ", std::string(op), " %a, %b : ", std::string(type),
                      "\n    weft.yield %c : ", std::string(type), "\n  } : ", tensor,
                      "\n  weft.return %y : ", tensor, "\n}\n");
}

// |y - exact| in units of the last place of f32 at `exact`. Infinite where one is NaN, or of another sign,
// and the other is not.
double UlpError(float y, double exact) {
  float rounded = static_cast<float>(exact);
  if (std::isnan(rounded) || std::isnan(y)) return std::isnan(rounded) && std::isnan(y) ? 0 : kInf;
  if (std::isinf(rounded) || std::isinf(y)) return rounded == y ? 0 : std::isinf(rounded) ? 1 : kInf;
  if (rounded == 0 && y == 0) return std::signbit(rounded) == std::signbit(y) ? 0 : kInf;
  double magnitude = std::max(std::abs(exact), static_cast<double>(std::numeric_limits<float>::min()));
  double ulp = std::ldexp(1.0, std::ilogb(magnitude) - 23);
  return std::abs(y - exact) / ulp;
}

const std::vector<float>& SpecialValues() {
  static const std::vector<float> values = {0.0f,
                                            -0.0f,
                                            1.0f,
                                            -1.0f,
                                            kInf,
                                            -kInf,
                                            kNan,
                                            1e-45f,
                                            -1e-45f,
                                            0x1p-126f,
                                            -0x1p-126f,
                                            0x1.fffffep127f,
                                            -0x1.fffffep127f,
                                            88.72283f,
                                            88.72284f,
                                            -87.33655f,
                                            -103.97208f,
                                            -103.97209f,
                                            0.625f,
                                            0.62499994f,
                                            0.9277344f,
                                            0.92773443f,
                                            9.0f,
                                            -9.0f,
                                            3.9999998f,
                                            4.0f,
                                            -4.0f,
                                            0.5f,
                                            -0.5f,
                                            2.0f,
                                            -2.0f,
                                            3.0f,
                                            -3.0f,
                                            0.33333334f,
                                            16777215.0f,
                                            16777216.0f,
                                            -16777215.0f,
                                            16777218.0f,
                                            0x1.f9cbe2p+70f /* nearly a multiple of pi/2 */,
                                            0x1.6ac5b2p+121f,
                                            0x1.921fb6p+0f,
                                            0x1.921fb6p+1f,
                                            1.0000001f,
                                            0.99999994f,
                                            1e30f,
                                            -1e30f,
                                            1e-30f,
                                            127.5f,
                                            -149.5f};
  return values;
}

std::vector<float> AllOverTheRange() {
  std::vector<float> x = SpecialValues();
  for (uint64_t bits = 7; bits < (uint64_t{1} << 32); bits += 1021) {
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  return x;
}

struct Worst {
  double error = -1;
  std::string where;
  void Note(double e, const std::string& at) {
    if (e > error) error = e, where = at;
  }
};

TEST(RealFunctionsTest, OfOneArgumentAreWithinTwoUlp) {
  struct {
    absl::string_view op;
    double (*exact)(double);
  } functions[] = {
      {"math.exp", std::exp}, {"math.log", std::log}, {"math.tanh", std::tanh}, {"math.erf", std::erf},
      {"math.sin", std::sin}, {"math.cos", std::cos}, {"math.tan", std::tan},
  };
  std::vector<float> x = AllOverTheRange(), y(x.size());
  for (auto& function : functions) {
    SCOPED_TRACE(std::string(function.op));
    auto kernel = Compile(UnaryKernel(function.op, "f32"));
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    int64_t extents[] = {static_cast<int64_t>(x.size()), static_cast<int64_t>(x.size())};
    void* buffers[] = {x.data(), y.data()};
    ASSERT_EQ(kernel->Run(buffers, extents), 0);
    Worst worst;
    for (size_t i = 0; i < x.size(); ++i) {
      worst.Note(UlpError(y[i], function.exact(x[i])), absl::StrCat("of ", x[i], " gives ", y[i]));
    }
    RecordProperty(std::string(function.op), absl::StrCat(worst.error));
    EXPECT_LE(worst.error, kLargestUlp) << worst.where;
  }
}

// The other back end multiplies by powers of two in its own way where the processor has one. With the sign of
// its argument known exp takes fewer steps.
TEST(RealFunctionsTest, ExpInVectorsIsWithinTwoUlp) {
  struct {
    std::string body;
    double (*exact)(double);
  } functions[] = {
      {"math.exp %a : f32", std::exp},
      {"math.exp %least : f32", [](double x) { return std::isnan(x) ? x : std::exp(std::min(x, 0.0)); }},
  };
  mlir::DialectRegistry registry;
  registry.insert<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                  mlir::tensor::TensorDialect>();
  mlir::MLIRContext context(registry);
  for (const auto& [body, exact] : functions) {
    SCOPED_TRACE(body);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(ExpKernel(body), &context);
    ASSERT_TRUE(module);
    mlir::PassManager manager(&context);
    manager.addPass(passes::createExpandMath());
    ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
    ir::KernelOp op = *module->getOps<ir::KernelOp>().begin();
    for (auto [name, has_one] : {std::pair{"x86-64-v4", true}, {"x86-64-v3", false}}) {
      Target target = *ParseTarget(name);
      Schedule schedule = DefaultSchedule(ViewKernel(op), target);
      auto text = CompileWithHalide(op, schedule, target, "kernel", HalideOutput::kAssembly);
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_EQ(absl::StrContains(*text, "vscalefps"), has_one) << name;
    }
    Target target = *ParseTarget("host");
    auto object = CompileWithHalide(op, DefaultSchedule(ViewKernel(op), target), target, "kernel");
    ASSERT_TRUE(object.ok()) << object.status();
    auto kernel = LoadedKernel::Load(*object, "kernel");
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    std::vector<float> numbers = AllOverTheRange();
    testing::Elements x(numbers.size() * sizeof(float)), y(x.bytes());
    std::memcpy(x.data(), numbers.data(), x.bytes());
    auto count = static_cast<int64_t>(numbers.size());
    int64_t extents[] = {count, count};
    void* buffers[] = {x.data(), y.data()};
    ASSERT_EQ(kernel->Run(buffers, extents), 0);
    Worst worst;
    for (size_t i = 0; i < numbers.size(); ++i) {
      float found = reinterpret_cast<const float*>(y.data())[i];
      worst.Note(UlpError(found, exact(numbers[i])), absl::StrCat("of ", numbers[i], " gives ", found));
    }
    RecordProperty(body, absl::StrCat(worst.error));
    EXPECT_LE(worst.error, kLargestUlp) << worst.where;
  }
}

TEST(RealFunctionsTest, OfTwoArgumentsAreWithinTwoUlp) {
  struct {
    absl::string_view op;
    double (*exact)(double, double);
  } functions[] = {{"math.atan2", std::atan2}, {"math.powf", std::pow}};
  // Every special value with every other, then pairs from all over, most of them where results are neither 0
  // nor infinite.
  std::vector<float> x, z;
  for (float a : SpecialValues()) {
    for (float b : SpecialValues()) x.push_back(a), z.push_back(b);
  }
  uint32_t state = 12345;
  auto random = [&state] { return state = state * 1664525u + 1013904223u; };
  for (int i = 0; i < 1000000; ++i) {
    x.push_back(std::bit_cast<float>(random()));
    z.push_back(i % 4 == 0 ? std::bit_cast<float>(random())
                           : static_cast<float>((static_cast<int32_t>(random())) / 2147483648.0 *
                                                (i % 4 == 1 ? 1 : 40)));
    if (i % 3 == 0) x.back() = 1.0f + static_cast<float>(static_cast<int32_t>(random()) / 2147483648.0);
  }
  std::vector<float> y(x.size());
  for (auto& function : functions) {
    SCOPED_TRACE(std::string(function.op));
    auto kernel = Compile(BinaryKernel(function.op, "f32"));
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    int64_t n = static_cast<int64_t>(x.size());
    int64_t extents[] = {n, n, n};
    void* buffers[] = {x.data(), z.data(), y.data()};
    ASSERT_EQ(kernel->Run(buffers, extents), 0);
    Worst worst;
    for (size_t i = 0; i < x.size(); ++i) {
      worst.Note(
          UlpError(y[i], function.exact(x[i], z[i])),
          absl::StrCat("of ", x[i], ", ", z[i], " gives ", y[i], ", not ", function.exact(x[i], z[i])));
    }
    RecordProperty(std::string(function.op), absl::StrCat(worst.error));
    EXPECT_LE(worst.error, kLargestUlp) << worst.where;
  }
}

TEST(RealFunctionsTest, OfNarrowFloatsAreThoseOfF32Rounded) {
  std::vector<uint16_t> x(1 << 16), y(1 << 16);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint16_t>(i);
  auto kernel = Compile(UnaryKernel("math.exp", "bf16"));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  int64_t extents[] = {1 << 16, 1 << 16};
  void* buffers[] = {x.data(), y.data()};
  ASSERT_EQ(kernel->Run(buffers, extents), 0);
  for (size_t i = 0; i < x.size(); ++i) {
    float in = std::bit_cast<float>(static_cast<uint32_t>(x[i]) << 16);
    float out = std::bit_cast<float>(static_cast<uint32_t>(y[i]) << 16);
    double exact = std::exp(static_cast<double>(in));
    if (std::isnan(in)) {
      EXPECT_TRUE(std::isnan(out)) << i;
    } else if (exact > 3.39e38) {
      EXPECT_EQ(out, kInf) << in;
    } else {
      EXPECT_NEAR(out, exact, std::max(exact * 0x1.02p-8, 0x1p-133)) << in;
    }
  }
}

TEST(RealFunctionsTest, IntegerPowersWrap) {
  std::vector<int64_t> x = {3, -2, 0, 0, 1, -1, -1, 2, 7, 2, 10, -3},
                       z = {4, 3, 0, -1, -5, -5, -4, -1, 70, 64, 18, 41}, y(12);
  auto kernel = Compile(BinaryKernel("math.ipowi", "i64"));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  int64_t extents[] = {12, 12, 12};
  void* buffers[] = {x.data(), z.data(), y.data()};
  ASSERT_EQ(kernel->Run(buffers, extents), 0);
  uint64_t seven = 1;
  for (int i = 0; i < 70; ++i) seven *= 7;
  int64_t minus_three = -1;
  for (int i = 0; i < 41; ++i) minus_three = static_cast<int64_t>(static_cast<uint64_t>(minus_three) * 3u);
  EXPECT_THAT(y, ::testing::ElementsAre(81, -8, 1, 0, 1, -1, 1, 0, static_cast<int64_t>(seven), 0,
                                        1000000000000000000, minus_three));
}

// f64 goes to the C library.
TEST(RealFunctionsTest, OfDoublesAreTheLibrarys) {
  for (auto [op, exact] : {std::pair<absl::string_view, double (*)(double)>{"math.tanh", std::tanh},
                           {"math.exp", std::exp},
                           {"math.erf", std::erf},
                           {"math.tan", std::tan}}) {
    std::vector<double> x = {0.1, -3.25, 1e-300, 700}, y(4);
    auto kernel = Compile(UnaryKernel(op, "f64"));
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    int64_t extents[] = {4, 4};
    void* buffers[] = {x.data(), y.data()};
    ASSERT_EQ(kernel->Run(buffers, extents), 0);
    for (int i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(y[i], exact(x[i])) << std::string(op);
  }
}

}  // namespace
}  // namespace weft::backends
