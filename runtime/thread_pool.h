#ifndef WEFT_RUNTIME_THREAD_POOL_H_
#define WEFT_RUNTIME_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace weft::runtime {

// Runs the parallel loops of one inference at a time. Every thread has a fixed part of a loop (so that data
// stays in its caches); who is done early takes what others have not begun, then steps of loops inside of the
// tasks that others are at. Waking a worker costs more than most kernels: it spins between Begin and End, and
// a while after, where the next inference may follow at once; then it sleeps.
class ThreadPool {
 public:
  using Task = int32_t (*)(void* context, int64_t index, void* closure);

  // `threads` counts the caller. Pinned, thread k keeps to the k-th processor that the process may use; the
  // thread that makes the pool is the first.
  ThreadPool(int threads, bool pin);
  ~ThreadPool();

  // The processors that this process may use.
  static int ProcessorCount();

  int threads() const { return static_cast<int>(parts_.size()); }

  // Takes the pool for one inference on this thread; false: another thread has it.
  bool Begin();
  void End();

  // Runs task(context, i, closure) for 0 <= i < count; returns a result that is not 0 if there is one. Only
  // between Begin and End, on that thread; or from inside a task: the calling thread runs such an inner loop
  // with those that have nothing else to do, and what is inside of that alone. Every thread goes through its
  // part from the front, or from its end.
  int32_t ParallelFor(Task task, void* context, int64_t count, void* closure, bool backwards);

  // The same on the calling thread, without a pool.
  static int32_t InTurn(Task task, void* context, int64_t count, void* closure, bool backwards);

 private:
  // A thread's part, and how many of its steps are left: first in the lower half, end in the upper half.
  struct alignas(64) Part {
    std::atomic<uint64_t> left{0};
    uint64_t first = 0, end = 0;
  };

  // The loop inside of the task that a thread is at. Its fields are written before its steps are published,
  // and read only by who has taken some.
  struct alignas(64) InnerLoop {
    std::atomic<uint64_t> left{0};  // as a part's
    std::atomic<int64_t> unfinished{0};
    std::atomic<int32_t> result{0};
    bool backwards = false;
    Task task = nullptr;
    void* context = nullptr;
    void* closure = nullptr;
    int64_t count = 0;
  };

  void Work(int thread);
  void RunParts(int thread);
  void RunSlice(int64_t base, int64_t count);
  // Takes part in others' inner loops until the loop of this round is done.
  void Help(int thread, uint64_t round);
  // Runs steps of `loop` until all have been taken; false: they have been already.
  bool TakeSteps(InnerLoop& loop);
  int32_t RunInner(Task task, void* context, int64_t count, void* closure, bool backwards);

  std::vector<Part> parts_;
  std::vector<InnerLoop> inner_loops_;  // of every thread
  std::vector<std::thread> workers_;
  std::vector<int> processors_;     // empty: not pinned
  int most_spins_ = 4096;           // before others get the processor; few where threads must share one
  int most_idle_spins_ = 3000;      // behind End: some tens of microseconds, several times what waking takes
  std::atomic<bool> taken_{false};  // from Begin to End
  std::mutex sleep_;
  std::condition_variable wake_;
  bool active_ = false, stop_ = false;  // under sleep_
  std::atomic<bool> spinning_{false};
  std::atomic<uint64_t> round_{0};
  std::atomic<int64_t> unfinished_{0};
  std::atomic<int32_t> result_{0};
  // The loop that runs. Written before its parts are published, read only by who has taken some of it.
  Task task_ = nullptr;
  int64_t base_ = 0;
  bool backwards_ = false;
  void* context_ = nullptr;
  void* closure_ = nullptr;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_THREAD_POOL_H_
