// Model files: read, checked, elaborated, formatted.

#include <cstdint>

#include "dsl/base/diagnostic_printer.h"
#include "dsl/format/format.h"
#include "dsl/module/module_loader.h"
#include "dsl/sema/sema.h"

namespace {

using namespace weft::dsl;

// The formatted text of a file without mistakes.
std::optional<std::string> Formatted(const std::string& text) {
  SourceManager sources;
  Diagnostics diagnostics;
  return Format(sources, sources.Add("fuzzed.weft", text), diagnostics);
}

void CheckText(const std::string& text) {
  SourceManager sources;
  Diagnostics diagnostics;
  FileReader disk = DiskReader();
  FileReader reader = [&](const std::string& path) {
    return path == "fuzzed.weft" ? std::optional<std::string>(text) : disk(path);
  };
  ModuleLoader loader(sources, diagnostics, reader, WEFT_STDLIB);
  const sema::Module* module = loader.Load("fuzzed.weft");
  if (!diagnostics.has_errors()) CheckModule(*module, sources, diagnostics);
  if (!diagnostics.has_errors()) {
    for (const ast::Model* entry : Entries(*module)) Elaborate(*module, *entry, {}, sources, diagnostics);
    for (const ast::Test* test : Tests(*module)) ElaborateTest(*module, *test, sources, diagnostics);
  }
  PrintDiagnostics(sources, diagnostics);
  DiagnosticsToJson(sources, diagnostics);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  CheckText(text);
  std::optional<std::string> once = Formatted(text);
  if (once && Formatted(*once) != once) __builtin_trap();
  return 0;
}
