#include "backends/halide/kernel_to_halide.h"

#include <algorithm>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "backends/execute/loaded_kernel.h"
#include "backends/halide/halide_fixture.h"
#include "backends/schedule/check_schedule.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/joins.h"
#include "backends/schedule/read_schedule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weft::backends {
namespace {

using testing::CompareResults;
using testing::Elements;
using ::testing::HasSubstr;
using testing::MakeInputs;
using testing::RunKernel;

TEST_F(HalideTest, AgreesWithTheLoopsByDefaultSchedules) {
  for (const TestKernel& test : AllTestKernels()) {
    SCOPED_TRACE(test.name);
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel) << test.text;
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    absl::Status status = Compare(kernel, schedule, test);
    EXPECT_TRUE(status.ok()) << status << "\n" << PrintSchedule(schedule);
  }
}

TEST_F(HalideTest, AgreesWithTheLoopsOnNarrowTargets) {
  for (const char* name : {"x86-64-v3", "x86-64-v2"}) {
    target_ = *ParseTarget(name);
    for (const TestKernel& test : SmallTestKernels()) {
      SCOPED_TRACE(absl::StrCat(test.name, " on ", name));
      ir::KernelOp kernel = Parse(test.text);
      absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
      EXPECT_TRUE(status.ok()) << status;
    }
  }
}

// Whatever one knob of a default schedule is set to, it has that value, the rules allow the schedule, and
// what it computes is the same.
TEST_F(HalideTest, AgreesWithTheLoopsForAllKnobs) {
  target_.cores = 2;
  target_.l2_bytes = 1 << 20;
  std::vector<TestKernel> tests = SmallTestKernels();
  tests.push_back(Matmul(131, 64, 80, 32));
  tests.push_back(Convolution(23, 16, 40, 3, 1, 1, 16));
  tests.push_back(Softmax(301, 197));
  int count = 0;
  for (const TestKernel& test : tests) {
    ir::KernelOp kernel = Parse(test.text);
    KernelView view = ViewKernel(kernel);
    Knobs by_model;
    std::string plain = PrintSchedule(DefaultSchedule(view, target_, by_model));
    EXPECT_EQ(plain, PrintSchedule(DefaultSchedule(view, target_)));
    for (const Knob& knob : by_model.chosen()) {
      for (const KnobValue& value : knob.values) {
        if (value.value == knob.chosen) continue;
        SCOPED_TRACE(absl::StrCat(test.name, ": ", knob.name, " = ", value.value));
        Knobs knobs(KnobSetting{{knob.name, value.value}});
        Schedule schedule = DefaultSchedule(view, target_, knobs);
        bool is_set = std::any_of(knobs.chosen().begin(), knobs.chosen().end(), [&](const Knob& other) {
          return other.name == knob.name && other.chosen == value.value;
        });
        EXPECT_TRUE(is_set);
        EXPECT_THAT(CheckSchedule(view, schedule), ::testing::IsEmpty()) << PrintSchedule(schedule);
        if (PrintSchedule(schedule) == plain) continue;
        absl::Status status = Compare(kernel, schedule, test);
        EXPECT_TRUE(status.ok()) << status << "\n" << PrintSchedule(schedule);
        ++count;
      }
    }
  }
  EXPECT_GT(count, 50);
}

