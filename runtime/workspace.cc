#include "runtime/workspace.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace weft::runtime {
namespace {

// Classes are four to the octave: a block is at most a quarter larger than asked.
int SizeClass(int64_t bytes, int64_t* class_bytes) {
  uint64_t size = static_cast<uint64_t>(bytes < 64 ? 64 : bytes) - 1;
  int octave = std::bit_width(size) - 1;
  uint64_t quarter = (size >> (octave - 2)) & 3;
  *class_bytes = static_cast<int64_t>((uint64_t{5 + quarter}) << (octave - 2));
  return (octave - 5) * 4 + static_cast<int>(quarter);
}

int32_t ParallelFor(Workspace& workspace, ThreadPool::Task task, int64_t count, void* closure,
                    bool backwards = false) {
  if (workspace.pool != nullptr)
    return workspace.pool->ParallelFor(task, &workspace, count, closure, backwards);
  return ThreadPool::InTurn(task, &workspace, count, closure, backwards);
}

}  // namespace

ScratchMemory::~ScratchMemory() {
  for (Shelf& shelf : shelves_) {
    for (Header*& list : shelf.free) {
      while (list != nullptr) {
        Header* next = list->next;
        std::free(list);
        list = next;
      }
    }
  }
}

ScratchMemory::Shelf& ScratchMemory::OfThisThread() {
  static std::atomic<size_t> threads{0};
  thread_local const size_t number = threads++;
  return shelves_[number % kShelves];
}

void* ScratchMemory::Allocate(int64_t bytes) {
  if (bytes < 0 || bytes > kMostBytes / 2) return nullptr;
  int64_t class_bytes = 0;
  int size_class = SizeClass(bytes, &class_bytes);
  {
    Shelf& shelf = OfThisThread();
    std::lock_guard<std::mutex> lock(shelf.mutex);
    if (Header* block = shelf.free[size_class]) {
      shelf.free[size_class] = block->next;
      return reinterpret_cast<char*>(block) + Buffer::kAlignment;
    }
  }
  char* block = AllocateAligned(class_bytes + Buffer::kAlignment);
  if (block == nullptr) return nullptr;
  *reinterpret_cast<Header*>(block) = {nullptr, size_class};
  return block + Buffer::kAlignment;
}

void ScratchMemory::Free(void* pointer) {
  if (pointer == nullptr) return;
  Header* block = reinterpret_cast<Header*>(static_cast<char*>(pointer) - Buffer::kAlignment);
  Shelf& shelf = OfThisThread();
  std::lock_guard<std::mutex> lock(shelf.mutex);
  block->next = shelf.free[block->size_class];
  shelf.free[block->size_class] = block;
}

int64_t NowNs() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

void* RunMemory::Allocate(int64_t bytes) {
  constexpr int64_t kLeastBlock = int64_t{1} << 16;
  int64_t rounded = (bytes + Buffer::kAlignment - 1) / Buffer::kAlignment * Buffer::kAlignment;
  while (block_ < blocks_.size() && used_ + rounded > blocks_[block_].bytes()) ++block_, used_ = 0;
  if (block_ == blocks_.size()) {
    Buffer block;
    if (!block.Reserve(std::max({rounded, kLeastBlock, this->bytes()}))) return nullptr;
    blocks_.push_back(std::move(block));
  }
  char* memory = blocks_[block_].data() + used_;
  used_ += rounded;
  return memory;
}

int64_t RunMemory::bytes() const {
  int64_t sum = 0;
  for (const Buffer& block : blocks_) sum += block.bytes();
  return sum;
}

int64_t Workspace::reserved_bytes() const {
  int64_t sum = arena.bytes() + plan.reserved_bytes() + kept.bytes();
  for (const std::vector<Buffer>* buffers : {&inputs, &outputs})
    for (const Buffer& buffer : *buffers) sum += buffer.bytes();
  return sum;
}

}  // namespace weft::runtime

using weft::runtime::ParallelFor;
using weft::runtime::Workspace;

