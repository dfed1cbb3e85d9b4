#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "dsl/base/diagnostic_printer.h"
#include "dsl/format/format.h"
#include "dsl/module/module_loader.h"
#include "runtime/atomic_file.h"

namespace weft::cli {

namespace {

struct FmtCommand {
  std::vector<std::string> files;
  bool check = false;
};

// The text in the one style; nothing, after saying why, if there is none.
std::optional<std::string> FormatOrReport(const std::string& name, const std::string& text) {
  dsl::SourceManager sources;
  dsl::Diagnostics diagnostics;
  std::optional<std::string> formatted = dsl::Format(sources, sources.Add(name, text), diagnostics);
  std::cerr << dsl::PrintDiagnostics(sources, diagnostics);
  return formatted;
}

int FormatInput() {
  std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  std::optional<std::string> formatted = FormatOrReport("<stdin>", text);
  if (!formatted) return 1;
  std::cout << *formatted;
  return 0;
}

int FormatFile(const std::string& file, bool check) {
  std::optional<std::string> text = dsl::DiskReader()(file);
  if (!text) return Fail(absl::StrCat("cannot read `", file, "`"));
  std::optional<std::string> formatted = FormatOrReport(file, *text);
  if (!formatted) return 1;
  if (*formatted == *text) return 0;
  std::cout << file << "\n";
  if (check) return 1;
  runtime::Status written = runtime::WriteFileAtomically(file, *formatted);
  return written.ok() ? 0 : Fail(written.message());
}

}  // namespace

void AddFmtCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<FmtCommand>();
  CLI::App* command = app.add_subcommand(
      "fmt",
      "Indent and space model files in the one style; line breaks stay. Prints the files that change.\n"
      "Example: weft fmt --check model.weft");
  command->add_option("FILES", options->files, "the model files; `-` for standard input to standard output")
      ->required();
  command->add_flag("--check", options->check, "change nothing; exit code 1 if a file would change");
  command->callback([&run, options] {
    run = [options] {
      int worst = 0;
      for (const std::string& file : options->files)
        worst |= file == "-" ? FormatInput() : FormatFile(file, options->check);
      return worst;
    };
  });
}

}  // namespace weft::cli
