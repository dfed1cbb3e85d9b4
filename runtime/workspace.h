#ifndef WEFT_RUNTIME_WORKSPACE_H_
#define WEFT_RUNTIME_WORKSPACE_H_

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/memory_plan.h"
#include "runtime/program_table.h"
#include "runtime/thread_pool.h"
#include "runtime/weft.h"

namespace weft::runtime {

// The short-lived memory of kernels. Blocks are kept for the next one of about the same size, by threads
// apart: a kernel may ask for one in its innermost loop.
class ScratchMemory {
 public:
  ~ScratchMemory();
  void* Allocate(int64_t bytes);  // null: none left. Any thread.
  void Free(void* block);

 private:
  static constexpr int kClasses = 160, kShelves = 16;
  struct Header {
    Header* next;
    int64_t size_class;
  };
  struct alignas(64) Shelf {  // of some threads; no two share a line of the cache
    std::mutex mutex;
    Header* free[kClasses] = {};
  };
  Shelf& OfThisThread();

  std::array<Shelf, kShelves> shelves_;
};

// Memory that is given out until all of it is taken back at once; it stays for the next time.
class RunMemory {
 public:
  void* Allocate(int64_t bytes);  // null: none left
  void Clear() { block_ = 0, used_ = 0; }
  int64_t bytes() const;

 private:
  std::vector<Buffer> blocks_;
  size_t block_ = 0;  // from which memory is taken
  int64_t used_ = 0;  // of that block
};

struct ProfileEvent {
  int32_t launch;                       // -1: a run of a whole method
  int64_t start_ns, duration_ns;        // since the clock's beginning
  std::vector<int64_t> extents;         // the run-time sizes that the kernel was given
  const MethodTable* method = nullptr;  // of a run
};

// The clock of profiles.
int64_t NowNs();

// What is left to do when a run has succeeded.
struct DeferredLaunch {
  int32_t launch;
  KernelFunction kernel;
  std::vector<void*> buffers;
  std::vector<int64_t> extents;
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

  std::vector<DeferredLaunch> deferred;
  RunMemory kept;  // what these need of it

  ScratchMemory scratch;
  Buffer arena;
  MemoryPlan plan;
  std::vector<Buffer> inputs, outputs;
  std::vector<weft_tensor> extern_tensors;  // of a call of C
  std::vector<int64_t> sizes;               // of the program's dimensions
  std::vector<const char*> size_origins;    // the inputs that they are from
  std::vector<int64_t> input_dims, output_dims;
  std::vector<void*> input_pointers, output_pointers;

  std::thread::id thread;      // of the last call
  bool lends_results = false;  // to the caller of the last call
  bool busy = false;

  // Of what is kept for the next call, without the scratch memory.
  int64_t reserved_bytes() const;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_WORKSPACE_H_
