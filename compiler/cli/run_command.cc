// weft run, weft bench: compile through the cache, then become the program.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"

namespace weft::cli {

namespace {

// Replaces this process by the program, which lies in memory only. Returns if that fails.
int Become(const std::string& executable, std::vector<std::string> words) {
  int file = ::memfd_create(words[0].c_str(), MFD_CLOEXEC);
  for (size_t done = 0; file >= 0 && done < executable.size();) {
    ssize_t count = ::write(file, executable.data() + done, executable.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Fail(absl::StrCat("cannot hold the program in memory: ", std::strerror(errno)));
    done += static_cast<size_t>(count);
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (file >= 0) ::fexecve(file, arguments.data(), environ);
  return Fail(absl::StrCat("cannot start the program: ", std::strerror(errno)));
}

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
  return Become(compiled->bytes, std::move(words));
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
