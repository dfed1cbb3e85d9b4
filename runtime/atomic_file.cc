#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "runtime/interruption.h"

namespace weft::runtime {
namespace {

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Status WriteFileAtomically(const std::string& path, std::string_view bytes, unsigned mode) {
  auto failure = [&] { return InvalidArgument("cannot write " + path + ": " + std::strerror(errno)); };
  struct stat info;
  bool exists = stat(path.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) {
    int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return failure();
    bool written = WriteAll(descriptor, bytes);
    int error = errno;
    close(descriptor);
    errno = error;
    return written ? Status() : failure();
  }
  static std::atomic<int> counter{0};
  std::string temporary = path + "." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".tmp";
  InterruptionHeld held;  // between making the temporary file and renaming it
  int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return failure();
  bool good = WriteAll(descriptor, bytes) &&
              (!exists || fchmod(descriptor, (info.st_mode | (mode & 0111)) & 0777) == 0);
  good = (close(descriptor) == 0) && good && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (good) return {};
  int error = errno;
  unlink(temporary.c_str());
  errno = error;
  return failure();
}

}  // namespace weft::runtime
