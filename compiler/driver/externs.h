#ifndef WEFT_COMPILER_DRIVER_EXTERNS_H_
#define WEFT_COMPILER_DRIVER_EXTERNS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dsl/base/diagnostic.h"
#include "dsl/program/program.h"

namespace weft::driver {

// Reports every op in C that the program calls and none of the files has, at its first call. An error is a
// file that cannot be read.
absl::Status CheckExterns(const dsl::Program& program, const std::vector<std::string>& files,
                          dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_EXTERNS_H_
