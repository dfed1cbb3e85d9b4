// weft profile: compile through the cache, run, and show where the time went.

#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"
#include "compiler/profile/explain.h"
#include "compiler/profile/page.h"
#include "compiler/profile/run_profiled.h"
#include "runtime/atomic_file.h"

namespace weft::cli {

namespace {

struct ProfileCommand {
  ProgramOptions program;
  std::string output = "profile.html";
};

int Profile(const ProfileCommand& command, const std::vector<std::string>& words) {
  driver::SourceProgram source;
  std::optional<dsl::Program> program = LoadProgram(command.program, source);
  if (!program) return 1;
  driver::CompileOptions options = MakeCompileOptions(command.program, source);
  absl::StatusOr<driver::Compiled> compiled =
      driver::Compile(*program, source.sources(), options, source.diagnostics());
  if (PrintDiagnostics(source)) return 1;
  if (!compiled.ok()) return Fail(compiled.status().message());
  auto run = profile::RunProfiled(program->entry, compiled->bytes, words, options.kernels.note);
  if (!run.ok()) return Fail(run.status().message());
  auto explained = profile::Explain(*program, source.sources(), options, &run->trace, source.diagnostics());
  if (!explained.ok()) return Fail(explained.status().message());
  std::string page = profile::ProfilePage(explained->table, *run);
  runtime::Status written = runtime::WriteFileAtomically(command.output, page);
  if (!written.ok()) return Fail(written.message());
  std::cout << command.output << "\n";
  return 0;
}

}  // namespace

void AddProfileCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<ProfileCommand>();
  CLI::App* command = app.add_subcommand(
      "profile",
      "Compile an entry, what is cached not again, run it, and write a page of where the time went.\n"
      "Example: weft profile model.weft --weights w.safetensors -o profile.html");
  AddProgramOptions(*command, options->program);
  command->add_option("-o", options->output, "the page to write; profile.html if left out")
      ->type_name("OUT.html");
  command->allow_extras();
  command->footer(
      "All other words go to the program: [METHOD] --weights W --input NAME=FILE ...; inputs that are not "
      "given "
      "are random.");
  command->callback([&run, options, command] {
    run = [options, words = command->remaining()] { return Profile(*options, words); };
  });
}

}  // namespace weft::cli
