#ifndef WEFT_COMPILER_DRIVER_LINK_H_
#define WEFT_COMPILER_DRIVER_LINK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace weft::driver {

// Links objects (ELF bytes) with the runtime library into an executable or, with `exports`, a shared library that shows
// nothing but these functions. Runs `cc`; its absence is an error that says so. The file appears when it is complete.
absl::Status LinkExecutable(const std::vector<std::string>& objects, const std::string& output);
absl::Status LinkSharedLibrary(const std::vector<std::string>& objects, const std::vector<std::string>& exports,
                               const std::string& output);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_LINK_H_
