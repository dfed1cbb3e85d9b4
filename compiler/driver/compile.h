#ifndef WEFT_COMPILER_DRIVER_COMPILE_H_
#define WEFT_COMPILER_DRIVER_COMPILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::driver {

enum class Emit { kExecutable, kSharedLibrary, kIr };
enum class Backend { kHalide, kLoops };

struct CompileOptions {
  Emit emit = Emit::kExecutable;
  Backend backend = Backend::kHalide;
  std::string target = "host";
  std::string after;   // kIr: the pass or stage to stop behind; empty: all
  std::string output;  // the file to write
};

// Lowers, optimizes and compiles a program and writes options.output, whole or not at all. For kIr returns
// the module's text and writes nothing. A kernel that the Halide back end cannot express goes through the
// loops.
absl::StatusOr<std::string> Compile(const dsl::Program& program, const dsl::SourceManager& sources,
                                    const CompileOptions& options);

// The same for this machine, as objects (ELF bytes) for backends::LoadedProgram. Writes nothing.
absl::StatusOr<std::vector<std::string>> CompileToObjects(const dsl::Program& program,
                                                          const dsl::SourceManager& sources, Backend backend);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_COMPILE_H_
