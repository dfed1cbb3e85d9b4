#ifndef WEFT_PASSES_MEMORY_INTERVAL_ALLOCATOR_H_
#define WEFT_PASSES_MEMORY_INTERVAL_ALLOCATOR_H_

// Places blocks of memory whose lifetimes are known in one arena.

#include <cstdint>
#include <vector>

namespace weft::passes {

// Alive from step `first` to step `last`, both included. `bytes` >= 0; an empty block takes no room.
struct Block {
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;
};

// Whether there is a step at which both are alive.
bool Overlap(const Block& a, const Block& b);

int64_t RoundUp(int64_t bytes, int64_t alignment);

struct Placement {
  std::vector<int64_t> offsets;  // one per block, multiples of the alignment
  int64_t bytes = 0;             // of the arena
};

// Blocks that are alive at the same step do not overlap. The arena is close to PeakBytes, not always at it:
// the exact problem is NP-hard. The same input gives the same placement on every machine.
Placement PlaceBlocks(const std::vector<Block>& blocks, int64_t alignment);

// The most bytes alive at one step, each block rounded up to the alignment: no arena can be smaller.
int64_t PeakBytes(const std::vector<Block>& blocks, int64_t alignment);

}  // namespace weft::passes

#endif  // WEFT_PASSES_MEMORY_INTERVAL_ALLOCATOR_H_
