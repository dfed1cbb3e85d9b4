#ifndef WEFT_PASSES_MEMORY_OWNERS_H_
#define WEFT_PASSES_MEMORY_OWNERS_H_

// Which thread has memory in its caches. Every thread computes an even part of a block, in their order. What
// another thread wrote or read last comes from that one's caches, several times slower than from one's own;
// the more so where threads share no cache.

#include "passes/memory/interval_allocator.h"

namespace weft::passes {

// The bytes that were another thread's when their block begins to live, in a run that follows another one.
int64_t BytesOfOthers(const std::vector<Block>& blocks, const std::vector<int64_t>& offsets, int64_t threads);

// Moves blocks so that there are fewer of those; the arena has `most_bytes` at most, or stays as large as it
// is. The same input gives the same placement on every machine.
Placement KeepOwners(const std::vector<Block>& blocks, Placement placement, int64_t alignment,
                     int64_t threads, int64_t most_bytes);

}  // namespace weft::passes

#endif  // WEFT_PASSES_MEMORY_OWNERS_H_