// A random schedule that the rules allow: splits by any factor, any order, any marks.
EquationSchedule RandomSchedule(const EquationView& view, const Joins& joins, std::mt19937& random) {
  EquationSchedule schedule{view.loops.path, {}};
  std::vector<std::string> outer, reductions, inner, vectors, unrolled, parallel;
  std::string blocks;
  auto place = [&](const std::string& name, int64_t extent, bool reduction) {
    static constexpr int64_t kFactors[] = {1, 2, 3, 4, 5, 8, 16};
    auto& home = reduction ? reductions : outer;
    if (random() % 3 == 0 || extent < 0) {
      home.push_back(name);
      return;
    }
    int64_t factor = kFactors[random() % 7];
    std::string o = name + "o", i = name + "i";
    schedule.directives.push_back({DirectiveKind::kSplit, {name, o, i}, factor});
    if (reduction && blocks.empty() && extent % factor == 0 && random() % 2 == 0) {
      blocks = o;
      if (random() % 2 == 0) {
        schedule.directives.push_back({DirectiveKind::kSplit, {i, i + "o", i + "i"}, kFactors[random() % 7]});
        reductions.push_back(i + "o");
        i += "i";
      }
      reductions.push_back(i);
      if (random() % 2 == 0) unrolled.push_back(i);
      return;
    }
    if (!reduction && random() % 3 == 0) {
      schedule.directives.push_back({DirectiveKind::kSplit, {o, o + "o", o + "i"}, kFactors[random() % 7]});
      home.push_back(o + "i");
      o += "o";
    }
    home.push_back(o);
    (reduction || random() % 3 == 0 ? home : inner).push_back(i);
    if (random() % 2 == 0) (random() % 2 && vectors.empty() ? vectors : unrolled).push_back(i);
    if (!reduction && extent >= factor && random() % 2 == 0) {
      schedule.directives.push_back({DirectiveKind::kOverlap, {name}});
    }
  };
  for (size_t i = 0; i < view.loops.domain.size(); ++i) {
    const LoopInfo& loop = view.loops.domain[i];
    place(loop.name, loop.extent, false);
  }
  bool nested = false;
  for (const ReduceView& reduce : view.reduces) {
    for (const ReduceView& other : view.reduces) nested |= other.op->isProperAncestor(reduce.op);
  }
  for (const LoopInfo& loop : view.loops.reductions) place(loop.name, nested ? kUnknown : loop.extent, true);
  for (const std::string& name : outer)
    if (parallel.size() < 2 && random() % 4 == 0) parallel.push_back(name);
  if (!blocks.empty()) outer.push_back(blocks);
  std::shuffle(outer.begin(), outer.end(), random);
  if (!nested) std::shuffle(reductions.begin(), reductions.end(), random);
  std::shuffle(inner.begin(), inner.end(), random);
  for (const auto& [kind, names] : {std::pair{DirectiveKind::kVectorize, vectors},
                                    {DirectiveKind::kUnroll, unrolled},
                                    {DirectiveKind::kParallel, parallel}}) {
    if (!names.empty()) schedule.directives.push_back({kind, names});
  }
  if (random() % 2 == 0) schedule.directives.push_back({DirectiveKind::kPad, {}});
  if (view.packed_axis >= 0 && !outer.empty() && random() % 2 == 0)
    schedule.directives.push_back({DirectiveKind::kPrefetch, {outer[random() % outer.size()]}});
  Directive order{DirectiveKind::kOrder, outer};
  order.bar1 = static_cast<int>(outer.size());
  order.names.insert(order.names.end(), reductions.begin(), reductions.end());
  order.bar2 = static_cast<int>(order.names.size());
  order.names.insert(order.names.end(), inner.begin(), inner.end());
  if (!order.names.empty()) schedule.directives.push_back(order);
  return schedule;
}

TEST_F(HalideTest, NoScheduleChangesAResult) {
  std::mt19937 random(7);
  int compared = 0;
  for (const TestKernel& test : SmallTestKernels()) {
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel) << test.text;
    KernelView view = ViewKernel(kernel);
    Joins joins = FindJoins(view);
    for (int round = 0; round < 12; ++round) {
      Schedule schedule;
      for (const EquationView& equation : view.equations) {
        schedule.equations.push_back(RandomSchedule(equation, joins, random));
      }
      SCOPED_TRACE(absl::StrCat(test.name, "\n", PrintSchedule(schedule)));
      // The text says all of it.
      auto read = ParseSchedule(PrintSchedule(schedule));
      ASSERT_TRUE(read.ok()) << read.status();
      absl::Status status = Compare(kernel, *read, test);
      // Halide may refuse a nest, but never get it wrong.
      if (absl::IsInvalidArgument(status)) continue;
      EXPECT_TRUE(status.ok()) << status;
      ++compared;
    }
  }
  EXPECT_GT(compared, 60);
}

