#include "passes/memory/interval_allocator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "passes/memory/expect_valid.h"

namespace weft::passes {
namespace {

TEST(IntervalAllocatorTest, ChainNeedsTwoNeighbours) {
  std::vector<Block> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({.bytes = 1000, .first = i, .last = i + 1});
  Placement placement = PlaceBlocks(chain, 64);
  ExpectValid(chain, placement, 64);
  EXPECT_EQ(placement.bytes, 2048);
}

TEST(IntervalAllocatorTest, EmptyBlocksTakeNoRoom) {
  std::vector<Block> blocks = {{.bytes = 0, .first = 0, .last = 5}, {.bytes = 64, .first = 1, .last = 2}};
  EXPECT_EQ(PlaceBlocks(blocks, 64).bytes, 64);
  EXPECT_EQ(PlaceBlocks({}, 64).bytes, 0);
}

TEST(IntervalAllocatorTest, RandomGraphsAreValidAndNearTheBound) {
  std::mt19937 random(7);
  for (int graph = 0; graph < 50; ++graph) {
    std::vector<Block> blocks;
    for (int i = 0; i < 80; ++i)
      blocks.push_back({.bytes = static_cast<int64_t>(random() % 100000),
                        .first = i,
                        .last = i + 1 + static_cast<int64_t>(random() % 6)});
    Placement placement = PlaceBlocks(blocks, 64);
    ExpectValid(blocks, placement, 64);
    EXPECT_LE(placement.bytes, PeakBytes(blocks, 64) * 6 / 5);
  }
}

}  // namespace
}  // namespace weft::passes
