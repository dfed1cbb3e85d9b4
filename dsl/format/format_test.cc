#include "dsl/format/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/lexer/lexer.h"

namespace weft::dsl {
namespace {

std::string Formatted(const std::string& text) {
  SourceManager sources;
  Diagnostics diagnostics;
  return Format(sources, sources.Add("test.weft", text), diagnostics).value_or("");
}

TEST(FormatTest, IndentsByBlocksAndContinuesByFour) {
  EXPECT_EQ(
      Formatted(
          "weft 0.1\nop f(x: float[N])\n-> y: float[N]\nwhere N > 1: \"m\"\n{\nz[n] = x[n]\n+ 1\ny = z }\n"),
      "weft 0.1\nop f(x: float[N])\n    -> y: float[N]\n    where N > 1: \"m\"\n{\n  z[n] = x[n]\n      + "
      "1\n  y = z }\n");
}

TEST(FormatTest, WhatLinesUpWithTheBracketGoesOnDoingSo) {
  EXPECT_EQ(
      Formatted("weft 0.1\nop f(x: float) -> y: float {\n      let a = [1,\n               2]\n  y = x }\n"),
      "weft 0.1\nop f(x: float) -> y: float {\n  let a = [1,\n           2]\n  y = x }\n");
}

TEST(FormatTest, OtherLinesInBracketsAreContinuations) {
  EXPECT_EQ(Formatted("weft 0.1\nlet a = [1,\n 2,\n3]\nlet b = [\n1,\n2\n]\n"),
            "weft 0.1\nlet a = [1,\n    2,\n    3]\nlet b = [\n  1,\n  2\n]\n");
}

TEST(FormatTest, SpacesBetweenTokens) {
  EXPECT_EQ(
      Formatted(
          "weft 0.1\nop f( x:float [ N ],i:int ;a :int=1 )->y:float[N]{y[n]=- x[ n ]^ 2*3 + x [n]- a}\n"),
      "weft 0.1\nop f(x: float[N], i: int; a: int = 1) -> y: float[N] { y[n] = -x[n]^2*3 + x[n] - a }\n");
}

TEST(FormatTest, KeepsCommentsAndOneFreeLine) {
  EXPECT_EQ(Formatted("// first\n\n\n\nweft 0.1   // version\n/// doc\nop f(x: float) -> y: float {\n\n\n// "
                      "why\n\n\ny = x\n// end\n\n}\n"),
            "// first\n\nweft 0.1   // version\n/// doc\nop f(x: float) -> y: float {\n  // why\n\n  y = x\n "
            " // end\n}\n");
}

TEST(FormatTest, MistakesAreReportedAndNothingIsGiven) {
  SourceManager sources;
  Diagnostics diagnostics;
  EXPECT_FALSE(Format(sources, sources.Add("test.weft", "weft 0.1\nop f(\n"), diagnostics).has_value());
  EXPECT_TRUE(diagnostics.has_errors());
}

}  // namespace
}  // namespace weft::dsl
