#include "runtime/buffer.h"

#include <sys/mman.h>

#include <cstdlib>

// Of AddressSanitizer's library, where a program has it.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" __attribute__((weak)) void __asan_poison_memory_region(const volatile void* address, size_t bytes);

namespace weft::runtime {
namespace {

// Memory that is read straight through, as weights are, waits for page tables else.
constexpr int64_t kLargePage = int64_t{2} << 20, kWorthLargePages = 2 * kLargePage;

}  // namespace

char* AllocateAligned(int64_t bytes) {
  if (bytes < 0 || bytes > kMostBytes) return nullptr;
  int64_t alignment = bytes >= kWorthLargePages ? kLargePage : Buffer::kAlignment;
  int64_t whole = (bytes + Buffer::kAlignment) / Buffer::kAlignment * Buffer::kAlignment;
  void* memory = nullptr;
  if (posix_memalign(&memory, static_cast<size_t>(alignment), static_cast<size_t>(whole)) != 0)
    return nullptr;
  if (alignment == kLargePage) madvise(memory, static_cast<size_t>(whole), MADV_HUGEPAGE);  // or small ones
  return static_cast<char*>(memory);
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() { Free(); }

void Buffer::Free() {
  std::free(data_);
  data_ = nullptr;
  bytes_ = 0;
}

void Buffer::Forbid(int64_t offset, int64_t bytes) {
  if (__asan_poison_memory_region != nullptr)
    __asan_poison_memory_region(data_ + offset, static_cast<size_t>(bytes));
}

bool Buffer::Reserve(int64_t bytes) {
  if (data_ != nullptr && bytes <= bytes_) return true;
  Free();
  data_ = AllocateAligned(bytes);
  if (data_ == nullptr) return false;
  bytes_ = bytes;
  return true;
}

}  // namespace weft::runtime
