#ifndef WEFT_RUNTIME_INPUT_FILE_H_
#define WEFT_RUNTIME_INPUT_FILE_H_

#include <cstdint>
#include <string>

#include "runtime/status.h"

namespace weft::runtime {

// A file that is read. Never mapped: of a file that others shorten meanwhile, a page that is gone would end
// the process by a signal, where a read is short.
class InputFile {
 public:
  // Errors name the path and the reason; directories, devices and pipes are errors.
  static Result<InputFile> Open(const std::string& path);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  int64_t size() const { return size_; }  // when it was opened
  const std::string& path() const { return path_; }

  // The `count` bytes from `offset` on, to `to`. Errors name the path: the file has become shorter, or cannot
  // be read. From several threads at once too.
  Status Read(int64_t offset, char* to, int64_t count) const;
  Result<std::string> ReadAll() const;

 private:
  InputFile(std::string path, int descriptor, int64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_INPUT_FILE_H_
