// The shapes that default schedules take.

#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/halide/halide_fixture.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/loop_nest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weft::backends {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// While one block of columns is computed, the weights of the next are asked for, where that is worth it.
TEST_F(HalideTest, FetchesTheWeightsOfTheNextBlock) {
  target_.l2_bytes = 1 << 20;
  TestKernel test = Matmul(35, 4096, 96, 16);
  test.tolerance = 1e-4;
  ir::KernelOp kernel = Parse(test.text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("prefetch ko"));
  EXPECT_TRUE(Compare(kernel, schedule, test).ok());
  auto code = CompileWithHalide(kernel, schedule, target_, "k", HalideOutput::kAssembly);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_TRUE(absl::StrContains(*code, "prefetcht1"));
  // One row reads every weight once: there is nothing to compute meanwhile.
  for (const TestKernel& other : {Matmul(1, 4096, 96, 16), Matmul(35, 4096, 96, 0)}) {
    Schedule plain = DefaultSchedule(ViewKernel(Parse(other.text)), target_);
    EXPECT_THAT(PrintSchedule(plain), Not(HasSubstr("prefetch")));
  }
}

// What is added to sums is asked for in front of them, each line once.
TEST_F(HalideTest, FetchesWhatIsAddedToSums) {
  TestKernel test = MakeTestKernel("shortcut", R"(
weft.kernel @k {class = "contraction"} (%x: tensor<50x96xf32>, %w: tensor<2x96x16xf32>, %z: tensor<50x32xf32>, %b: tensor<32xf32>) -> (tensor<50x32xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c96 = arith.constant 96 : index
  %y = weft.equation (%i, %k) in (50, 32) names ["i", "k"] attributes {path = "m.y", packed = {axis = 1 : i64, block = 16 : i64}} {
    %block = arith.divui %k, %c16 : index
    %lane = arith.remui %k, %c16 : index
    %s = weft.reduce sum (%c) from (%c0) to (%c96) names ["c"] {
      %xx = weft.read %x[%i, %c] : tensor<50x96xf32> -> f32
      %ww = weft.read %w[%block, %c, %lane] : tensor<2x96x16xf32> -> f32
      %p = arith.mulf %xx, %ww : f32
      weft.yield %p : f32
    } : f32
    %zz = weft.read %z[%i, %k] : tensor<50x32xf32> -> f32
    %bb = weft.read %b[%k] : tensor<32xf32> -> f32
    %t = arith.addf %s, %zz : f32
    %r = arith.addf %t, %bb : f32
    weft.yield %r : f32
  } : tensor<50x32xf32>
  weft.return %y : tensor<50x32xf32>
})");
  target_ = *ParseTarget("x86-64-v3");
  ir::KernelOp kernel = Parse(test.text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(schedule), AllOf(HasSubstr("split i by 5 into"), HasSubstr("prefetch io")));
  auto code = CompileWithHalide(kernel, schedule, target_, "k", HalideOutput::kAssembly);
  ASSERT_TRUE(code.ok()) << code.status();
  size_t count = 0;
  for (size_t at = 0; (at = code->find("prefetcht1", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 5);  // a line for each row of a tile
  EXPECT_TRUE(Compare(kernel, schedule, test).ok());
  Schedule plain = DefaultSchedule(ViewKernel(Parse(Matmul(50, 96, 32, 16).text)), target_);
  EXPECT_THAT(PrintSchedule(plain), Not(HasSubstr("prefetch")));
}

// Where comparisons with numbers cut the innermost axis into pieces of whole vectors, each has a loop whose
// loads are dense.
TEST_F(HalideTest, CopiesAConcatenationPieceByPiece) {
  target_ = *ParseTarget("x86-64-v4");
  Schedule schedule = DefaultSchedule(ViewKernel(Parse(Concat(9, 64, 32).text)), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("unroll ko"));
  Schedule pairs = DefaultSchedule(ViewKernel(Parse(Concat(9, 192, 64).text)), target_);
  EXPECT_THAT(PrintSchedule(pairs), HasSubstr("split ko by 2 into koo, koi"));
  EXPECT_THAT(PrintSchedule(pairs), HasSubstr("unroll koo"));
  for (const TestKernel& other : {Concat(9, 61, 61), Concat(9, 16, 1024), Pointwise(3, 9, 64)}) {
    Schedule plain = DefaultSchedule(ViewKernel(Parse(other.text)), target_);
    EXPECT_THAT(PrintSchedule(plain), Not(HasSubstr("unroll")));
  }
}

// What is read across the vectors is read to the end of its lines.
TEST_F(HalideTest, TransposesInBlocks) {
  target_ = *ParseTarget("x86-64-v4");
  Schedule schedule = DefaultSchedule(ViewKernel(Parse(Transpose(3, 100, 70).text)), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("split k by 32 into ko, ki"));
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("jo ki | | ji"));
  Schedule narrow = DefaultSchedule(ViewKernel(Parse(Transpose(3, 100, 7).text)), target_);
  EXPECT_THAT(PrintSchedule(narrow), Not(HasSubstr("split k")));
}

// Tiles of sums are in registers or on the stack, also where sizes are known at run time only.
TEST_F(HalideTest, AllocatesNothingForTilesOfUnknownSizes) {
  ir::KernelOp kernel = Parse(DynamicRows(1, 1).text);
  auto code = CompileWithHalide(kernel, DefaultSchedule(ViewKernel(kernel), target_), target_, "k",
                                HalideOutput::kAssembly);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_FALSE(absl::StrContains(*code, "malloc"));
}

// Weights of a column block that do not fit the cache are walked in parts, each over all rows.
TEST_F(HalideTest, ReducesInBlocksWhatTheCacheDoesNotHold) {
  target_.l2_bytes = 1 << 17;
  target_.l3_is_near = false;
  TestKernel test = Matmul(35, 4096, 96, 16);
  test.tolerance = 1e-4;
  ir::KernelOp kernel = Parse(test.text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("split c by 512 into co, ci"));
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("order ko co io |"));
  absl::Status status = Compare(kernel, schedule, test);
  EXPECT_TRUE(status.ok()) << status;
  // What stays in the cache, and what is no whole number of blocks, is reduced in one go.
  for (const TestKernel& other : {Matmul(35, 1024, 96, 16), Matmul(35, 4099, 96, 16)}) {
    Schedule plain = DefaultSchedule(ViewKernel(Parse(other.text)), target_);
    EXPECT_THAT(PrintSchedule(plain), Not(HasSubstr("order ko c")));
  }
  target_.l3_is_near = true;
  target_.l3_bytes = 32 << 20;
  Schedule near = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(near), Not(HasSubstr("order ko co io |")));
}

