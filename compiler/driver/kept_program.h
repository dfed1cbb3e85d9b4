#ifndef WEFT_COMPILER_DRIVER_KEPT_PROGRAM_H_
#define WEFT_COMPILER_DRIVER_KEPT_PROGRAM_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::driver {

// The place in the cache of a linked program, by all that decides about it: the texts of its files, what of
// them is compiled and how, this compiler. Texts of stages have none, nor have programs with weights inside,
// which are as large as these. It is one compilation's: what changes while that goes on is not kept.
class KeptProgram {
 public:
  KeptProgram(const dsl::Program& program, const dsl::SourceManager& sources, const CompileOptions& options,
              const backends::Target& target);

  // Nothing where a file has changed since that went into the program. What was noted when it was compiled is
  // noted again.
  std::optional<Compiled> Find() const;

  // `notes`: what was noted.
  void Keep(const Compiled& compiled, const std::vector<std::string>& notes) const;

 private:
  std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
  const KernelOptions& options_;
  std::string key_;  // empty: has no place
};

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_KEPT_PROGRAM_H_
