#include "runtime/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace weft::runtime {
namespace {

Status Failure(const std::string& path, const char* reason) {
  return InvalidArgument("cannot read " + path + ": " + reason);
}

}  // namespace

Result<InputFile> InputFile::Open(const std::string& path) {
  // Without O_NONBLOCK a pipe that nobody writes would block here.
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return Failure(path, std::strerror(errno));
  InputFile file(path, descriptor, 0);
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return Failure(path, "it is no file");
  file.size_ = info.st_size;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept { *this = std::move(other); }

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status InputFile::Read(int64_t offset, char* to, int64_t count) const {
  while (count > 0) {
    ssize_t got = pread(descriptor_, to, static_cast<size_t>(count), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure(path_, std::strerror(errno));
    if (got == 0) return Failure(path_, "it has become shorter while it was read");
    offset += got, to += got, count -= got;
  }
  return {};
}

Result<std::string> InputFile::ReadAll() const {
  std::string bytes;
  try {
    bytes.resize(static_cast<size_t>(size_));
  } catch (const std::exception&) {
    return OutOfMemory("not enough memory for " + path_);
  }
  if (Status status = Read(0, bytes.data(), size_); !status.ok()) return status;
  return bytes;
}

}  // namespace weft::runtime
