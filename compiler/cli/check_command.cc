#include <memory>

#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"

namespace weft::cli {

namespace {

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false;
};

int Check(const CheckOptions& options) {
  int worst = 0;
  for (const std::string& file : options.files) {
    driver::SourceProgram program;
    if (!LoadOrReport(program, file)) {
      worst = 1;
      continue;
    }
    for (const auto* entry : dsl::Entries(*program.module())) program.Elaborate(entry->name.text, {});
    for (const auto* test : dsl::Tests(*program.module())) {
      dsl::ElaborateTest(*program.module(), *test, program.sources(), program.diagnostics());
    }
    worst |= PrintDiagnostics(program, options.json);
  }
  return worst;
}

}  // namespace

void AddCheckCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      app.add_subcommand("check", "Report what is wrong in model files.\nExample: weft check model.weft");
  command->add_option("FILES", options->files, "the model files")->required();
  command->add_flag("--json", options->json, "print the diagnostics as JSON, one list per file");
  command->callback([&run, options] { run = [options] { return Check(*options); }; });
}

}  // namespace weft::cli
