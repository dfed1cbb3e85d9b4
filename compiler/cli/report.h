#ifndef WEFT_COMPILER_CLI_REPORT_H_
#define WEFT_COMPILER_CLI_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "compiler/driver/source_program.h"

namespace weft::cli {

// "error: ..." on the standard error; gives the exit code 1.
int Fail(absl::string_view problem);

// Reads and checks a model file; false, after saying so, if it cannot be read. What is wrong in it is in its
// diagnostics.
bool LoadOrReport(driver::SourceProgram& program, const std::string& file);

// Prints the diagnostics, for people on the standard error or as JSON on the standard output. The exit code:
// 1 if one is an error.
int PrintDiagnostics(driver::SourceProgram& program, bool json = false);

}  // namespace weft::cli

#endif  // WEFT_COMPILER_CLI_REPORT_H_
