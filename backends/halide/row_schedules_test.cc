// How default schedules go over rows and single elements.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/halide/halide_fixture.h"
#include "backends/schedule/default_schedule.h"
#include "gtest/gtest.h"
#include "mlir/Pass/PassManager.h"
#include "passes/math/passes.h"

namespace weft::backends {
namespace {

class RowsTest : public HalideTest {
 protected:
  // With the arithmetic that functions like exp are made of.
  ir::KernelOp ParseExpanded(const TestKernel& test) {
    ir::KernelOp kernel = Parse(test.text);
    mlir::PassManager manager(&context_);
    manager.addPass(passes::createExpandMath());
    return mlir::succeeded(manager.run(kernel->getParentOfType<mlir::ModuleOp>())) ? kernel : ir::KernelOp();
  }

  std::string Code(ir::KernelOp kernel, absl::string_view target, HalideOutput output) {
    target_ = *ParseTarget(target);
    auto code = CompileWithHalide(kernel, DefaultSchedule(ViewKernel(kernel), target_), target_, "k", output);
    EXPECT_TRUE(code.ok()) << code.status();
    return code.ok() ? *code : "";
  }
};

// Softmax as it is: the one for all back ends has a quotient in place of exp.
TestKernel SoftmaxByExp(int64_t rows, int64_t length) {
  TestKernel test = Softmax(rows, length);
  EXPECT_EQ(absl::StrReplaceAll({{"arith.subf %one, %d :", "math.exp %d :"},
                                 {"arith.divf %one, %d1", "arith.mulf %one, %d1"}},
                                &test.text),
            2);
  return test;
}

// The sum of the exponentials of every row.
TestKernel SumOfExps(int64_t rows, int64_t length) {
  return MakeTestKernel("sum of exps", R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Rx$Nxf32>) -> (tensor<$Rxf32>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %y = weft.equation (%i) in ($R) names ["i"] attributes {path = "m.y"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<$Rx$Nxf32> -> f32
      %e = math.exp %a : f32
      weft.yield %e : f32
    } : f32
    weft.yield %s : f32
  } : tensor<$Rxf32>
  weft.return %y : tensor<$Rxf32>
})",
                        {{"R", rows}, {"N", length}});
}

// `function`: of the math dialect.
TestKernel Function(absl::string_view function, int64_t length) {
  return MakeTestKernel(function,
                        absl::StrReplaceAll(R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<$Nxf32>) -> (tensor<$Nxf32>) {
  %y = weft.equation (%i) in ($N) names ["i"] attributes {path = "m.y"} {
    %a = weft.read %x[%i] : tensor<$Nxf32> -> f32
    %r = math.FUNCTION %a : f32
    weft.yield %r : f32
  } : tensor<$Nxf32>
  weft.return %y : tensor<$Nxf32>
})",
                                            {{"FUNCTION", function}}),
                        {{"N", length}});
}

// The steps of exp wait for each other: four registers take each of them together, where the last ones would
// not be computed for nothing. Short steps, and sums, go one register after the other.
TEST_F(RowsTest, ComputesLongFunctionsInRegistersTogether) {
  struct {
    int64_t length, lanes;
  } cases[] = {{4096, 32}, {197, 32}, {24, 8}, {48, 16}};
  for (auto [length, lanes] : cases) {
    SCOPED_TRACE(length);
    std::string code = Code(ParseExpanded(SoftmaxByExp(61, length)), "x86-64-v3", HalideOutput::kStmt);
    for (int64_t other : {8, 16, 32})
      EXPECT_EQ(absl::StrContains(code, absl::StrCat(", 1, ", other, ")")), other == 8 || other == lanes)
          << other;
  }
  struct {
    TestKernel test;
    int lanes;
  } others[] = {{Function("exp", 4096), 32},
                {Function("erf", 4096), 16},
                {Pointwise(1, 1, 4096), 16},
                {Softmax(61, 4096), 8},
                {SumOfExps(61, 4096), 32}};
  for (const auto& [test, lanes] : others) {
    std::string code = Code(ParseExpanded(test), "x86-64-v3", HalideOutput::kStmt);
    for (int other : {8, 16, 32}) {
      bool is_folded = other < lanes && test.name.starts_with("sum");  // the sums of lanes at the end
      if (!is_folded)
        EXPECT_EQ(absl::StrContains(code, absl::StrCat(", 1, ", other, ")")), other == lanes)
            << test.name << other;
    }
  }
}

