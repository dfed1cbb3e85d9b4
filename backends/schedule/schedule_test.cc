#include "backends/schedule/schedule.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/schedule/loop_nest.h"
#include "backends/schedule/read_schedule.h"
#include "backends/schedule/target.h"
#include "dsl/base/source_file.h"
#include "dsl/parser/parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weft::backends {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kText[] = R"(schedule net.conv.y {
  join n i into ni
  split k by 32 into ko, ki
  split j by 14 into jo, ji
  split c by 4 into co, ci
  order ko ni jo | r s co ci | ji ki
  parallel ko ni
  vectorize ki
  unroll ji ci
  overlap j
  prefetch ko
  pad at ni
}
schedule net.p {
  inline this
}
schedule net.q {
  transpose at net.o.h
  this at net.o.io
}
schedule net."a-b".0.12.at {
  order "by" | | k
  pad
  this at root
}
)";

EquationLoops Conv() {
  return {"net.conv.y", {{"n", 1}, {"i", 56}, {"j", 30}, {"k", 64}}, {{"c", 64}, {"r", 3}, {"s", 3}}};
}

TEST(ScheduleTest, PrintsWhatItParsed) {
  auto schedule = ParseSchedule(kText);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  EXPECT_EQ(PrintSchedule(*schedule), kText);
}

TEST(ScheduleTest, ReadsNestedBlocksAndKnobs) {
  auto schedule = ParseSchedule(R"(schedule attention on cpu {
    knob ti in {6, 8}
    score { split i by ti into io, ii parallel io }
    p at score.io
  })");
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  ASSERT_EQ(schedule->equations.size(), 2);
  EXPECT_EQ(schedule->equations[0].path, "attention.score");
  EXPECT_EQ(schedule->equations[0].directives[0].factor, 6);
  EXPECT_EQ(schedule->equations[1].path, "attention.p");
  EXPECT_THAT(schedule->equations[1].directives[0].names, ElementsAre("score", "io"));
}

TEST(ScheduleTest, SaysTheSameOfSeveralEquations) {
  auto schedule = ParseSchedule("schedule a.0.y, a.1.y { parallel i this at root }");
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  ASSERT_EQ(schedule->equations.size(), 2);
  EXPECT_EQ(schedule->equations[1].path, "a.1.y");
  EXPECT_EQ(PrintBlock({"a.0.y", "a.1.y"}, schedule->equations[0].directives),
            "schedule a.0.y,\n         a.1.y {\n  parallel i\n  this at root\n}\n");
}

// The packings of the one block of `text`, printed beside its splits.
std::vector<std::string> Packings(absl::string_view text) {
  dsl::SourceManager sources;
  dsl::Diagnostics diagnostics;
  auto file = dsl::ParseScheduleFile(sources, sources.Add("schedule", std::string(text)), diagnostics);
  WrittenSchedule block = ReadSchedules(*file, diagnostics).at(0);
  EXPECT_FALSE(diagnostics.has_errors());
  std::vector<std::string> packings;
  for (const PackWord& word : block.packs) {
    packings.push_back(PrintPacking(word.packing, {}));
    packings.push_back(PrintPacking(word.packing, block.directives));
  }
  return packings;
}

TEST(ScheduleTest, PacksByPartsOfIndices) {
  EXPECT_THAT(Packings("schedule y { knob t in {24} pack w as [joo, k, joi, ji, r % 4, \"at\" div 2 % 3]"
                       "             split j by t into jo, ji split jo by 2 into joo, joi }"),
              ElementsAre("pack w as [j div 48, k, j div 24 % 2, j % 24, r % 4, \"at\" div 2 % 3]",
                          "pack w as [joo, k, joi, ji, r % 4, \"at\" div 2 % 3]"));
}

TEST(ScheduleTest, SaysWhereItsTextIsWrong) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"schedule y {\n  split k into a, b\n}", "2:11: error: expected `by`, found `into`"},
           {"schedule y {\n  split k by 0 into a, b\n}", "2:14: error: this is a whole number from 1 to"},
           {"schedule y {\n  split k by 2.5 into a, b\n}", "not 2.5"},
           {"schedule y {\n  tile k\n}", "expected `{` or `at` after `tile`"},
           {"schedule y {\n  order a | b\n}", "an `order` has two bars or none"},
           {"schedule y {", "this `{` is never closed"},
           {"schedule y on moon { }", "there is no target `moon`"},
           {"schedule y { z at w }", "behind `at` stand an equation and one of its loops"},
           {"schedule y { knob t in 4..2 split i by t into a, b }", "the range is empty"},
           {"schedule y { knob rows in {4} split i by row into a, b }", "did you mean `rows`?"},
           {"schedule y { pack w as [i, j, i] }", "1:31: error: `i` stands twice in the order of `w`"},
           {"schedule y { pack w as [i] pack w as [j] }", "1:28: error: `w` is packed twice"},
           {"schedule y { split i by 6 into io, ii pack w as [io, ii % 4] }",
            "1:54: error: `w` cannot be packed by `ii % 4`"},
           {"schedule y { pack w as [i div 0] }", "1:31: error: this is a whole number from 1 to"},
           {"schedule y { specialize n in {1, 8, 1} }", "1:37: error: the length 1 stands twice"},
           {"schedule y { specialize n in 4 }", "expected `{` and the lengths, found the number `4`"},
           {"split k by 4 into a, b", "a file of schedules holds nothing else"}}) {
    SCOPED_TRACE(c.text);
    auto schedule = ParseSchedule(c.text);
    ASSERT_FALSE(schedule.ok());
    EXPECT_THAT(std::string(schedule.status().message()), HasSubstr(c.error));
  }
}

