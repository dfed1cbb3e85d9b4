#ifndef WEFT_COMPILER_CLI_COMPILE_OPTIONS_H_
#define WEFT_COMPILER_CLI_COMPILE_OPTIONS_H_

// The options that compile, run and bench have in common, and the way from them to a program.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/compile.h"
#include "compiler/driver/source_program.h"

namespace weft::cli {

struct ProgramOptions {
  std::string file, entry, target = "host", backend = "halide", schedule;
  std::vector<std::string> dims, without, linked;
  double tolerance = 0;
  bool no_cache = false;
  bool is_scheduled = false;  // a file of schedules is used: `schedule`, or what was tuned
};

// Declares which program of a file is meant: entry, dimensions, passes, files with ops in C. And for which
// target and how it is compiled.
std::vector<CLI::Option*> AddEntryOptions(CLI::App& command, ProgramOptions& options);
std::vector<CLI::Option*> AddTargetOptions(CLI::App& command, ProgramOptions& options);

// Declares FILE and which program of it is meant.
void AddSourceOptions(CLI::App& command, ProgramOptions& options);
// These, and for which target and how it is compiled: by which schedules, too.
void AddProgramOptions(CLI::App& command, ProgramOptions& options);

// Reads, checks and elaborates; nothing, after saying why, if that fails.
std::optional<dsl::Program> LoadProgram(const ProgramOptions& options, driver::SourceProgram& source);

// For driver::Compile, with the schedules that LoadProgram has read, the cache, and progress on the
// standard error if that is a terminal.
driver::CompileOptions MakeCompileOptions(const ProgramOptions& options, driver::SourceProgram& source);

}  // namespace weft::cli

#endif  // WEFT_COMPILER_CLI_COMPILE_OPTIONS_H_
