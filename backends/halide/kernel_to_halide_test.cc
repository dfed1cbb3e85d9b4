#include "backends/halide/kernel_to_halide.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/execute/loaded_kernel.h"
#include "backends/halide/test_kernels.h"
#include "backends/loops/compile_kernel.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/joins.h"
#include "compiler/ir/weft_dialect.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

namespace weft::backends {
namespace {

using testing::CompareResults;
using testing::Elements;
using ::testing::HasSubstr;
using testing::KernelCase;
using testing::MakeInputs;
using ::testing::Not;
using testing::RunKernel;

class HalideTest : public ::testing::Test {
 protected:
  HalideTest() : target_(*ParseTarget("host")) {
    context_.loadDialect<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect,
                         mlir::scf::SCFDialect, mlir::func::FuncDialect, mlir::tensor::TensorDialect>();
  }

  ir::KernelOp Parse(const std::string& text) {
    modules_.push_back(mlir::parseSourceString<mlir::ModuleOp>(text, &context_));
    if (!modules_.back()) return {};
    return *modules_.back()->getBody()->getOps<ir::KernelOp>().begin();
  }

  absl::StatusOr<std::vector<Elements>> Reference(ir::KernelOp kernel, const KernelCase& inputs,
                                                  const std::vector<Elements>& operands) {
    auto object = CompileWithLoops(kernel, target_, "k");
    if (!object.ok()) return object.status();
    return RunKernel(kernel, *object, "k", inputs, operands);
  }

  // What differs between Halide by `schedule` and the loops.
  absl::Status Compare(ir::KernelOp kernel, const Schedule& schedule, const TestKernel& test,
                       ir::KernelOp reference = nullptr) {
    std::vector<Elements> operands = MakeInputs(kernel, test.inputs);
    auto expected = Reference(reference ? reference : kernel, test.inputs, operands);
    if (!expected.ok()) return expected.status();
    auto object = CompileWithHalide(kernel, schedule, target_, "k");
    if (!object.ok()) return object.status();
    auto actual = RunKernel(kernel, *object, "k", test.inputs, operands);
    if (!actual.ok()) return actual.status();
    return CompareResults(kernel, *actual, *expected, test.tolerance);
  }

  mlir::MLIRContext context_;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules_;
  Target target_;
};

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

// A random schedule that the rules allow: splits by any factor, any order, any marks.
EquationSchedule RandomSchedule(const EquationView& view, const Joins& joins, std::mt19937& random) {
  EquationSchedule schedule{view.loops.path, {}};
  std::vector<std::string> outer, reductions, inner, vectors, unrolled, parallel;
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
  if (!outer.empty() && random() % 2 == 0) parallel.push_back(outer[random() % outer.size()]);
  std::shuffle(outer.begin(), outer.end(), random);
  if (!nested) std::shuffle(reductions.begin(), reductions.end(), random);
  std::shuffle(inner.begin(), inner.end(), random);
  for (auto [kind, names] : {std::pair{DirectiveKind::kVectorize, vectors},
                             {DirectiveKind::kUnroll, unrolled},
                             {DirectiveKind::kParallel, parallel}}) {
    if (!names.empty()) schedule.directives.push_back({kind, names});
  }
  if (random() % 2 == 0) schedule.directives.push_back({DirectiveKind::kPad, {}});
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
           {"m.y at m.z.i", "is a result of its kernel and cannot be computed inside another"},
           {"join i k into ik", "cannot be joined"}}) {
    SCOPED_TRACE(text);
    auto schedule = ParseSchedule(absl::StrCat("schedule m.y { ", text, " }"));
    ASSERT_TRUE(schedule.ok()) << schedule.status();
    auto object = CompileWithHalide(kernel, *schedule, target_, "k");
    ASSERT_FALSE(object.ok());
    EXPECT_THAT(std::string(object.status().message()), HasSubstr(error));
  }
}

// What runs in parallel is cut so that each thread has the same share, in tasks that outweigh their start.
TEST_F(HalideTest, SharesLongLoopsOfShortStepsInFewTasks) {
  target_.cores = 2;
  for (const TestKernel& test : {Pointwise(1, 1, 100'003), Pointwise(40'001, 1, 7), Pointwise(61, 50, 333),
                                 Softmax(2364, 197), Softmax(11, 9000), Softmax(20'000, 17)}) {
    SCOPED_TRACE(test.name);
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel) << test.text;
    KernelView view = ViewKernel(kernel);
    Schedule schedule = DefaultSchedule(view, target_);
    auto nest = ResolveLoops(view.equations.back().loops, schedule.equations.back());
    ASSERT_TRUE(nest.ok()) << nest.status();
    int64_t tasks = 0;
    for (const std::string& name : nest->outer) {
      if (nest->Find(name).parallel) tasks = nest->Find(name).extent;
    }
    EXPECT_GE(tasks, 2) << PrintSchedule(schedule);
    EXPECT_LE(tasks, 16) << PrintSchedule(schedule);
  }
  // Too little for two.
  for (const TestKernel& test : {Pointwise(1, 1, 999), Softmax(2, 30)}) {
    Schedule schedule = DefaultSchedule(ViewKernel(Parse(test.text)), target_);
    EXPECT_THAT(PrintSchedule(schedule), Not(HasSubstr("parallel")));
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