std::string Overridden(absl::string_view user) {
  Schedule kernel = *ParseSchedule(kText), words = *ParseSchedule(user);
  Override(words.equations[0].directives, kernel.equations[0]);
  return PrintSchedule({{kernel.equations[0]}});
}

TEST(ScheduleTest, PutsTheUsersDirectivesInPlaceOfTheDefaults) {
  std::string text = Overridden("schedule conv.y { parallel jo }");
  EXPECT_THAT(text, HasSubstr("parallel jo\n"));
  EXPECT_THAT(text, HasSubstr("split k by 32"));
  // A split makes the default's loops meaningless: all of them go.
  EXPECT_EQ(Overridden("schedule conv.y { split k by 8 into a, b }"),
            "schedule net.conv.y {\n  split k by 8 into a, b\n}\n");
}

TEST(ScheduleTest, FindsTheLoopsThatTheDefaultHasSplit) {
  EXPECT_THAT(Overridden("schedule conv.y { parallel j n }"), HasSubstr("parallel jo ni\n"));
  EXPECT_THAT(Overridden("schedule conv.y { unroll j c }"), HasSubstr("unroll ji ci\n"));
}

TEST(ScheduleTest, KeepsKnownLengthsWhereLoopsAreSplitAnew) {
  Schedule kernel = *ParseSchedule("schedule y { specialize n in {1, 8} parallel n }");
  Override(ParseSchedule("schedule y { split n by 4 into no, ni }")->equations[0].directives,
           kernel.equations[0]);
  EXPECT_EQ(PrintSchedule(kernel), "schedule y {\n  specialize n in {1, 8}\n  split n by 4 into no, ni\n}\n");
  Override(ParseSchedule("schedule y { specialize n in {2} }")->equations[0].directives, kernel.equations[0]);
  EXPECT_EQ(PrintSchedule(kernel), "schedule y {\n  split n by 4 into no, ni\n  specialize n in {2}\n}\n");
}

TEST(LoopNestTest, SpecializesLoopsOfUnknownLength) {
  EquationLoops loops{"y", {{"n", kUnknown}, {"j", 7}}, {{"k", kUnknown}}};
  auto said = [&](const char* words) {
    ScheduleProblem problem;
    auto nest = ResolveLoops(loops, ParseSchedule(absl::StrCat("schedule y { ", words, " }"))->equations[0],
                             &problem);
    return nest.ok() ? absl::StrJoin(nest->Find("n").lengths, " ") : problem.text;
  };
  EXPECT_EQ(said("specialize n in {1, 8}"), "1 8");
  EXPECT_EQ(said("specialize n in {1} specialize n in {8} split n by 2 into no, ni"), "1 8");
  EXPECT_EQ(said("specialize n in {1} specialize n in {8, 1}"), "the length 1 of `n` stands twice in `y`");
  EXPECT_EQ(said("specialize j in {7}"), "`j` always has the length 7 in `y`");
  EXPECT_EQ(said("split n by 2 into no, ni specialize no in {1}"),
            "there is no loop `no` as it is written in `y`");
}

TEST(LoopNestTest, ResolvesTheLoopsOfAConvolution) {
  Schedule schedule = *ParseSchedule(kText);
  auto nest = ResolveLoops(Conv(), schedule.equations[0]);
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_THAT(nest->outer, ElementsAre("ko", "ni", "jo"));
  EXPECT_THAT(nest->reductions, ElementsAre("r", "s", "co", "ci"));
  EXPECT_THAT(nest->inner, ElementsAre("ji", "ki"));
  EXPECT_EQ(nest->Find("ni").extent, 56);
  EXPECT_EQ(nest->Find("jo").extent, 3);
  EXPECT_TRUE(nest->Find("ki").vectorized);
  EXPECT_TRUE(nest->Find("j").overlap);
}

