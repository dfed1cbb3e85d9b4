#include "compiler/driver/program_in_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace weft::driver {

absl::StatusOr<int> HoldInMemory(const std::string& name, const std::string& executable) {
  int file = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  for (size_t done = 0; file >= 0 && done < executable.size();) {
    ssize_t count = ::write(file, executable.data() + done, executable.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot hold the program in memory: ", std::strerror(errno)));
    done += static_cast<size_t>(count);
  }
  if (file < 0)
    return absl::ResourceExhaustedError(absl::StrCat("cannot start the program: ", std::strerror(errno)));
  return file;
}

absl::Status Become(int file, std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::fexecve(file, arguments.data(), environ);
  return absl::InternalError(absl::StrCat("cannot start the program: ", std::strerror(errno)));
}

}  // namespace weft::driver