extern "C" {

int32_t weft_launch(void* context, int32_t launch, weft::runtime::KernelFunction kernel, void* const* buffers,
                    const int64_t* extents) {
  auto* workspace = static_cast<Workspace*>(context);
  int32_t result = 0;
  if (!workspace->profiling) {
    result = kernel(context, buffers, extents);
  } else {
    std::vector<int64_t> sizes(extents, extents + workspace->table->launches[launch].extent_count);
    int64_t start = weft::runtime::NowNs();
    result = kernel(context, buffers, extents);
    workspace->events.push_back({launch, start, weft::runtime::NowNs() - start, std::move(sizes)});
  }
  if (result != 0) {
    const weft::runtime::LaunchTable& entry = workspace->table->launches[launch];
    const char* reason = result == 1   ? "its tensors are too large for the compiled code"
                         : result == 2 ? "there is not enough memory for its intermediate results"
                         : result == 3 ? "it read outside of a tensor"
                                       : "it reported an error";
    std::string place = std::string(entry.file) + ":" + std::to_string(entry.line) + ": ";
    // An op in C has left a text.
    workspace->error =
        place + (result == 4 ? workspace->error : std::string("`") + entry.path + "` failed: " + reason);
  }
  return result;
}

void weft_defer_launch(void* context, int32_t launch, weft::runtime::KernelFunction kernel,
                       void* const* buffers, int64_t buffer_count, const int64_t* extents,
                       int64_t extent_count) {
  static_cast<Workspace*>(context)->deferred.push_back(
      {launch, kernel, {buffers, buffers + buffer_count}, {extents, extents + extent_count}});
}

void* weft_keep(void* context, const void* data, int64_t bytes) {
  auto* workspace = static_cast<Workspace*>(context);
  void* copy = workspace->kept.Allocate(bytes);
  if (copy == nullptr) {
    workspace->error = "not enough memory for what changes of states: " + std::to_string(bytes) + " bytes";
    return nullptr;
  }
  return std::memcpy(copy, data, static_cast<size_t>(bytes));
}

int32_t weft_check_failed(void* context, const char* message, const int64_t* values, int32_t count) {
  std::string text;
  for (const char* at = message; *at != 0; ++at) {
    // {K} stands for value K.
    char* end = nullptr;
    if (at[0] == '{' && at[1] >= '0' && at[1] <= '9') {
      int64_t position = std::strtoll(at + 1, &end, 10);
      if (*end == '}' && position < count) {
        text += std::to_string(values[position]);
        at = end;
        continue;
      }
    }
    text += *at;
  }
  static_cast<Workspace*>(context)->error = text;
  return 1;
}

int32_t weft_plan_segment(void* context, int64_t segment) {
  auto* workspace = static_cast<Workspace*>(context);
  int64_t needed = 0;
  if (workspace->plan.Plan(segment, &needed)) return 0;
  workspace->error = "not enough memory for intermediate results: " + std::to_string(needed) + " bytes";
  return 1;
}

void* weft_reserve_output(void* context, int64_t output, int64_t bytes) {
  auto* workspace = static_cast<Workspace*>(context);
  weft::runtime::Buffer& buffer = workspace->outputs[static_cast<size_t>(output)];
  if (!buffer.Reserve(bytes)) {
    workspace->error = "not enough memory for an output: " + std::to_string(bytes) + " bytes";
    return nullptr;
  }
  return workspace->output_pointers[static_cast<size_t>(output)] = buffer.data();
}

void* weft_malloc(void* context, int64_t bytes) {
  return static_cast<Workspace*>(context)->scratch.Allocate(bytes);
}

void weft_free(void* context, void* pointer) { static_cast<Workspace*>(context)->scratch.Free(pointer); }

int32_t weft_parallel_for(void* context, int32_t (*task)(void* context, int64_t index, void* closure),
                          int64_t count, void* closure) {
  return ParallelFor(*static_cast<Workspace*>(context), task, count, closure);
}

void weft_begin_step(void* context, int64_t number) {
  static_cast<Workspace*>(context)->backwards = number % 2 != 0;
}

int halide_do_par_for(void* context, int (*task)(void* context, int index, uint8_t* closure), int first,
                      int count, uint8_t* closure) {
  struct Loop {
    int (*task)(void* context, int index, uint8_t* closure);
    int first;
    uint8_t* closure;
  } loop{task, first, closure};
  auto* workspace = static_cast<Workspace*>(context);
  return ParallelFor(
      *workspace,
      [](void* inner, int64_t index, void* data) -> int32_t {
        const Loop& halide = *static_cast<Loop*>(data);
        return halide.task(inner, halide.first + static_cast<int>(index), halide.closure);
      },
      count, &loop, workspace->backwards);
}

}  // extern "C"
