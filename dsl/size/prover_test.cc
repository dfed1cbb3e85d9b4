#include "dsl/size/prover.h"

#include <gtest/gtest.h>

namespace weft::dsl {
namespace {

const Size L = Size::Symbol(1, "L", 1), A = Size::Symbol(2, "A", 1), B = Size::Symbol(3, "B", 1);
const Size i = Size::Symbol(10, "i"), j = Size::Symbol(11, "j");

TEST(ProverTest, PlainIndicesAndShifts) {
  Prover prover;
  prover.AddIndex(10, 0, L - Size(1));
  EXPECT_TRUE(prover.IsInside(i, L));
  EXPECT_TRUE(prover.IsInside(i + Size(1), L));
  EXPECT_FALSE(prover.IsInside(i + Size(2), L));
  EXPECT_FALSE(prover.IsInside(i - Size(1), L));
}

TEST(ProverTest, StridedPositions) {
  Prover prover;
  prover.AddIndex(10, 0, FloorDiv(L - Size(3), Size(2)) + Size(1));
  prover.AddIndex(11, 0, 3);
  EXPECT_TRUE(prover.IsInside(Size(2) * i + j, L));
  EXPECT_FALSE(prover.IsInside(Size(2) * i + j + Size(1), L));
}

TEST(ProverTest, MixedRadix) {
  Prover prover;
  prover.AddIndex(10, 0, A);
  prover.AddIndex(11, 0, B);
  EXPECT_TRUE(prover.IsInside(i * B + j, A * B));
  EXPECT_FALSE(prover.IsInside(i * B + j + Size(1), A * B));
}

TEST(ProverTest, DivAndModOfAnIndex) {
  Prover prover;
  prover.AddIndex(10, 0, A * Size(4));
  EXPECT_TRUE(prover.IsInside(FloorDiv(i, Size(4)), A));
  EXPECT_TRUE(prover.IsInside(Mod(i, Size(4)), Size(4)));
  EXPECT_FALSE(prover.IsInside(FloorDiv(i, Size(3)), A));
  Prover scaled;  // i*A div L < A
  scaled.AddIndex(10, 0, L);
  EXPECT_TRUE(scaled.IsInside(FloorDiv(i * A, L), A));
}

TEST(ProverTest, MinimumAndMaximum) {
  Prover prover;
  prover.AddIndex(10, 0, L);
  EXPECT_TRUE(prover.IsInside(Minimum(i + Size(1), L - Size(1)), L));
  EXPECT_TRUE(prover.IsInside(Maximum(i - Size(1), Size(0)), L));
  EXPECT_FALSE(prover.IsInside(Maximum(i + Size(1), Size(0)), L));
}

TEST(ProverTest, WhatContainsTheRestComesFirst) {
  const Size few = Minimum(A, Size(9)) + Minimum(B, Size(9));
  Prover prover;
  prover.AddIndex(10, 0, few);
  prover.AddIndex(11, 0, i);
  EXPECT_TRUE(prover.IsInside(j, few));
  EXPECT_TRUE(prover.AtMost(Maximum(0, few - Size(1)), few));
  EXPECT_FALSE(prover.AtMost(Maximum(0, few + Size(1)), few));
}

TEST(ProverTest, IndicesGoToTheEndOfTheirRangesFirst) {
  const Size axis = Minimum(A, FloorDiv(B, L)), value = Size::Symbol(12, "value");
  Prover prover;
  prover.AddIndex(10, 0, Minimum(value, axis));
  EXPECT_TRUE(prover.IsInside(i, axis));
  EXPECT_FALSE(prover.IsInside(i + Size(1), axis));
  Prover lists;  // an index of five lists, whose lengths have ranges themselves
  Size list;
  for (int k = 20; k < 25; ++k) list = list + Minimum(Size::Symbol(k, "found"), Size(9));
  for (int k = 20; k < 25; ++k) lists.AddIndex(k, 0, B);
  lists.AddIndex(11, 0, Maximum(0, list - Size(1)));
  EXPECT_TRUE(lists.IsInside(j, list));
  EXPECT_FALSE(lists.IsInside(j + Size(2), list));
}

TEST(ProverTest, PositionsAmongRoundedUpSizes) {
  const Size cells = Size(0) - FloorDiv(Size(0) - L, Size(32));
  Prover prover;
  prover.AddIndex(10, 0, Size(2) * cells);
  EXPECT_TRUE(prover.IsPositive(Size(2) * cells - Size(1)));
  EXPECT_FALSE(prover.IsPositive(Size(2) * cells - Size(2)));
  EXPECT_TRUE(prover.IsPositive(Size(3) - Size(2) * FloorDiv(Size(1) - L, Size(2))));
  EXPECT_FALSE(prover.IsPositive(Size(2) * FloorDiv(L + Size(1), Size(2)) - Size(2)));
  EXPECT_TRUE(prover.IsInside(FloorDiv(i * cells, Size(2) * cells), cells));
  EXPECT_FALSE(prover.IsInside(FloorDiv(i * cells, cells), cells));
}

TEST(ProverTest, PositionsAmongTwiceASum) {
  for (const Size& rows :
       {FloorDiv(L, Size(2)) + Size(2), FloorDiv(L, Size(4)) - FloorDiv(Size(0) - L, Size(3))}) {
    Prover prover;
    prover.AddIndex(10, 0, Size(2) * rows);
    EXPECT_TRUE(prover.IsInside(FloorDiv(i * rows, Size(2) * rows), rows)) << rows.ToString();
    EXPECT_FALSE(prover.IsInside(FloorDiv(i * rows, Size(2) * rows), rows - Size(1))) << rows.ToString();
  }
}

TEST(ProverTest, FactsAndRefutation) {
  Prover prover;
  prover.AddIndex(10, 0, A + B);
  EXPECT_FALSE(prover.IsInside(i - A, B));
  prover.AddFact({Fact::Kind::kNatural, i - A});
  EXPECT_TRUE(prover.IsInside(i - A, B));
  EXPECT_TRUE(prover.IsOutside(i + A + B, A + B));
}

TEST(ProverTest, NotZeroMeansBeyondTheEnd) {
  Prover prover;
  prover.AddIndex(10, 0, A + Size(1));
  EXPECT_FALSE(prover.IsInside(i - Size(1), A));
  prover.AddFact({Fact::Kind::kNonzero, i});
  EXPECT_TRUE(prover.IsInside(i - Size(1), A));
  EXPECT_FALSE(prover.IsInside(i, A));
}

TEST(ProverTest, QuotientsByTheirCorners) {
  Prover prover;
  prover.AddIndex(10, 0, 12);
  EXPECT_TRUE(prover.IsInside(FloorDiv(i, Size(4)) * Size(5), Size(11)));
  EXPECT_FALSE(prover.IsInside(FloorDiv(i, Size(4)) * Size(5), Size(10)));
}

}  // namespace
}  // namespace weft::dsl
