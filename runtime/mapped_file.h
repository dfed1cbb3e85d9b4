#ifndef WEFT_RUNTIME_MAPPED_FILE_H_
#define WEFT_RUNTIME_MAPPED_FILE_H_

#include <string>
#include <string_view>

#include "runtime/status.h"

namespace weft::runtime {

// A file in memory, read-only, pages loaded when touched.
class MappedFile {
 public:
  // Errors name the path and the reason; directories, devices and pipes are errors.
  static Result<MappedFile> Open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }

  // Gives the memory back; it is read again if touched again.
  void ReleasePages() const;

 private:
  std::string_view bytes_;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAPPED_FILE_H_
