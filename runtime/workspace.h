#ifndef WEFT_RUNTIME_WORKSPACE_H_
#define WEFT_RUNTIME_WORKSPACE_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/thread_pool.h"
#include "runtime/weft.h"

namespace weft::runtime {

// Memory at a multiple of 64 bytes that grows and never shrinks; much of it is in large pages.
class Buffer {
 public:
  static constexpr int64_t kAlignment = 64;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  // At least `bytes`; what was inside is lost if it grows. False: there is not so much memory.
  bool Reserve(int64_t bytes);
  void Free();
  // What lies there is never touched: an error where the program has AddressSanitizer.
  void Forbid(int64_t offset, int64_t bytes);
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
  // Whether loops go from their end to the front. They do in every other step of a recurrence: what the last
  // loops of one step left in the cache, as weights, serves the first ones of the next.
  bool backwards = false;

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
