#include "runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
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

// A loop of three steps, each with a loop of its own.
struct Nested {
  ThreadPool* pool;
  int64_t steps;
  bool backwards;
  std::mutex mutex;
  std::vector<int64_t> seen;
  std::set<std::thread::id> threads;
};

int32_t NoteInner(void* context, int64_t index, void* closure) {
  auto* nested = static_cast<Nested*>(context);
  int64_t outer = *static_cast<int64_t*>(closure);
  std::lock_guard<std::mutex> lock(nested->mutex);
  nested->seen.push_back(outer * nested->steps + index);
  return outer == 2 && index == nested->steps - 1 ? 7 : 0;
}

int32_t RunNested(void* context, int64_t index, void* /*closure*/) {
  auto* nested = static_cast<Nested*>(context);
  return nested->pool->ParallelFor(NoteInner, context, nested->steps, &index, nested->backwards);
}

TEST(ThreadPool, EveryStepOfLoopsInsideOfTasksRunsOnce) {
  for (int threads : {1, 2, 3, 5}) {
    for (int64_t steps : {1, 2, 12, 1000}) {
      for (bool backwards : {false, true}) {
        ThreadPool pool(threads, false);
        Nested nested{&pool, steps, backwards, {}, {}, {}};
        ASSERT_TRUE(pool.Begin());
        EXPECT_EQ(pool.ParallelFor(RunNested, &nested, 3, nullptr, backwards), 7);
        pool.End();
        std::sort(nested.seen.begin(), nested.seen.end());
        std::vector<int64_t> wanted(static_cast<size_t>(3 * steps));
        std::iota(wanted.begin(), wanted.end(), 0);
        EXPECT_EQ(nested.seen, wanted) << threads << " threads, " << steps << " steps";
      }
    }
  }
}

// Runs until a second thread is there.
int32_t AwaitHelp(void* context, int64_t /*index*/, void* /*closure*/) {
  auto* nested = static_cast<Nested*>(context);
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < deadline) {
    std::lock_guard<std::mutex> lock(nested->mutex);
    nested->threads.insert(std::this_thread::get_id());
    if (nested->threads.size() > 1) break;
  }
  return 0;
}

int32_t RunLong(void* context, int64_t index, void* /*closure*/) {
  auto* nested = static_cast<Nested*>(context);
  return index < 2 ? 0 : nested->pool->ParallelFor(AwaitHelp, context, 4, nullptr, false);
}

TEST(ThreadPool, WhoIsDoneHelpsInsideOfTheLastTask) {
  ThreadPool pool(2, false);
  Nested nested{&pool, 0, false, {}, {}, {}};
  ASSERT_TRUE(pool.Begin());
  EXPECT_EQ(pool.ParallelFor(RunLong, &nested, 3, nullptr, false), 0);
  pool.End();
  EXPECT_EQ(nested.threads.size(), 2u);
}

}  // namespace
}  // namespace weft::runtime
