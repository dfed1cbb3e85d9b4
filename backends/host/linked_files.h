#ifndef WEFT_BACKENDS_HOST_LINKED_FILES_H_
#define WEFT_BACKENDS_HOST_LINKED_FILES_H_

// Files of a user that go into a program: objects, archives, shared libraries.

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace weft::backends {

// The names that the files offer to a linker. Errors name the file: it cannot be read, or is of no such kind.
absl::StatusOr<std::set<std::string>> OfferedSymbols(const std::vector<std::string>& files);

bool IsSharedLibrary(const std::string& file);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_LINKED_FILES_H_