// The comparison sees what the schedules and tails of this back end could get wrong.
TEST_F(HalideTest, CatchesAWrongIndexTailOrReduction) {
  struct Fault {
    TestKernel test;
    const char* right;
    const char* wrong;
  };
  std::vector<Fault> faults = {
      {Convolution(15, 8, 40, 3, 1, 1, 16), "%pad = arith.constant 1", "%pad = arith.constant 0"},
      {Convolution(15, 8, 40, 3, 1, 1, 16), "arith.remui %k, %block", "arith.remui %c, %block"},
      {Matmul(13, 17, 40, 0), "%d = arith.constant 17", "%d = arith.constant 16"},
      {Matmul(13, 17, 40, 0), "%w[%c, %k]", "%w[%c, %c1]"},
      {Matmul(13, 17, 40, 16), "%x[%i, %c]", "%x[%c2, %c]"}};
  for (const Fault& fault : faults) {
    SCOPED_TRACE(absl::StrCat(fault.test.name, ": ", fault.wrong));
    ir::KernelOp right = Parse(fault.test.text);
    std::string text = absl::StrReplaceAll(fault.test.text, {{fault.right, fault.wrong}});
    ASSERT_NE(text, fault.test.text);
    ir::KernelOp wrong = Parse(text);
    ASSERT_TRUE(right && wrong);
    Schedule schedule = DefaultSchedule(ViewKernel(wrong), target_);
    EXPECT_TRUE(absl::IsDataLoss(Compare(wrong, schedule, fault.test, right)));
  }
  // A tail that is left out: the last vector of each row is computed by another kernel, of fewer columns.
  TestKernel whole = Matmul(4, 8, 20, 0), cut = Matmul(4, 8, 16, 0);
  ir::KernelOp kernel = Parse(whole.text), shorter = Parse(cut.text);
  std::vector<Elements> operands = MakeInputs(kernel, whole.inputs);
  auto expected = Reference(kernel, whole.inputs, operands);
  auto object = CompileWithHalide(shorter, DefaultSchedule(ViewKernel(shorter), target_), target_, "k");
  ASSERT_TRUE(object.ok() && expected.ok());
  auto actual = RunKernel(kernel, *object, "k", whole.inputs, operands);
  ASSERT_TRUE(actual.ok());
  EXPECT_TRUE(absl::IsDataLoss(CompareResults(kernel, *actual, *expected, 1e-5)));
}

TEST_F(HalideTest, SaysWhatADirectiveCannotDo) {
  ir::KernelOp kernel = Parse(Matmul(13, 17, 40, 0).text);
  for (auto [text, error] : std::vector<std::pair<const char*, const char*>>{
           {"inline m.y", "cannot be written out where it is read: it is a result of its kernel"},
           {"this at m.z.i", "is a result of its kernel and cannot be computed inside another"},
           {"join i k into ik", "cannot be joined"},
           {"prefetch i", "reads no packed weights along `i`, and nothing beside its sums"},
           {"split c by 5 into co, ci\n order co i k | ci |",
            "`c` is not known to be a whole number of blocks"},
           {"split c by 17 into co, ci\n parallel k\n order i co k | ci |", "cannot be parallel"},
           {"split c by 17 into co, ci\n split ci by 4 into ca, cb\n order i k | co ca cb |",
            "a part of `c`"}}) {
    SCOPED_TRACE(text);
    auto schedule = ParseSchedule(absl::StrCat("schedule m.y { ", text, " }"));
    ASSERT_TRUE(schedule.ok()) << schedule.status();
    auto object = CompileWithHalide(kernel, *schedule, target_, "k");
    ASSERT_FALSE(object.ok());
    EXPECT_THAT(std::string(object.status().message()), HasSubstr(error));
  }
}

// Tiles of what stands inside a block of rows need not fit that: some lie in two blocks, some are longer than
// one.
TEST_F(HalideTest, ComputesTilesThatDoNotFitTheirBlock) {
  TestKernel test = Attention(29, 2, 8);
  ir::KernelOp kernel = Parse(test.text);
  for (int64_t tile : {3, 5, 9}) {
    for (int64_t rows : {2, 7}) {
      for (const char* overlap : {"", "overlap i"}) {
        std::string text = absl::Substitute(R"(
            schedule m.p {
              split i by $0 into io, ii $2 unroll ii split j by 8 into jo, ji vectorize ji overlap j
              order h io jo | c | ii ji
              this at o.block
            }
            schedule m.z { order h i | j | this at o.block }
            schedule m.o {
              split i by $1 into io, ii unroll ii split io by 2 into block, tile vectorize e
              order h block tile | j | ii e
            })",
                                            tile, rows, overlap);
        SCOPED_TRACE(text);
        auto schedule = ParseSchedule(text);
        ASSERT_TRUE(schedule.ok()) << schedule.status();
        absl::Status status = Compare(kernel, *schedule, test);
        EXPECT_TRUE(status.ok()) << status;
      }
    }
  }
}

