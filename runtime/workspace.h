#ifndef WEFT_RUNTIME_WORKSPACE_H_
#define WEFT_RUNTIME_WORKSPACE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/thread_pool.h"
#include "runtime/weft.h"

namespace weft::runtime {

// Memory at a multiple of 64 bytes that grows and never shrinks.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  // At least `bytes`; what was inside is lost if it grows. False: there is not so much memory.
  bool Reserve(int64_t bytes);
  void Free();
  char* data() const { return data_; }

 private:
  char* data_ = nullptr;
  int64_t bytes_ = 0;
};

// The short-lived memory of kernels. Blocks are kept for the next one of about the same size.
class ScratchMemory {
 public:
  ~ScratchMemory();
  void* Allocate(int64_t bytes);  // null: none left. Any thread.
  void Free(void* block);

 private:
  static constexpr int kClasses = 160;
  struct Header {
    Header* next;
    int64_t size_class;
  };
  std::mutex mutex_;
  Header* free_[kClasses] = {};
};

// Which way a loop goes: the same one forwards and backwards in turn, so that what the last steps of one run
// left in the cache serves the first steps of the next. The weights of a recurrence's step need it.
class Turns {
 public:
  // For this run of the loop whose code is at `task`. Loops that share a place only lose the gain.
  bool Backwards(uintptr_t task) {
    return backwards_[task / 16 % backwards_.size()].fetch_xor(1, std::memory_order_relaxed) != 0;
  }

 private:
  std::array<std::atomic<uint8_t>, 512> backwards_ = {};
};

struct ProfileEvent {
  int32_t launch;
  int64_t start_ns, duration_ns;  // since the clock's beginning
};

// Everything that one call of a program changes. Kernels get it as their context.
struct Workspace {
  ThreadPool* pool = nullptr;  // null: loops run on the calling thread
  const ProgramTable* table = nullptr;
  bool profiling = false;
  std::vector<ProfileEvent> events;
  std::string error;  // of the call, if generated code reports one

  Turns turns;
  ScratchMemory scratch;
  Buffer arena;
  std::vector<Buffer> slots, inputs, outputs;
  std::vector<weft_tensor> extern_tensors;  // of a call of C
  std::vector<int64_t> sizes;               // of the program's dimensions
  std::vector<const char*> size_origins;    // the inputs that they are from
  std::vector<int64_t> input_dims, output_dims, slot_bytes;
  std::vector<void*> slot_pointers, input_pointers, output_pointers;

  std::thread::id thread;      // of the last call
  bool lends_results = false;  // to the caller of the last call
  bool busy = false;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_WORKSPACE_H_
