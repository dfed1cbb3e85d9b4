#include "compiler/cli/report.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "dsl/base/diagnostic_printer.h"

namespace weft::cli {

int Fail(absl::string_view problem) {
  std::cerr << "error: " << problem << "\n";
  return 1;
}

bool LoadOrReport(driver::SourceProgram& program, const std::string& file) {
  if (program.Load(file)) return true;
  Fail(absl::StrCat("cannot read `", file, "`"));
  return false;
}

int PrintDiagnostics(driver::SourceProgram& program, bool json) {
  const dsl::Diagnostics& diagnostics = program.diagnostics();
  if (json) {
    std::cout << dsl::DiagnosticsToJson(program.sources(), diagnostics) << "\n";
  } else {
    std::cerr << dsl::PrintDiagnostics(program.sources(), diagnostics);
  }
  return diagnostics.has_errors() ? 1 : 0;
}

}  // namespace weft::cli