// Tiles of a loop that is split twice may be computed together: what sums keep has room for all.
TEST_F(HalideTest, ComputesSeveralTilesAtOnce) {
  TestKernel test = Softmax(9, 33);
  ir::KernelOp kernel = Parse(test.text);
  std::string text;
  for (const EquationView& equation : ViewKernel(kernel).equations) {
    absl::SubstituteAndAppend(
        &text, "schedule $0 { split $1 by 6 into a, b split a by 2 into c, d vectorize b unroll d }\n",
        equation.loops.path, equation.loops.domain[0].name);
  }
  auto schedule = ParseSchedule(text);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  absl::Status status = Compare(kernel, *schedule, test);
  EXPECT_TRUE(status.ok()) << text << status;
}

// A lane behind the last step would have nothing to reduce.
TEST_F(HalideTest, RefusesMoreLanesThanStepsAroundSums) {
  ir::KernelOp kernel = Parse(Matmul(13, 17, 40, 0).text);
  auto problems = [&](int64_t lanes) {
    auto schedule = ParseSchedule(
        absl::Substitute("schedule m.y { split i by 3 into io, ii split io by $0 into ioo, ioi vectorize ioi "
                         "order ioo ioi k | c | ii }",
                         lanes));
    return CheckSchedule(ViewKernel(kernel), *schedule);
  };
  EXPECT_THAT(problems(5), ::testing::IsEmpty());
  ASSERT_EQ(problems(8).size(), 1);
  EXPECT_THAT(problems(8)[0].second.text,
              HasSubstr("`io` is not known to have 8 steps, as many as lanes of `ioi`"));
}

// As many vectors as each has lanes are stored as one, of an odd number of lanes.
TEST_F(HalideTest, StoresInterleavedVectorsOfOddLanes) {
  TestKernel test = Transpose(3, 19, 37);
  ir::KernelOp kernel = Parse(test.text);
  for (int64_t lanes : {3, 5, 7}) {
    std::string text = absl::Substitute(
        "schedule m.y { split j by $0 into jo, ji split jo by $0 into joo, joi vectorize joi unroll ji "
        "order i k joo joi | | ji }",
        lanes);
    auto schedule = ParseSchedule(text);
    ASSERT_TRUE(schedule.ok()) << schedule.status();
    absl::Status status = Compare(kernel, *schedule, test);
    EXPECT_TRUE(status.ok()) << lanes << ": " << status;
  }
}

// Where a product has a factor that is 0 the other one may be NaN.
constexpr char kShiftedWindow[] = R"(
weft.kernel @k {class = "depthwise"} (%arg0: tensor<17x7xf32>, %arg1: tensor<3x3xf32>) -> (tensor<17x1xf32>) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c1 = arith.constant 1 : index
  %cst = arith.constant 0.000000e+00 : f32
  %0 = weft.equation (%arg2, %arg3) in (17, 1) names ["i", "o"] attributes {path = "forward.y"} {
    %1 = weft.reduce sum (%arg4) from (%c0) to (%c3) names ["r"] {
      %2 = arith.subi %arg2, %arg4 : index
      %3 = arith.subi %2, %c1 : index
      %4 = weft.read %arg0[%3, %c0] outside [fill, inside] else %cst : tensor<17x7xf32> -> f32
      %5 = weft.read %arg1[%arg4, %c0] : tensor<3x3xf32> -> f32
      %6 = arith.mulf %4, %5 : f32
      weft.yield %6 : f32
    } : f32
    weft.yield %1 : f32
  } : tensor<17x1xf32>
  weft.return %0 : tensor<17x1xf32>
})";

