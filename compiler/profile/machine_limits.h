#ifndef WEFT_COMPILER_PROFILE_MACHINE_LIMITS_H_
#define WEFT_COMPILER_PROFILE_MACHINE_LIMITS_H_

// What this machine reaches at most: the limits of a roofline. They are measured, not computed: neither the
// clock under load nor what memory gives stands in a processor's description.

#include <array>
#include <cstdint>

#include "backends/schedule/target.h"
#include "compiler/cache/object_cache.h"

namespace weft::profile {

// Where bytes lie, the nearest first.
constexpr std::array<const char*, 4> kMemoryNames = {"L1", "L2", "L3", "memory"};

// What some number of threads reach together.
struct Reached {
  int threads = 1;
  double flops = 0;                   // multiply-adds of f32 in registers, two operations each, in a second
  std::array<double, 4> bandwidth{};  // reading, bytes in a second, by level
  std::array<int64_t, 4> capacity{};  // bytes that the threads' caches hold, by level; of the last: no limit

  // Of reading from the nearest memory that holds so many bytes.
  double SpeedOf(double bytes) const;
};

struct MachineLimits {
  Reached one, all;
};

// Of `threads` threads, the machine's as `target` (of "host") describes it: the most that was ever measured,
// in the cache for this processor and number of threads. Measured now, which takes about a second, if nothing
// is there, or `again`: what disturbed one measurement does not disturb all.
MachineLimits LimitsOf(const backends::Target& target, int threads, bool again,
                       const cache::ObjectCache& cache);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_MACHINE_LIMITS_H_
