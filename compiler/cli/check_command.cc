#include <algorithm>
#include <memory>

#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "compiler/driver/compile.h"

namespace weft::cli {

namespace {

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false;
};

// Every entry and test, and the schedules as they are bound in it. Where it cannot be compiled for another
// reason than the file's text, nothing is said of schedules.
void CheckPrograms(driver::SourceProgram& source) {
  auto check = [&](const dsl::Program& program) {
    bool has_schedules = std::any_of(source.schedules().begin(), source.schedules().end(),
                                     [](const driver::ScheduleSource& file) { return !file.blocks.empty(); });
    if (!has_schedules || source.diagnostics().has_errors()) return;
    driver::CheckSchedules(program, source.sources(), source.schedules(), source.diagnostics()).IgnoreError();
  };
  for (const auto* entry : dsl::Entries(*source.module())) {
    if (auto program = source.Elaborate(entry->name.text, {})) check(*program);
  }
  for (const auto* test : dsl::Tests(*source.module())) {
    auto made = dsl::ElaborateTest(*source.module(), *test, source.sources(), source.diagnostics());
    if (made) check(made->program);
  }
}

int Check(const CheckOptions& options) {
  int worst = 0;
  for (const std::string& file : options.files) {
    driver::SourceProgram program;
    if (!LoadOrReport(program, file)) {
      worst = 1;
      continue;
    }
    CheckPrograms(program);
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