// Divisors that are 0 for some lanes, in a condition that makes the mask of all.
constexpr char kGuardedDivisors[] = R"(
weft.kernel @k {class = "row_reduction"} (%arg0: tensor<33xi64>, %arg1: tensor<3xf32>) -> (tensor<3x33xf32>) {
  %c3 = arith.constant 3 : index
  %c0 = arith.constant 0 : index
  %c-1 = arith.constant -1 : index
  %c1 = arith.constant 1 : index
  %cst = arith.constant 0.000000e+00 : f32
  %0 = weft.equation (%arg2, %arg3) in (3, 33) names ["a", "b"] attributes {path = "forward.y"} {
    %1 = arith.floordivsi %arg3, %c3 : index
    %2 = arith.muli %1, %c3 : index
    %3 = arith.subi %arg3, %2 : index
    %4 = weft.reduce sum (%arg4) from (%c0) to (%3) names ["c"] {
      %5 = weft.read %arg0[%arg3] : tensor<33xi64> -> i64
      %6 = arith.index_cast %5 : i64 to index
      %7 = arith.cmpi eq, %6, %c0 : index
      %8 = arith.cmpi eq, %6, %c-1 : index
      %9 = arith.select %7, %c1, %6 : index
      %10 = arith.select %8, %c1, %9 : index
      %11 = arith.floordivsi %arg2, %10 : index
      %12 = arith.muli %11, %10 : index
      %13 = arith.subi %arg2, %12 : index
      %14 = arith.select %8, %c0, %13 : index
      %15 = arith.select %7, %c0, %14 : index
      %16 = arith.cmpi eq, %arg2, %c0 : index
      %17 = arith.select %16, %c1, %arg2 : index
      %18 = arith.floordivsi %arg3, %17 : index
      %19 = arith.muli %18, %17 : index
      %20 = arith.subi %arg3, %19 : index
      %21 = arith.select %16, %c0, %20 : index
      %22 = arith.addi %arg3, %arg2 : index
      %23 = arith.cmpi eq, %22, %c0 : index
      %24 = arith.select %23, %c1, %22 : index
      %25 = arith.floordivsi %21, %24 : index
      %26 = arith.muli %25, %24 : index
      %27 = arith.subi %21, %26 : index
      %28 = arith.select %23, %c0, %27 : index
      %29 = arith.cmpi slt, %15, %28 : index
      %30 = arith.floordivsi %arg3, %10 : index
      %31 = arith.muli %30, %10 : index
      %32 = arith.subi %arg3, %31 : index
      %33 = arith.select %8, %c0, %32 : index
      %34 = arith.select %7, %c0, %33 : index
      %35 = arith.cmpi eq, %arg3, %34 : index
      %36 = arith.andi %29, %35 : i1
      %37 = weft.read %arg1[%arg4] : tensor<3xf32> -> f32
      %38 = arith.select %36, %37, %cst : f32
      weft.yield %38 if %36 : f32
    } : f32
    weft.yield %4 : f32
  } : tensor<3x33xf32>
  weft.return %0 : tensor<3x33xf32>
})";

// A transposed convolution: whether a tap counts is a remainder of the column, whose loop is split.
constexpr char kEverySecondTap[] = R"(
weft.kernel @k {class = "depthwise"} (%arg0: tensor<8x6xf32>, %arg1: tensor<8x2x64xf32>) -> (tensor<12x64xf32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c2 = arith.constant 2 : index
  %cst = arith.constant 0.000000e+00 : f32
  %0 = weft.equation (%arg2, %arg3) in (12, 64) names ["j", "k"] attributes {path = "forward.y"} {
    %1 = weft.reduce sum (%arg4, %arg5) from (%c0, %c0) to (%c8, %c2) names ["c", "s"] {
      %2 = arith.subi %arg2, %arg5 : index
      %3 = arith.floordivsi %2, %c2 : index
      %4 = arith.muli %3, %c2 : index
      %5 = arith.subi %2, %4 : index
      %6 = arith.cmpi eq, %5, %c0 : index
      %7 = scf.if %6 -> (f32) {
        %8 = weft.read %arg0[%arg4, %3] outside [inside, fill] else %cst : tensor<8x6xf32> -> f32
        %9 = weft.read %arg1[%arg4, %arg5, %arg3] : tensor<8x2x64xf32> -> f32
        %10 = arith.mulf %8, %9 : f32
        scf.yield %10 : f32
      } else {
        scf.yield %cst : f32
      }
      weft.yield %7 if %6 : f32
    } : f32
    weft.yield %1 : f32
  } : tensor<12x64xf32>
  weft.return %0 : tensor<12x64xf32>
})";

