// weft run, weft bench: compile through the cache, then become the program.

#include <memory>

#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"
#include "compiler/driver/program_in_memory.h"

namespace weft::cli {

namespace {

int CompileAndRun(const ProgramOptions& options, std::vector<std::string> words) {
  driver::SourceProgram source;
  std::optional<dsl::Program> program = LoadProgram(options, source);
  if (!program) return 1;
  driver::CompileOptions compile = MakeCompileOptions(options, source);
  absl::StatusOr<driver::Compiled> compiled =
      driver::Compile(*program, source.sources(), compile, source.diagnostics());
  if (PrintDiagnostics(source)) return 1;
  if (!compiled.ok()) return Fail(compiled.status().message());
  words.insert(words.begin(), program->entry);
  absl::StatusOr<int> file = driver::HoldInMemory(program->entry, compiled->bytes);
  if (!file.ok()) return Fail(file.status().message());
  return Fail(driver::Become(*file, std::move(words)).message());
}

void Add(CLI::App& app, Run& run, const char* name, const char* help, const std::vector<std::string>& extra) {
  auto options = std::make_shared<ProgramOptions>();
  CLI::App* command = app.add_subcommand(name, help);
  AddProgramOptions(*command, *options);
  command->allow_extras();
  command->footer(
      "All other words go to the program: [METHOD] --weights W --input NAME=FILE --output NAME=FILE ...");
  command->callback([&run, options, command, extra] {
    std::vector<std::string> words = command->remaining();
    words.insert(words.end(), extra.begin(), extra.end());
    run = [options, words] { return CompileAndRun(*options, words); };
  });
}

}  // namespace

void AddRunCommands(CLI::App& app, Run& run) {
  Add(app, run, "run",
      "Compile an entry, what is cached not again, and run it.\n"
      "Example: weft run model.weft --weights w.safetensors --input image=cat.jpg",
      {});
  Add(app, run, "bench",
      "Compile an entry and measure it.\nExample: weft bench model.weft logits --weights w.safetensors",
      {"--bench"});
}

}  // namespace weft::cli