// The last tile of rows multiplies for those only that are left.
TEST_F(HalideTest, ComputesNoRowsTwice) {
  target_ = *ParseTarget("x86-64-v3");
  auto multiplications = [&](int64_t size) {
    ir::KernelOp kernel = Parse(Convolution(size, 32, 32, 3, 1, 1, 16).text);
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    EXPECT_THAT(PrintSchedule(schedule), HasSubstr("split j by 6 into jo, ji\n  unroll ji ci\n  split"));
    auto code = CompileWithHalide(kernel, schedule, target_, "k", HalideOutput::kAssembly);
    EXPECT_TRUE(code.ok()) << code.status();
    size_t count = 0;
    for (size_t at = 0; code.ok() && (at = code->find("vfmadd", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  // Two vectors, six rows, four steps; and for the last tile four rows.
  EXPECT_EQ(multiplications(24), 2 * 6 * 4);
  EXPECT_EQ(multiplications(28), 2 * 6 * 4 + 2 * 4 * 4);
}

// A picture that does not stay in a near cache passes through it once, not once for each block of columns.
TEST_F(HalideTest, ComputesAllColumnsOfOnePartOfThePicture) {
  target_ = *ParseTarget("x86-64-v3");
  target_.l2_bytes = 512 << 10;
  target_.l3_bytes = 32 << 20;
  target_.l3_is_near = true;
  target_.cores = 2;
  auto schedule = [&](int64_t size, int64_t channels) {
    return PrintSchedule(
        DefaultSchedule(ViewKernel(Parse(Convolution(size, channels, 128, 3, 1, 1, 16).text)), target_));
  };
  EXPECT_THAT(schedule(128, 256), AllOf(HasSubstr("split i by 8 into io, ii"), HasSubstr("pad at io"),
                                        HasSubstr("order n io ko ii jo |")));
  // The passes write 0 for an index that has one value.
  std::string one = Convolution(128, 256, 128, 3, 1, 1, 16).text;
  one.replace(one.find("%x[%n,"), 6, "%x[%c0,");
  EXPECT_THAT(PrintSchedule(DefaultSchedule(ViewKernel(Parse(one)), target_)),
              HasSubstr("order n io ko ii jo |"));
  EXPECT_THAT(schedule(28, 256), HasSubstr("order ko n i jo |"));    // it stays
  EXPECT_THAT(schedule(128, 2048), HasSubstr("order ko n i jo |"));  // the weights would not
  target_.l3_is_near = false;
  EXPECT_THAT(schedule(128, 256), HasSubstr("order ko n i jo |"));  // weights would pass for every row
  target_.l2_bytes = 2 << 20;
  EXPECT_THAT(schedule(128, 256), HasSubstr("order n io ko ii jo |"));
}

// Few weights: what lies together in memory is written together.
TEST_F(HalideTest, WritesWholeRowsOfFewWeights) {
  target_ = *ParseTarget("x86-64-v3");
  auto schedule = [&](int64_t channels) {
    return PrintSchedule(
        DefaultSchedule(ViewKernel(Parse(Convolution(56, channels, 64, 3, 1, 1, 16).text)), target_));
  };
  EXPECT_THAT(schedule(3), HasSubstr("order n io ii ko jo |"));
  EXPECT_THAT(schedule(64), HasSubstr("order n io ko ii jo |"));
}

// Columns that no whole number of vectors covers are computed by tiles that go past the end, where a copy has
// something to read; not where it would serve few rows.
TEST_F(HalideTest, FillsTheLastVectorOfColumns) {
  for (const TestKernel& test : {Matmul(130, 50, 40, 0), Matmul(64, 33, 23, 0), Matmul(71, 20, 72, 0),
                                 Attention(131, 2, 40), Attention(97, 3, 20)}) {
    SCOPED_TRACE(test.name);
    ir::KernelOp kernel = Parse(test.text);
    absl::Status status = Compare(kernel, DefaultSchedule(ViewKernel(kernel), target_), test);
    EXPECT_TRUE(status.ok()) << status;
  }
  target_ = *ParseTarget("x86-64-v4");
  std::string many = PrintSchedule(DefaultSchedule(ViewKernel(Parse(Matmul(130, 50, 40, 0).text)), target_));
  EXPECT_THAT(many, AllOf(HasSubstr("split k by 48 into ko, ki"), HasSubstr("transpose")));
  std::string few = PrintSchedule(DefaultSchedule(ViewKernel(Parse(Matmul(11, 50, 40, 0).text)), target_));
  EXPECT_THAT(few, Not(HasSubstr("transpose")));
}

// A product that windows go over is computed inside of them, as many columns and rows as they read before the
// next ones. Windows pass the end of the channels where the product's last block does.
TEST_F(HalideTest, ComputesAProductInsideOfItsWindows) {
  target_ = *ParseTarget("x86-64-v3");
  target_.l2_bytes = 64 << 10;
  for (int64_t widened : {48, 52}) {
    TestKernel test = WidenedWindows(40, 37, 6, widened, 1, 24, false);
    ir::KernelOp kernel = Parse(test.text);
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    EXPECT_THAT(PrintSchedule(schedule),
                AllOf(HasSubstr("this at m.y.ko"), HasSubstr("order n io ko ii jo |")));
    EXPECT_EQ(absl::StrContains(PrintSchedule(schedule), "transpose at ko"), widened == 52);
    absl::Status status = Compare(kernel, schedule, test);
    EXPECT_TRUE(status.ok()) << status;
    auto code = CompileWithHalide(kernel, schedule, target_, "k", HalideOutput::kStmt);
    ASSERT_TRUE(code.ok()) << code.status();
    // Tiles of a known size are in registers, also at the end.
    EXPECT_TRUE(::testing::Value(*code, ContainsRegex("allocate m_y_r[$0-9]*\\[float32 \\* 24 \\* 2")));
  }
}

// Sums of any length go several steps at once; what is left over has a loop of its own.
TEST_F(HalideTest, UnrollsSumsOfAnyLength) {
  for (int64_t depth : {401, 1853, 27, 16}) {
    TestKernel test = Matmul(13, depth, 96, 16);
    test.tolerance = 1e-4;
    ir::KernelOp kernel = Parse(test.text);
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    EXPECT_THAT(PrintSchedule(schedule), HasSubstr("split c by 4 into co, ci")) << depth;
    absl::Status status = Compare(kernel, schedule, test);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// With few registers the weights of a window are loaded again for every tile: channels then go innermost, in
// tiles of one vector and many places. Of two tiles none is cut.
TEST_F(HalideTest, WalksWindowsInTheOrderOfMemory) {
  TestKernel test = Depthwise(22, 120);
  ir::KernelOp kernel = Parse(test.text);
  for (auto [name, order] : {std::pair{"x86-64-v3", "ii jo ko | r s |"}, {"x86-64-v4", "ko ii jo | r s |"}}) {
    target_ = *ParseTarget(name);
    target_.cores = 2;
    EXPECT_THAT(PrintSchedule(DefaultSchedule(ViewKernel(kernel), target_)), HasSubstr(order));
  }
  target_ = *ParseTarget("x86-64-v3");
  for (auto [size, places] : {std::pair{22, 6}, {28, 7}, {14, 7}, {9, 3}, {7, 7}}) {
    ir::KernelOp picture = Parse(Depthwise(size, 120).text);
    std::string printed = PrintSchedule(DefaultSchedule(ViewKernel(picture), target_));
    EXPECT_THAT(printed, HasSubstr("split k by 8 into"));
    EXPECT_THAT(printed, HasSubstr("split j by " + std::to_string(places) + " into"));
  }
}

// Vectors along planes are read from padded copies, also where a window goes on by several steps.
TEST_F(HalideTest, VectorizesWindowsOverPlanes) {
  target_ = *ParseTarget("x86-64-v3");
  for (auto [window, stride, groups] :
       {std::array{3, 1, 1}, {3, 2, 1}, {5, 4, 1}, {3, 1, 16}, {3, 2, 16}, {5, 1, 4}}) {
    TestKernel test = PlanarWindows(56, 112, 16, 16, window, stride, groups);
    std::string schedule = PrintSchedule(DefaultSchedule(ViewKernel(Parse(test.text)), target_));
    EXPECT_THAT(schedule, AllOf(HasSubstr("vectorize ji"), HasSubstr("pad at "))) << test.name;
  }
  // Neighbours so far apart lie in as many lines as vectors have lanes.
  TestKernel apart = PlanarWindows(56, 224, 16, 16, 3, 8, 1);
  EXPECT_THAT(PrintSchedule(DefaultSchedule(ViewKernel(Parse(apart.text)), target_)),
              Not(HasSubstr("vectorize j")));
}

// Sums down columns have their vectors along the rows, also where two of them share the loop over columns.
TEST_F(HalideTest, SumsColumnsInVectors) {
  target_ = *ParseTarget("x86-64-v3");
  ir::KernelOp kernel = Parse(MakeTestKernel("columns", R"(
weft.kernel @k {class = "rows"} (%x: tensor<70x90xf32>) -> (tensor<90xf32>) {
  $CONSTANTS
  %m = arith.constant 70 : index
  %most = weft.equation (%j) in (90) names ["j"] attributes {common = array<i64: 0>, path = "m.most"} {
    %s = weft.reduce max (%i) from (%c0) to (%m) names ["i"] {
      %a = weft.read %x[%i, %j] : tensor<70x90xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %s : f32
  } : tensor<90xf32>
  %y = weft.equation (%j) in (90) names ["j"] attributes {common = array<i64: 0>, path = "m.y"} {
    %t = weft.read %most[%j] : tensor<90xf32> -> f32
    %s = weft.reduce sum (%i) from (%c0) to (%m) names ["i"] {
      %a = weft.read %x[%i, %j] : tensor<70x90xf32> -> f32
      %d = arith.subf %a, %t : f32
      weft.yield %d : f32
    } : f32
    weft.yield %s : f32
  } : tensor<90xf32>
  weft.return %y : tensor<90xf32>
})")
                                  .text);
  ASSERT_TRUE(kernel);
  std::string schedule = PrintSchedule(DefaultSchedule(ViewKernel(kernel), target_));
  EXPECT_THAT(
      schedule,
      ContainsRegex(
          "most \\{\n  split j by 32[^}]*vectorize ji[^}]*\\}[^}]*y \\{\n  split j by 32[^}]*vectorize ji"));
}

// Where a number of whole panels is as fast as other tiles, keys are copied in them.
TEST_F(HalideTest, CopiesKeysInWholePanels) {
  target_ = *ParseTarget("x86-64-v3");
  for (auto [length, columns] : {std::pair{1024, 16}, {960, 24}, {1000, 40}, {1009, 24}}) {
    std::string schedule =
        PrintSchedule(DefaultSchedule(ViewKernel(Parse(Attention(length, 5, 40).text)), target_));
    EXPECT_THAT(schedule, HasSubstr(absl::StrCat("split j by ", columns, " into jo, ji"))) << schedule;
  }
}

// Sums along rows keep several vectors of partial results, for each addition waits for the last.
TEST_F(HalideTest, SumsRowsInSeveralVectors) {
  target_ = *ParseTarget("x86-64-v3");
  for (auto [length, lanes] : {std::pair{333, 32}, {1000, 32}, {40, 32}, {24, 24}, {17, 16}}) {
    std::string schedule =
        PrintSchedule(DefaultSchedule(ViewKernel(Parse(Softmax(61, length).text)), target_));
    EXPECT_THAT(schedule, HasSubstr(absl::StrCat(" by ", lanes, " into"))) << length << schedule;
  }
}

// Every row of pictures has a middle in which no place lies outside and no tile is cut, whatever the row, the
// number of channels and the share of a thread are.
TEST_F(HalideTest, ComputesTheMiddleOfEveryRowAlike) {
  for (auto [name, size, middle] :
       {std::tuple{"x86-64-v3", 28, 2}, {"x86-64-v3", 31, 3}, {"x86-64-v4", 31, 3}}) {
    target_ = *ParseTarget(name);
    ir::KernelOp kernel = Parse(Depthwise(size, 246).text);
    auto code = CompileWithHalide(kernel, DefaultSchedule(ViewKernel(kernel), target_), target_, "k",
                                  HalideOutput::kStmt);
    ASSERT_TRUE(code.ok()) << code.status();
    std::regex loop(R"(\n *for \([a-z0-9_.$]*\.jo[a-z.]*, 0, (\w+)\))");
    std::vector<std::string> lengths;
    for (std::sregex_iterator found(code->begin(), code->end(), loop), end; found != end; ++found)
      lengths.push_back((*found)[1]);
    EXPECT_EQ(lengths, std::vector<std::string>{std::to_string(middle)});
  }
}

// Results of a pool are computed together where their windows share what they read: not those beside each
// other, two of those that overlap, and more that are next to each other.
TEST_F(HalideTest, PoolsReadFromFewPlacesAtOnce) {
  target_ = *ParseTarget("x86-64-v3");
  struct {
    int64_t window, stride, together;
  } cases[] = {{2, 2, 1}, {3, 2, 2}, {3, 1, 7}, {1, 3, 1}};
  for (auto [window, stride, together] : cases) {
    TestKernel test = MakeTestKernel("pool", R"(
weft.kernel @k {class = "depthwise"} (%x: tensor<$Hx$Hx64xf32>) -> (tensor<14x14x64xf32>) {
  $CONSTANTS
  %stride = arith.constant $S : index
  %window = arith.constant $W : index
  %y = weft.equation (%i, %j, %c) in (14, 14, 64) names ["i", "j", "c"] attributes {path = "m.y"} {
    %m = weft.reduce max (%r, %s) from (%c0, %c0) to (%window, %window) names ["r", "s"] {
      %i2 = arith.muli %i, %stride : index
      %j2 = arith.muli %j, %stride : index
      %u = arith.addi %i2, %r : index
      %v = arith.addi %j2, %s : index
      %a = weft.read %x[%u, %v, %c] : tensor<$Hx$Hx64xf32> -> f32
      weft.yield %a : f32
    } : f32
    weft.yield %m : f32
  } : tensor<14x14x64xf32>
  weft.return %y : tensor<14x14x64xf32>
})",
                                     {{"H", 13 * stride + window}, {"S", stride}, {"W", window}});
    SCOPED_TRACE(test.name);
    ir::KernelOp kernel = Parse(test.text);
    ASSERT_TRUE(kernel) << test.text;
    Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
    std::string text = PrintSchedule(schedule);
    EXPECT_EQ(absl::StrContains(text, absl::StrCat("split j by ", together, " ")), together > 1) << text;
    EXPECT_EQ(absl::StrContains(text, "split j by"), together > 1) << text;
    EXPECT_TRUE(Compare(kernel, schedule, test).ok());
  }
}

// Without mask registers the last lanes of rows are stored in pieces.
TEST_F(HalideTest, StoresTailsWithoutMasks) {
  ir::KernelOp kernel = Parse(Matmul(61, 40, 22, 24).text);
  for (auto [name, is_masked] : {std::pair{"x86-64-v3", false}, {"x86-64-v4", true}}) {
    target_ = *ParseTarget(name);
    auto code = CompileWithHalide(kernel, DefaultSchedule(ViewKernel(kernel), target_), target_, "k",
                                  HalideOutput::kAssembly);
    ASSERT_TRUE(code.ok()) << code.status();
    bool masks = std::regex_search(
        *code, std::regex("vmaskmovps\t%ymm[0-9]+, %ymm[0-9]+, |vmovups\t%[yz]mm[0-9]+, [^\n]*\\{%k"));
    EXPECT_EQ(masks, is_masked) << name;
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

// Rows whose lines would drive each other out of the first cache are not in one tile.
TEST_F(HalideTest, TilesHoldNoMoreRowsThanTheFirstCacheHasLinesFor) {
  target_ = *ParseTarget("x86-64-v4");
  for (auto [channels, rows] : {std::pair{512, 7}, {496, 14}, {256, 14}}) {
    ir::KernelOp kernel = Parse(Convolution(28, channels, 1024, 1, 2, 0, 32).text);
    std::string schedule = PrintSchedule(DefaultSchedule(ViewKernel(kernel), target_));
    EXPECT_THAT(schedule, HasSubstr(absl::StrCat("split j by ", rows, " into"))) << channels << schedule;
  }
}

// Blocks of columns that do not come out even are shared in two loops: who has no block left computes rows of
// another's.
TEST_F(HalideTest, SharesWhatWholeBlocksLeave) {
  target_ = *ParseTarget("x86-64-v4");
  target_.cores = 2;
  TestKernel test = Matmul(93, 616, 624, 48);
  ir::KernelOp kernel = Parse(test.text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("parallel ko io\n"));
  // An even number of blocks; many; rows that are too short to be begun one by one.
  for (const TestKernel& other :
       {Matmul(93, 616, 576, 48), Matmul(93, 616, 9648, 48), Matmul(93, 8, 624, 48)}) {
    Schedule plain = DefaultSchedule(ViewKernel(Parse(other.text)), target_);
    EXPECT_THAT(PrintSchedule(plain), Not(HasSubstr("parallel ko io"))) << other.name;
  }
}

// Whatever the target, two parallel loops compute what one does.
TEST_F(HalideTest, ComputesWhatIsSharedInTwoLoops) {
  target_.cores = 2;
  TestKernel test = Matmul(93, 616, 624, 48);
  test.tolerance = 1e-4;
  ir::KernelOp kernel = Parse(test.text);
  Schedule schedule = DefaultSchedule(ViewKernel(kernel), target_);
  EXPECT_THAT(PrintSchedule(schedule), HasSubstr("parallel ko i"));
  absl::Status status = Compare(kernel, schedule, test);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace
}  // namespace weft::backends