TEST(LoopNestTest, SplitsAnOuterPartAgain) {
  Schedule schedule = *ParseSchedule(
      "schedule conv.y { split j by 5 into jo, ji split jo by 4 into jt, js order n i jt js k | c r s | ji "
      "}");
  auto nest = ResolveLoops(Conv(), schedule.equations[0]);
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_THAT(nest->outer, ElementsAre("n", "i", "jt", "js", "k"));
  EXPECT_EQ(nest->Find("jt").extent, (nest->Find("j").extent + 19) / 20);
  EXPECT_EQ(nest->Base("jt"), "j");
  EXPECT_EQ(nest->Base("js"), "j");
  EXPECT_EQ(nest->Base("k"), "k");
}

TEST(LoopNestTest, RefusesWhatNamesNothing) {
  struct Case {
    const char* directives;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"vectorize kk", "there is no loop `kk`"},
           {"split k by 8 into ko, ki unroll k", "`k` is split into `ko` and `ki`"},
           {"order n i j", "`k` is missing in the order"},
           {"order n i j k k | c r s |", "`k` stands twice"},
           {"order n i c | j r s | k", "`c` belongs between the bars"},
           {"parallel c", "`c` is reduced over and cannot be parallel"},
           {"join n j into nj", "`n` and `j` are not adjacent"},
           {"split k by 8 into j, ki", "the name `j` is taken"},
           {"overlap k", "`k` is not split"},
           {"split k by 8 into ko, ki split ki by 2 into a, b", "only the outer part of a loop"},
           {"split c by 8 into co, ci split co by 2 into a, b", "only the outer part of a loop"},
           {"split k by 8 into ko, ki split ko by 2 into a, b overlap ko", "`ko` is a part of `k`"},
           {"split j by 64 into jo, ji overlap j", "not known to be as long as its split of 64"}}) {
    SCOPED_TRACE(c.directives);
    auto schedule = ParseSchedule(std::string("schedule net.conv.y { ") + c.directives + " }");
    ASSERT_TRUE(schedule.ok()) << schedule.status();
    auto nest = ResolveLoops(Conv(), schedule->equations[0]);
    ASSERT_FALSE(nest.ok());
    EXPECT_THAT(std::string(nest.status().message()), HasSubstr(c.error));
  }
}

TEST(TargetTest, ReadsLevelsAndFeatures) {
  auto target = ParseTarget("x86-64-v3");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->vector_bytes, 32);
  EXPECT_TRUE(target->fma);
  target = ParseTarget("x86-64-v4+avx512vnni-fma");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->vector_bytes, 64);
  EXPECT_TRUE(target->Has("avx512vnni"));
  EXPECT_FALSE(target->fma);
  EXPECT_TRUE(ParseTarget("host").ok());
  EXPECT_THAT(std::string(ParseTarget("arm").status().message()), HasSubstr("known are host"));
  EXPECT_THAT(std::string(ParseTarget("host+mmx9").status().message()), HasSubstr("unknown feature `mmx9`"));
}

TEST(TargetTest, TilesWasteFewLanes) {
  Target target = *ParseTarget("x86-64-v4");
  for (auto [columns, tile] : {std::pair{64, 64}, {768, 64}, {65, 80}, {41, 48}, {84, 48}, {320, 64}}) {
    EXPECT_EQ(passes::ChooseRegisterTile(ForPasses(target), 256, columns, 0, 4).columns, tile) << columns;
  }
}

// The last tile may have fewer rows, but too few leave the multiplier idle.
TEST(TargetTest, TilesDivideTheRowsWell) {
  passes::TargetDescription target = ForPasses(*ParseTarget("x86-64-v3"));
  for (auto [rows, tall] : {std::pair{28, 6}, {14, 5}, {13, 5}, {12, 6}, {196, 6}})
    EXPECT_EQ(passes::ChooseTileRows(target, rows, 16, 4, 64), tall) << rows;
  EXPECT_EQ(passes::ChooseTileRows(target, 28, 16, 4, 4), 4);  // no more than that
}

// Blocks of weights that the second cache does not hold are not made for two rows at a time.
TEST(TargetTest, WideTilesHaveFewWeights) {
  passes::TargetDescription target = ForPasses(*ParseTarget("x86-64-v3"));
  target.l2_bytes = 512 << 10;
  for (auto [depth, columns] : {std::pair{64, 40}, {4608, 16}})
    EXPECT_EQ(passes::ChooseRegisterTile(target, 38, 520, depth, 4).columns, columns) << depth;
}

TEST(TargetTest, TilesFitTheRegisters) {
  for (const char* name : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    Target target = *ParseTarget(name);
    for (int64_t rows : {-1, 1, 2, 7, 14, 49, 197}) {
      for (int64_t columns : {-1, 1, 24, 64, 1000}) {
        passes::RegisterTile tile = passes::ChooseRegisterTile(ForPasses(target), rows, columns, 0, 4);
        int64_t vectors = tile.columns / Lanes(target, 4);
        EXPECT_LE(tile.rows * vectors + vectors + 1, target.vector_registers);
        EXPECT_TRUE(rows < 0 || tile.rows <= rows);
      }
    }
  }
}

}  // namespace
}  // namespace weft::backends
