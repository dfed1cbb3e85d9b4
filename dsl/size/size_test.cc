#include "dsl/size/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::dsl {
namespace {

const Size H = Size::Symbol(1, "H", 32, 8192, 32);
const Size W = Size::Symbol(2, "W", 1, 8192);
const Size N = Size::Symbol(3, "N", 1);

TEST(SizeTest, EqualFormsAreOneSize) {
  EXPECT_EQ(H + W - H, W);
  EXPECT_EQ((H + Size(1)) * (H - Size(1)), H * H - Size(1));
  EXPECT_EQ(*ExactDiv(N * W, W) * W, N * W);
  EXPECT_FALSE(H == W);
}

TEST(SizeTest, DivPullsOutWholeMultiples) {
  EXPECT_EQ(FloorDiv(Size(2) * N - Size(1), Size(2)), N - Size(1));
  EXPECT_EQ(FloorDiv(H, Size(2)).ToString(), "H/2");  // the step of H makes it whole
  EXPECT_EQ(FloorDiv(W, Size(2)).ToString(), "W div 2");
  EXPECT_EQ(FloorDiv(W + Size(5), Size(2)), FloorDiv(W + Size(1), Size(2)) + Size(2));
  EXPECT_EQ(FloorDiv(Size(-1), Size(2)), Size(-1));
  EXPECT_EQ(FloorDiv(N, Size(0)), Size(0));
}

TEST(SizeTest, DivCancelsWhatBothSidesHave) {
  EXPECT_EQ(FloorDiv(N * W + N, N * Size(4) * H).ToString(), "(W + 1) div (4*H)");
  EXPECT_EQ(FloorDiv(W * (N + Size(1)), Size(2) * N + Size(2)).ToString(), "W div 2");
  EXPECT_EQ(FloorDiv(W * N + W, (N + Size(1)) * (H + Size(1))).ToString(), "W div (H + 1)");
  EXPECT_EQ(FloorDiv(Size(2) * W, Size(6)), FloorDiv(W, Size(3)));
  EXPECT_EQ(FloorDiv(W * N + W + Size(1), Size(2) * N + Size(2)).ToString(), "(W*N + W + 1) div (2*N + 2)");
  EXPECT_EQ(FloorDiv(W * N, Size(2) * N - W).ToString(), "W*N div (2*N - W)");
}

TEST(SizeTest, ModIsWhatDivLeaves) {
  EXPECT_EQ(Mod(H, Size(32)), Size(0));
  EXPECT_EQ(Mod(W, Size(7)).ToString(), "W % 7");
  EXPECT_EQ(Mod(Size(-1), Size(4)), Size(3));
  EXPECT_EQ(Mod(Size(2) * W, Size(6)).ToString(), "2*W % 6");
}

TEST(SizeTest, ExactDivisionOfPolynomials) {
  EXPECT_EQ(*ExactDiv(N * N - Size(1), N - Size(1)), N + Size(1));
  EXPECT_FALSE(ExactDiv(N + Size(1), W).has_value());
  EXPECT_FALSE(ExactDiv(N, Size(0)).has_value());
}

TEST(SizeTest, SubstitutesAndEvaluates) {
  Size size = FloorDiv(W + Size(2) - Size(3), Size(2)) + Size(1);
  EXPECT_EQ(size.Evaluate({{2, 224}}), 112);
  EXPECT_EQ(size.Substitute({{2, Size(7)}}), Size(4));
  EXPECT_EQ(size.Evaluate({}), std::nullopt);
  EXPECT_EQ(Size::FloorReal(0.709, W, 0).Evaluate({{2, 100}}), 70);
}

TEST(SizeTest, SpeaksTheWordsOfTheFile) {
  EXPECT_EQ((Size(2) * W + Size(1)).ToString(), "2*W + 1");
  EXPECT_EQ((Size(4) - W).ToString(), "4 - W");
  EXPECT_EQ((FloorDiv(W - Size(1), Size(2)) + Size(1)).ToString(), "(W + 1) div 2");
  EXPECT_EQ(Minimum(W, N).ToString(), "minimum(W, N)");
  EXPECT_EQ(Size().ToString(), "0");
}

TEST(SizeTest, NumbersBeyond64BitsAreNothingKnown) {
  Size huge = Size(INT64_MAX) * Size(4);
  EXPECT_EQ(huge.AsInteger(), std::nullopt);
  EXPECT_EQ((huge * huge).AsInteger(), std::nullopt);
}

}  // namespace
}  // namespace weft::dsl
