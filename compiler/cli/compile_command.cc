#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "compiler/driver/compile.h"

namespace weft::cli {

namespace {

struct CompileCommand {
  std::string file, entry;
  std::string emit = "exe", backend = "halide";
  std::vector<std::string> dims;
  driver::CompileOptions options;
};

bool ReadDimensions(const std::vector<std::string>& texts, std::map<std::string, int64_t>* dims) {
  for (const std::string& text : texts) {
    size_t equal = text.find('=');
    int64_t number = 0;
    if (equal == std::string::npos || !absl::SimpleAtoi(text.substr(equal + 1), &number)) {
      Fail(absl::StrCat("`--dim ", text, "` is not NAME=NUMBER"));
      return false;
    }
    (*dims)[text.substr(0, equal)] = number;
  }
  return true;
}

int Compile(CompileCommand command) {
  std::map<std::string, int64_t> dims;
  driver::SourceProgram program;
  if (!ReadDimensions(command.dims, &dims) || !LoadOrReport(program, command.file)) return 1;
  std::optional<dsl::Program> elaborated = program.Elaborate(command.entry, dims);
  if (PrintDiagnostics(program) || !elaborated) return 1;
  driver::CompileOptions& options = command.options;
  options.backend = command.backend == "loops" ? driver::Backend::kLoops : driver::Backend::kHalide;
  options.emit = command.emit == "so"   ? driver::Emit::kSharedLibrary
                 : command.emit == "ir" ? driver::Emit::kIr
                                        : driver::Emit::kExecutable;
  if (options.output.empty()) options.output = elaborated->entry + (command.emit == "so" ? ".so" : "");
  absl::StatusOr<std::string> result = driver::Compile(*elaborated, program.sources(), options);
  if (!result.ok()) return Fail(result.status().message());
  std::cout << *result;
  return 0;
}

}  // namespace

void AddCompileCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<CompileCommand>();
  CLI::App* command = app.add_subcommand(
      "compile", "Compile an entry of a model file.\nExample: weft compile model.weft --dim B=4 -o model");
  command->add_option("FILE", options->file, "the model file")->required();
  command->add_option("--entry", options->entry, "which entry, where the file has several");
  command->add_option("--dim", options->dims, "fix a dimension: NAME=NUMBER")->allow_extra_args(false);
  command->add_option("--target", options->options.target,
                      "CPU[+feature...]: host, x86-64-v2, x86-64-v3, x86-64-v4");
  command->add_option("--backend", options->backend, "halide, or the plain reference loops")
      ->check(CLI::IsMember({"halide", "loops"}));
  command->add_option("--emit", options->emit, "what to write")->check(CLI::IsMember({"exe", "so", "ir"}));
  command->add_option("--after", options->options.after,
                      "with --emit ir: the pass or stage to stop behind; `lower` for none");
  command->add_option("-o,--output", options->options.output,
                      "the file to write; the entry's name if left out");
  command->callback([&run, options] { run = [options] { return Compile(*options); }; });
}

}  // namespace weft::cli
