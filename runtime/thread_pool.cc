#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <limits>
#include <system_error>

namespace weft::runtime {
namespace {

// Where this thread is while it runs a task.
struct Place {
  const ThreadPool* pool = nullptr;  // whose task it runs; null: none's
  size_t thread = 0;                 // its number there
  bool is_inner = false;             // the task is a step of a loop inside of a task
};
thread_local Place place;

void Relax(int& spins, int most) {
  // Another thread may need this processor for the very work that is waited for.
  if (++spins % most == 0) {
    sched_yield();
    return;
  }
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void PinThisThread(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

std::vector<int> AllowedProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return processors;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor)
    if (CPU_ISSET(processor, &set)) processors.push_back(processor);
  return processors;
}

constexpr int64_t kMostSteps = std::numeric_limits<int32_t>::max();  // positions have 32 bits

constexpr uint64_t Pack(uint64_t first, uint64_t end) { return first | (end << 32); }

}  // namespace

int ThreadPool::ProcessorCount() { return std::max<int>(1, static_cast<int>(AllowedProcessors().size())); }

ThreadPool::ThreadPool(int threads, bool pin)
    : parts_(static_cast<size_t>(std::clamp(threads, 1, 1024))), inner_loops_(parts_.size()) {
  if (pin) processors_ = AllowedProcessors();
  if (this->threads() > ProcessorCount()) most_spins_ = 16, most_idle_spins_ = 0;
  // More threads than processors: pinning would make them take turns where the system could do better.
  if (static_cast<int>(processors_.size()) < this->threads()) processors_.clear();
  try {
    for (int thread = 1; thread < this->threads(); ++thread)
      workers_.emplace_back([this, thread] { Work(thread); });
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the parts of all.
  }
  // After the workers are made, or they would begin on this processor and have to wait for it.
  if (!processors_.empty()) PinThisThread(processors_[0]);
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(sleep_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::Begin() {
  if (taken_.exchange(true, std::memory_order_acquire)) return false;
  if (workers_.empty()) return true;
  spinning_.store(true, std::memory_order_release);
  {
    std::lock_guard<std::mutex> lock(sleep_);
    active_ = true;
  }
  wake_.notify_all();
  return true;
}

void ThreadPool::End() {
  if (!workers_.empty()) {
    std::lock_guard<std::mutex> lock(sleep_);
    active_ = false;
    spinning_.store(false, std::memory_order_release);
  }
  taken_.store(false, std::memory_order_release);
}

void ThreadPool::Work(int thread) {
  if (!processors_.empty()) PinThisThread(processors_[static_cast<size_t>(thread)]);
  uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock<std::mutex> lock(sleep_);
      wake_.wait(lock, [&] { return active_ || stop_; });
      if (stop_) return;
    }
    int spins = 0, idle = 0;
    while (idle <= most_idle_spins_) {
      bool is_running = spinning_.load(std::memory_order_acquire);
      uint64_t round = round_.load(std::memory_order_acquire);
      if (!is_running || round == seen) {
        idle = is_running ? 0 : idle + 1;
        Relax(spins, most_spins_);
        continue;
      }
      seen = round;
      RunParts(thread);
      Help(thread, round);
      spins = 0;
    }
  }
}

void ThreadPool::RunParts(int thread) {
  size_t count = parts_.size();
  for (size_t k = 0; k < count; ++k) {
    Part& part = parts_[(static_cast<size_t>(thread) + k) % count];
    uint64_t left = part.left.load(std::memory_order_relaxed);
    while (true) {
      uint64_t first = left & 0xffffffffu, end = left >> 32;
      if (first >= end) break;
      // Small bites at the end, so that the last ones can be shared.
      uint64_t bite = std::max<uint64_t>(1, (end - first) / 4);
      if (!part.left.compare_exchange_weak(left, Pack(first + bite, end), std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
        continue;
      // Nobody starts another loop before these are done, so the fields are those of this one.
      place = {this, static_cast<size_t>(thread), false};
      for (uint64_t i = first; i < first + bite; ++i) {
        uint64_t step = backwards_ ? part.first + part.end - 1 - i : i;
        int32_t result = task_(context_, base_ + static_cast<int64_t>(step), closure_);
        if (result != 0) result_.store(result, std::memory_order_relaxed);
      }
      place = {};
      unfinished_.fetch_sub(static_cast<int64_t>(bite), std::memory_order_acq_rel);
      left = part.left.load(std::memory_order_relaxed);
    }
  }
}

void ThreadPool::RunSlice(int64_t base, int64_t count) {
  base_ = base;
  unfinished_.store(count, std::memory_order_relaxed);
  int64_t threads = static_cast<int64_t>(parts_.size());
  for (int64_t k = 0; k < threads; ++k) {
    Part& part = parts_[static_cast<size_t>(k)];
    part.first = static_cast<uint64_t>(count * k / threads);
    part.end = static_cast<uint64_t>(count * (k + 1) / threads);
    part.left.store(Pack(part.first, part.end), std::memory_order_release);
  }
  round_.fetch_add(1, std::memory_order_release);
  RunParts(0);
  Help(0, round_.load(std::memory_order_relaxed));
}

void ThreadPool::Help(int thread, uint64_t round) {
  size_t count = inner_loops_.size();
  int spins = 0;
  while (unfinished_.load(std::memory_order_acquire) != 0 &&
         round_.load(std::memory_order_acquire) == round) {
    bool helped = false;
    for (size_t k = 1; k < count; ++k)
      helped |= TakeSteps(inner_loops_[(static_cast<size_t>(thread) + k) % count]);
    if (!helped) Relax(spins, most_spins_);
  }
}

bool ThreadPool::TakeSteps(InnerLoop& loop) {
  uint64_t left = loop.left.load(std::memory_order_relaxed);
  int64_t done = 0;
  const Place before = place;
  while (true) {
    uint64_t first = left & 0xffffffffu, end = left >> 32;
    if (first >= end) break;
    // Few at a time: who helps comes when there is nothing else to do, and all end together.
    uint64_t bite = std::max<uint64_t>(1, (end - first) / (8 * parts_.size()));
    if (!loop.left.compare_exchange_weak(left, Pack(first + bite, end), std::memory_order_acq_rel,
                                         std::memory_order_relaxed))
      continue;
    // Its thread does not begin another loop before these are done, so the fields are those of this one.
    place = {this, before.thread, true};
    for (uint64_t i = first; i < first + bite; ++i) {
      auto step = static_cast<int64_t>(i);
      int32_t result = loop.task(loop.context, loop.backwards ? loop.count - 1 - step : step, loop.closure);
      if (result != 0) loop.result.store(result, std::memory_order_relaxed);
    }
    done += static_cast<int64_t>(bite);
    left = loop.left.load(std::memory_order_relaxed);
  }
  if (done == 0) return false;
  place = before;
  loop.unfinished.fetch_sub(done, std::memory_order_acq_rel);
  return true;
}

int32_t ThreadPool::RunInner(Task task, void* context, int64_t count, void* closure, bool backwards) {
  InnerLoop& loop = inner_loops_[place.thread];
  loop.task = task;
  loop.context = context;
  loop.closure = closure;
  loop.count = count;
  loop.backwards = backwards;
  loop.result.store(0, std::memory_order_relaxed);
  loop.unfinished.store(count, std::memory_order_relaxed);
  loop.left.store(Pack(0, static_cast<uint64_t>(count)), std::memory_order_release);
  TakeSteps(loop);
  int spins = 0;
  while (loop.unfinished.load(std::memory_order_acquire) != 0) Relax(spins, most_spins_);
  return loop.result.load(std::memory_order_relaxed);
}

int32_t ThreadPool::InTurn(Task task, void* context, int64_t count, void* closure, bool backwards) {
  int32_t result = 0;
  for (int64_t i = 0; i < count; ++i) {
    int32_t failure = task(context, backwards ? count - 1 - i : i, closure);
    if (failure != 0) result = failure;
  }
  return result;
}

int32_t ThreadPool::ParallelFor(Task task, void* context, int64_t count, void* closure, bool backwards) {
  if (count <= 1 || workers_.empty()) return InTurn(task, context, count, closure, backwards);
  if (place.pool != nullptr) {
    bool is_divided = place.pool == this && !place.is_inner && count <= kMostSteps;
    return is_divided ? RunInner(task, context, count, closure, backwards)
                      : InTurn(task, context, count, closure, backwards);
  }
  backwards_ = backwards;
  task_ = task;
  context_ = context;
  closure_ = closure;
  result_.store(0, std::memory_order_relaxed);
  for (int64_t base = 0; base < count; base += kMostSteps) RunSlice(base, std::min(kMostSteps, count - base));
  return result_.load(std::memory_order_relaxed);
}

}  // namespace weft::runtime
