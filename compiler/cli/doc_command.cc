#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "dsl/base/diagnostic_printer.h"
#include "dsl/document/markdown.h"
#include "dsl/module/module_loader.h"

namespace weft::cli {

namespace {

int Document(const std::vector<std::string>& files) {
  int worst = 0;
  bool first = true;
  for (const std::string& file : files) {
    std::optional<std::string> text = dsl::DiskReader()(file);
    if (!text) {
      worst = Fail(absl::StrCat("cannot read `", file, "`"));
      continue;
    }
    dsl::SourceManager sources;
    dsl::Diagnostics diagnostics;
    std::optional<std::string> chapter = dsl::Markdown(sources, sources.Add(file, *text), diagnostics);
    std::cerr << dsl::PrintDiagnostics(sources, diagnostics);
    if (!chapter) {
      worst = 1;
      continue;
    }
    std::cout << (first ? "" : "\n") << *chapter;
    first = false;
  }
  return worst;
}

}  // namespace

void AddDocCommand(CLI::App& app, Run& run) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("doc",
                                         "Print what model files offer, with its documentation, as "
                                         "Markdown.\nExample: weft doc layers.weft");
  command->add_option("FILES", *files, "the model files")->required();
  command->callback([&run, files] { run = [files] { return Document(*files); }; });
}

}  // namespace weft::cli