// Where the processor multiplies by powers of two, it does in several registers too, and knowing that the
// argument is not positive.
TEST_F(RowsTest, ScalesSeveralRegistersByPowers) {
  for (const TestKernel& test : {SoftmaxByExp(61, 4096), Function("exp", 4096)}) {
    std::string code = Code(ParseExpanded(test), "x86-64-v4", HalideOutput::kAssembly);
    EXPECT_TRUE(absl::StrContains(code, "vscalefps")) << test.name;
    EXPECT_FALSE(absl::StrContains(code, "vpslld")) << "a power made of bits in " << test.name;
  }
}

TestKernel LayerNorm(int64_t rows, int64_t length) {
  return MakeTestKernel("layer norm", R"(
weft.kernel @k {class = "row_reduction"} (%x: tensor<$Rx$Nxf32>, %w: tensor<$Nxf32>) -> (tensor<$Rx$Nxf32>) {
  $CONSTANTS
  %n = arith.constant $N : index
  %count = arith.constant $N.0 : f32
  %mu = weft.equation (%i) in ($R) names ["i"] attributes {common = array<i64: 0>, path = "m.mu"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<$Rx$Nxf32> -> f32
      weft.yield %a : f32
    } : f32
    %m = arith.divf %s, %count : f32
    weft.yield %m : f32
  } : tensor<$Rxf32>
  %var = weft.equation (%i) in ($R) names ["i"] attributes {common = array<i64: 0>, path = "m.var"} {
    %s = weft.reduce sum (%k) from (%c0) to (%n) names ["k"] {
      %a = weft.read %x[%i, %k] : tensor<$Rx$Nxf32> -> f32
      %m = weft.read %mu[%i] : tensor<$Rxf32> -> f32
      %d = arith.subf %a, %m : f32
      %q = arith.mulf %d, %d : f32
      weft.yield %q : f32
    } : f32
    %v = arith.divf %s, %count : f32
    weft.yield %v : f32
  } : tensor<$Rxf32>
  %y = weft.equation (%i, %k) in ($R, $N) names ["i", "k"] attributes {common = array<i64: 0>, path = "m.y"} {
    %a = weft.read %x[%i, %k] : tensor<$Rx$Nxf32> -> f32
    %m = weft.read %mu[%i] : tensor<$Rxf32> -> f32
    %v = weft.read %var[%i] : tensor<$Rxf32> -> f32
    %d = arith.subf %a, %m : f32
    %e = arith.divf %d, %v : f32
    %f = weft.read %w[%k] : tensor<$Nxf32> -> f32
    %r = arith.mulf %e, %f : f32
    weft.yield %r : f32
  } : tensor<$Rx$Nxf32>
  weft.return %y : tensor<$Rx$Nxf32>
})",
                        {{"R", rows}, {"N", length}});
}

// The mean of a row is at hand where its variance is computed, and the row with it, where all rows together
// do not stay in the cache. Four rows share the weights of a column.
TEST_F(RowsTest, NormalizesRowsThatWouldBeFetchedAgainAtOnce) {
  target_.l2_bytes = 1 << 17;
  struct {
    int64_t rows, length;
    bool is_large;
  } cases[] = {{67, 333, true},   {64, 333, true}, {3, 12'000, true},
               {1, 40'000, true}, {9, 333, false}, {5, 7, false}};
  for (auto [rows, length, is_large] : cases) {
    TestKernel test = LayerNorm(rows, length);
    SCOPED_TRACE(test.name);
    test.tolerance = 1e-4;
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel) << test.text;
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    std::string text = PrintSchedule(schedule);
    EXPECT_EQ(absl::StrContains(text, "this at"), is_large) << text;
    EXPECT_EQ(absl::StrContains(text, "unroll ii"), is_large && rows >= 4) << text;
    EXPECT_TRUE(Compare(kernel, schedule, test).ok()) << Compare(kernel, schedule, test);
  }
}

}  // namespace
}  // namespace weft::backends
