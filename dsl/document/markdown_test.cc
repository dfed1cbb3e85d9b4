#include "dsl/document/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::dsl {
namespace {

std::optional<std::string> MarkdownOf(const std::string& text) {
  SourceManager sources;
  Diagnostics diagnostics;
  return Markdown(sources, sources.Add("a.weft", text), diagnostics);
}

TEST(MarkdownTest, SignaturesAndTheirComments) {
  EXPECT_EQ(MarkdownOf("weft 0.1\n"
                       "/// Twice\n/// as much.\n"
                       "op twice(x: float) -> y: float { y = 2 * x }\n"
                       "op plain(x: float[N]) -> y: float\n    where N > 1\n{ y = x[0] }\n"
                       "test \"no part of what is offered\" { expect twice(1.0) == 2 }\n"),
            "## a.weft\n"
            "\n### twice\n\n```\nop twice(x: float) -> y: float\n```\n\nTwice\nas much.\n"
            "\n### plain\n\n```\nop plain(x: float[N]) -> y: float\n    where N > 1\n```\n");
}

TEST(MarkdownTest, ACommentBeforeABlankLineIsText) {
  EXPECT_EQ(MarkdownOf("weft 0.1\n\n/// Of the file.\n\n/// Of f.\nop f(x: float) -> y: float { y = x }\n\n"
                       "/// At the end.\n"),
            "## a.weft\n\nOf the file.\n"
            "\n### f\n\n```\nop f(x: float) -> y: float\n```\n\nOf f.\n\nAt the end.\n");
}

TEST(MarkdownTest, MembersWithoutBodies) {
  EXPECT_EQ(MarkdownOf("weft 0.1\nmodel M(n: int) {\n  param w: float[n] = 1\n  /// Applies it.\n"
                       "  forward(x: float[n]) -> y: float[n] { y = w * x }\n}\n"),
            "## a.weft\n\n### M\n\n```\nmodel M(n: int) {\n  param w: float[n] = 1\n  /// Applies it.\n"
            "  forward(x: float[n]) -> y: float[n]\n}\n```\n");
}

TEST(MarkdownTest, NothingOfAFileWithMistakes) { EXPECT_EQ(MarkdownOf("weft 0.1\nop f("), std::nullopt); }

}  // namespace
}  // namespace weft::dsl
