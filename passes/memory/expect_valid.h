#ifndef WEFT_PASSES_MEMORY_EXPECT_VALID_H_
#define WEFT_PASSES_MEMORY_EXPECT_VALID_H_

// For tests: what every placement of blocks has to keep to.

#include <gtest/gtest.h>

#include <vector>

#include "passes/memory/interval_allocator.h"

namespace weft::passes {

inline void ExpectValid(const std::vector<Block>& blocks, const Placement& placement, int64_t alignment) {
  ASSERT_EQ(placement.offsets.size(), blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(placement.offsets[i] % alignment, 0);
    EXPECT_LE(placement.offsets[i] + blocks[i].bytes, placement.bytes);
    for (size_t j = 0; j < i; ++j) {
      bool together = blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
      bool apart = placement.offsets[i] + blocks[i].bytes <= placement.offsets[j] ||
                   placement.offsets[j] + blocks[j].bytes <= placement.offsets[i];
      EXPECT_TRUE(!together || apart) << "blocks " << i << " and " << j << " overlap";
    }
  }
}

}  // namespace weft::passes

#endif  // WEFT_PASSES_MEMORY_EXPECT_VALID_H_
