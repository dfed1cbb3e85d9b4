#ifndef WEFT_BACKENDS_HOST_LINK_H_
#define WEFT_BACKENDS_HOST_LINK_H_

// From objects (ELF bytes) and the runtime library to what a user takes away. Runs `cc` (and for archives
// `objcopy` and `ar`); a program that is missing is an error that says so. Files in between lie in a
// temporary folder; nothing is left behind when the compiler is interrupted.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace weft::backends {

struct Linked {
  std::string bytes;               // of the file
  std::vector<std::string> files;  // that the linker read, but for the objects: the user's, the system's
};

// `files`: a user's objects, archives and shared libraries that go in. `sanitize`: with the run-time
// libraries of the sanitizers.
absl::StatusOr<Linked> LinkExecutable(const std::vector<std::string>& objects,
                                      const std::vector<std::string>& files, bool sanitize);
// A shared library that shows nothing but these functions.
absl::StatusOr<Linked> LinkSharedLibrary(const std::vector<std::string>& objects,
                                         const std::vector<std::string>& files,
                                         const std::vector<std::string>& exports, bool sanitize);
// One object, the runtime library in it, in which all but these functions are local: several can go into one
// program. It needs the C++ library, libm and libpthread, and the shared libraries among the files.
absl::StatusOr<Linked> LinkObject(const std::vector<std::string>& objects,
                                  const std::vector<std::string>& files,
                                  const std::vector<std::string>& exports);
// The same as an archive.
absl::StatusOr<Linked> LinkArchive(const std::vector<std::string>& objects,
                                   const std::vector<std::string>& files,
                                   const std::vector<std::string>& exports);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_LINK_H_
