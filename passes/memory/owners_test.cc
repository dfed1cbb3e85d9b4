#include "passes/memory/owners.h"

#include <gtest/gtest.h>

#include <random>

#include "passes/memory/expect_valid.h"

namespace weft::passes {
namespace {

TEST(OwnersTest, CountsWhatOthersHad) {
  // The same halves; the second half of one in the first half of the other; in turns, each in all of the
  // other.
  std::vector<Block> two = {{.bytes = 1000, .first = 0, .last = 0}, {.bytes = 1000, .first = 1, .last = 1}};
  EXPECT_EQ(BytesOfOthers(two, {0, 0}, 2), 0);
  EXPECT_EQ(BytesOfOthers(two, {0, 500}, 2), 1000);
  EXPECT_EQ(BytesOfOthers(two, {0, 1000}, 2), 0);
  EXPECT_EQ(BytesOfOthers(two, {0, 500}, 1), 0);
  // A quarter of the threads is another one where the second of two lies a quarter further.
  EXPECT_EQ(BytesOfOthers(two, {0, 250}, 4), 1500);
}

TEST(OwnersTest, LargeAndSmallHaveTheirMiddlesInOnePlace) {
  std::vector<Block> chain = {{.bytes = 16384, .first = 0, .last = 1},
                              {.bytes = 8192, .first = 1, .last = 2},
                              {.bytes = 49152, .first = 2, .last = 3},
                              {.bytes = 12288, .first = 3, .last = 4}};
  Placement packed = PlaceBlocks(chain, 64);
  ASSERT_GT(BytesOfOthers(chain, packed.offsets, 2), 0);
  Placement placement = KeepOwners(chain, packed, 64, 2, PeakBytes(chain, 64) / 10 * 11);
  EXPECT_EQ(BytesOfOthers(chain, placement.offsets, 2), 0);
  EXPECT_EQ(placement.offsets[0] + 8192, placement.offsets[2] + 24576);
}

// More than can be looked at in all orders.
TEST(OwnersTest, ManyBlocksStayWhereTheyAre) {
  std::vector<Block> chain;
  for (int i = 0; i < 600; ++i) chain.push_back({.bytes = 1000 + i % 7 * 64, .first = i, .last = i + 1});
  Placement packed = PlaceBlocks(chain, 64);
  EXPECT_EQ(KeepOwners(chain, packed, 64, 2, 2 * packed.bytes).offsets, packed.offsets);
}

TEST(OwnersTest, RandomGraphsStayValidAndWithinTheirRoom) {
  std::mt19937 random(7);
  int64_t before = 0, after = 0;
  for (int graph = 0; graph < 6; ++graph) {
    std::vector<Block> blocks;
    for (int i = 0; i < 60; ++i)
      blocks.push_back({.bytes = static_cast<int64_t>(random() % 100000),
                        .first = i,
                        .last = i + 1 + static_cast<int64_t>(random() % 3)});
    Placement packed = PlaceBlocks(blocks, 64);
    int64_t room = PeakBytes(blocks, 64) / 10 * 11;
    Placement placement = KeepOwners(blocks, packed, 64, 2, room);
    EXPECT_LE(placement.bytes, std::max(room, packed.bytes));
    ExpectValid(blocks, placement, 64);
    before += BytesOfOthers(blocks, packed.offsets, 2);
    after += BytesOfOthers(blocks, placement.offsets, 2);
  }
  EXPECT_LT(after, before * 9 / 10);
}

// Whatever is placed first, another one may find no place.
TEST(OwnersTest, EndsWithoutRoomToMoveIn) {
  std::mt19937 random(3);
  for (int graph = 0; graph < 200; ++graph) {
    std::vector<Block> blocks;
    for (int i = 0; i < 12; ++i) {
      auto first = static_cast<int64_t>(random() % 4);
      blocks.push_back({.bytes = static_cast<int64_t>(random() % 8 * 64),
                        .first = first,
                        .last = first + static_cast<int64_t>(random() % 6)});
    }
    Placement packed = PlaceBlocks(blocks, 64);
    ExpectValid(blocks, KeepOwners(blocks, packed, 64, 2, packed.bytes), 64);
  }
}

}  // namespace
}  // namespace weft::passes
