#ifndef WEFT_COMPILER_DRIVER_PROGRAM_IN_MEMORY_H_
#define WEFT_COMPILER_DRIVER_PROGRAM_IN_MEMORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weft::driver {

// A descriptor of a file that lies in memory only, holds `executable` and can be executed. It is closed when
// another program begins.
absl::StatusOr<int> HoldInMemory(const std::string& name, const std::string& executable);

// Replaces this process by the program of such a file; words[0] is its name. Returns if that fails.
absl::Status Become(int file, std::vector<std::string> words);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_PROGRAM_IN_MEMORY_H_