TEST_F(HalideTest, KeepsRemaindersOfSplitLoops) {
  TestKernel test{"every second tap", kEverySecondTap, {}};
  ir::KernelOp kernel = Parse(test.text);
  ASSERT_TRUE(kernel);
  absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(HalideTest, LeavesNoStepOutThatAddsNothing) {
  TestKernel test{"shifted window", kShiftedWindow, {}};
  test.inputs.special_values = true;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    test.inputs.seed = seed;
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel);
    absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_F(HalideTest, DividesByZeroWhereNobodyLooks) {
  TestKernel test{"guarded divisors", kGuardedDivisors, {}};
  for (const char* name : {"host", "x86-64-v3"}) {
    target_ = *ParseTarget(name);
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel);
    absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// Sums whose bounds are elements of other equations, cut off at 0 and at a size.
constexpr char kBoundsByElements[] = R"(
weft.kernel @k {class = "row_reduction"} (%arg0: index) -> (tensor<224xf32>, tensor<224xi64>, tensor<224xi64>, tensor<224xf32>) {
  %cst = arith.constant 1.000000e+00 : f32
  %c0 = arith.constant 0 : index
  %c9223372036854775807_i64 = arith.constant 9223372036854775807 : i64
  %cst_0 = arith.constant 9.22337203E+18 : f32
  %cst_1 = arith.constant -9.22337203E+18 : f32
  %cst_2 = arith.constant 0.000000e+00 : f32
  %c1 = arith.constant 1 : index
  %cst_3 = arith.constant 5.000000e-01 : f32
  %cst_4 = arith.constant 2.240000e+02 : f32
  %c224 = arith.constant 224 : index
  %0 = arith.floordivsi %arg0, %c224 : index
  %1 = arith.maxsi %0, %c1 : index
  %2 = weft.equation (%arg1) in (224) names ["i"] attributes {common = array<i64: 0>, path = "forward.y.tall.center"} {
    %6 = arith.index_cast %arg1 : index to i64
    %7 = arith.sitofp %6 : i64 to f32
    %8 = arith.addf %7, %cst_3 : f32
    %9 = arith.index_cast %arg0 : index to i64
    %10 = arith.sitofp %9 : i64 to f32
    %11 = arith.mulf %8, %10 : f32
    %12 = arith.divf %11, %cst_4 : f32
    weft.yield %12 : f32
  } : tensor<224xf32>
  %3 = weft.equation (%arg1) in (224) names ["i"] attributes {common = array<i64: 0>, path = "forward.y.tall.lo"} {
    %6 = weft.read %2[%arg1] : tensor<224xf32> -> f32
    %7 = arith.index_cast %1 : index to i64
    %8 = arith.sitofp %7 : i64 to f32
    %9 = arith.subf %6, %8 : f32
    %10 = math.floor %9 : f32
    %11 = arith.cmpf uno, %10, %10 : f32
    %12 = arith.select %11, %cst_2, %10 : f32
    %13 = arith.maximumf %12, %cst_1 : f32
    %14 = arith.cmpf oge, %13, %cst_0 : f32
    %15 = arith.select %14, %cst_2, %13 : f32
    %16 = arith.fptosi %15 : f32 to i64
    %17 = arith.select %14, %c9223372036854775807_i64, %16 : i64
    %18 = arith.index_cast %17 : i64 to index
    %19 = arith.maxsi %18, %c0 : index
    %20 = arith.index_cast %19 : index to i64
    weft.yield %20 : i64
  } : tensor<224xi64>
  %4 = weft.equation (%arg1) in (224) names ["i"] attributes {common = array<i64: 0>, path = "forward.y.tall.hi"} {
    %6 = weft.read %2[%arg1] : tensor<224xf32> -> f32
    %7 = arith.index_cast %1 : index to i64
    %8 = arith.sitofp %7 : i64 to f32
    %9 = arith.addf %6, %8 : f32
    %10 = math.ceil %9 : f32
    %11 = arith.cmpf uno, %10, %10 : f32
    %12 = arith.select %11, %cst_2, %10 : f32
    %13 = arith.maximumf %12, %cst_1 : f32
    %14 = arith.cmpf oge, %13, %cst_0 : f32
    %15 = arith.select %14, %cst_2, %13 : f32
    %16 = arith.fptosi %15 : f32 to i64
    %17 = arith.select %14, %c9223372036854775807_i64, %16 : i64
    %18 = arith.index_cast %17 : i64 to index
    %19 = arith.minsi %arg0, %18 : index
    %20 = arith.index_cast %19 : index to i64
    weft.yield %20 : i64
  } : tensor<224xi64>
  %5 = weft.equation (%arg1) in (224) names ["i"] attributes {common = array<i64: 0>, path = "forward.y.tall.norm"} {
    %6 = weft.read %3[%arg1] : tensor<224xi64> -> i64
    %7 = arith.index_cast %6 : i64 to index
    %8 = weft.read %4[%arg1] : tensor<224xi64> -> i64
    %9 = arith.index_cast %8 : i64 to index
    %10 = weft.reduce sum (%arg2) from (%7) to (%9) names ["u"] {
      %11 = arith.index_cast %arg2 : index to i64
      %12 = arith.sitofp %11 : i64 to f32
      %13 = arith.addf %12, %cst_3 : f32
      %14 = weft.read %2[%arg1] : tensor<224xf32> -> f32
      %15 = arith.subf %13, %14 : f32
      %16 = math.absf %15 : f32
      %17 = arith.index_cast %1 : index to i64
      %18 = arith.sitofp %17 : i64 to f32
      %19 = arith.divf %16, %18 : f32
      %20 = arith.subf %cst, %19 : f32
      %21 = arith.maximumf %20, %cst_2 : f32
      weft.yield %21 : f32
    } : f32
    weft.yield %10 : f32
  } : tensor<224xf32>
  weft.return %2, %3, %4, %5 : tensor<224xf32>, tensor<224xi64>, tensor<224xi64>, tensor<224xf32>
})";

TEST_F(HalideTest, BoundsReductionsByWhatCutsTheirBoundsOff) {
  for (int64_t size : {1, 7, 500}) {
    TestKernel test{"bounds by elements", kBoundsByElements, {}};
    test.inputs.arguments = {size};
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel);
    absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// Where x begins in y is an operand.
constexpr char kShifted[] = R"(
weft.kernel @k {class = "pointwise"} (%x: tensor<?xf32>, %at: index, %n: index) -> (tensor<?xf32>) {
  %c4 = arith.constant 4 : index
  %half = arith.constant 0.5 : f32
  %y = weft.equation (%i) in (%n) names ["i"] attributes {path = "m.y"} {
    %j = arith.subi %i, %at : index
    %a = weft.read %x[%j] outside [fill] else %half : tensor<?xf32> -> f32
    %q = arith.floordivsi %at, %c4 : index
    %k = arith.subi %i, %q : index
    %b = weft.read %x[%k] outside [clamp] : tensor<?xf32> -> f32
    %s = arith.addf %a, %b : f32
    weft.yield %s : f32
  } : tensor<?xf32>
  weft.return %y : tensor<?xf32>
})";

TEST_F(HalideTest, TakesOperandsBelowZero) {
  for (int64_t at : {-9, -3, 0, 5, 40}) {
    TestKernel test{"shifted", kShifted, {}};
    test.inputs.sizes = {21, 30};
    test.inputs.arguments = {at, 30};
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel);
    absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_F(HalideTest, ObjectsAreTheSameEveryTime) {
  ir::KernelOp kernel = Parse(Matmul(13, 17, 40, 16).text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  auto first = CompileWithHalide(kernel, schedule, target_, "k");
  auto second = CompileWithHalide(kernel, schedule, target_, "k");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
}

TEST_F(HalideTest, RefusesAxesBeyondItsSubscripts) {
  ir::KernelOp kernel = Parse(AllTestKernels()[5].text);
  ASSERT_TRUE(kernel);
  auto object = CompileWithHalide(kernel, DefaultSchedule(ViewKernel(kernel), target_), target_, "k");
  ASSERT_TRUE(object.ok()) << object.status();
  auto loaded = LoadedKernel::Load(*object, "k");
  ASSERT_TRUE(loaded.ok());
  void* buffers[2] = {nullptr, nullptr};
  std::vector<int64_t> extents = {int64_t{1} << 20, int64_t{1} << 20, 1, 1, 1};
  EXPECT_NE(loaded->Run(buffers, extents.data()), 0);
}

}  // namespace
}  // namespace weft::backends
