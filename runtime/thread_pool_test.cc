#include "runtime/thread_pool.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "gtest/gtest.h"

namespace weft::runtime {
namespace {

struct Seen {
  std::mutex mutex;
  std::vector<int64_t> steps;
};

int32_t Note(void* context, int64_t index, void* /*closure*/) {
  auto* seen = static_cast<Seen*>(context);
  std::lock_guard<std::mutex> lock(seen->mutex);
  seen->steps.push_back(index);
  return index == 5 ? 7 : 0;
}

TEST(ThreadPool, AlonePassesOnceInTheWantedDirection) {
  ThreadPool pool(1, false);
  ASSERT_TRUE(pool.Begin());
  Seen forwards, backwards;
  EXPECT_EQ(pool.ParallelFor(Note, &forwards, 6, nullptr, false), 7);
  EXPECT_EQ(pool.ParallelFor(Note, &backwards, 6, nullptr, true), 7);
  pool.End();
  EXPECT_EQ(forwards.steps, (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(backwards.steps, (std::vector<int64_t>{5, 4, 3, 2, 1, 0}));
}

TEST(ThreadPool, EveryStepRunsOnceWhateverTheNumberOfThreads) {
  for (int threads : {2, 3, 5}) {
    for (int64_t count : {1, 2, 7, 64, 101}) {
      for (bool backwards : {false, true}) {
        ThreadPool pool(threads, false);
        ASSERT_TRUE(pool.Begin());
        Seen seen;
        EXPECT_EQ(pool.ParallelFor(Note, &seen, count, nullptr, backwards), count > 5 ? 7 : 0);
        pool.End();
        std::sort(seen.steps.begin(), seen.steps.end());
        std::vector<int64_t> wanted;
        for (int64_t i = 0; i < count; ++i) wanted.push_back(i);
        EXPECT_EQ(seen.steps, wanted) << threads << " threads";
      }
    }
  }
}

}  // namespace
}  // namespace weft::runtime
