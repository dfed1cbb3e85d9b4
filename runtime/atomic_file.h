#ifndef WEFT_RUNTIME_ATOMIC_FILE_H_
#define WEFT_RUNTIME_ATOMIC_FILE_H_

#include <string>
#include <string_view>

#include "runtime/status.h"

namespace weft::runtime {

// Writes `bytes` to `path`, whole or not at all: into a new file beside it that then takes its name. A path
// that is no regular file (/dev/stdout, a pipe) is written as it is. A new file has `mode` less the umask, an
// old one keeps its own. Errors name the path.
Status WriteFileAtomically(const std::string& path, std::string_view bytes, unsigned mode = 0666);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_ATOMIC_FILE_H_
