#ifndef WEFT_RUNTIME_BUFFER_H_
#define WEFT_RUNTIME_BUFFER_H_

#include <cstdint>
#include <utility>

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
  int64_t bytes() const { return bytes_; }

 private:
  char* data_ = nullptr;
  int64_t bytes_ = 0;
};

// What a mistaken size asks for must fail and not get into the middle of address arithmetic.
constexpr int64_t kMostBytes = int64_t{1} << 46;

// Memory for std::free at a multiple of Buffer::kAlignment. Null: there is not so much.
char* AllocateAligned(int64_t bytes);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_BUFFER_H_
