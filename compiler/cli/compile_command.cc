#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"
#include "runtime/atomic_file.h"

namespace weft::cli {

namespace {

using driver::Emit;

const std::map<std::string, Emit> kEmits = {{"exe", Emit::kExecutable},    {"so", Emit::kSharedLibrary},
                                            {"a", Emit::kArchive},         {"obj", Emit::kObject},
                                            {"schedule", Emit::kSchedule}, {"ir", Emit::kIr},
                                            {"stmt", Emit::kStmt},         {"asm", Emit::kAssembly}};

struct CompileCommand {
  ProgramOptions program;
  std::string emit = "exe", after, output;
  std::vector<std::string> weights;
  bool embed = false, timing = false;
};

int Write(const std::string& path, const std::string& bytes, bool executable) {
  runtime::Status written = runtime::WriteFileAtomically(path, bytes, executable ? 0777 : 0666);
  return written.ok() ? 0 : Fail(written.message());
}

int Compile(const CompileCommand& command) {
  Emit emit = kEmits.at(command.emit);
  if (command.embed == command.weights.empty())
    return Fail(command.embed
                    ? "--embed-weights needs --weights FILE"
                    : "--weights goes with --embed-weights; a compiled program takes --weights itself");
  if (!command.after.empty() && emit != Emit::kIr) return Fail("--after goes with --emit ir");
  driver::SourceProgram source;
  driver::Timing timing;
  std::optional<dsl::Program> program = [&] {
    driver::TimedPhase phase(&timing, "front end");
    return LoadProgram(command.program, source);
  }();
  if (!program) return 1;
  driver::CompileOptions options = MakeCompileOptions(command.program, source);
  options.kernels.timing = &timing;
  options.emit = emit;
  options.after = command.after;
  options.embedded_weights = command.weights;
  absl::StatusOr<driver::Compiled> compiled =
      driver::Compile(*program, source.sources(), options, source.diagnostics());
  if (PrintDiagnostics(source)) return 1;
  if (!compiled.ok()) return Fail(compiled.status().message());
  if (command.timing) std::cerr << driver::Print(timing);
  std::string output = command.output;
  if (output.empty() && driver::IsText(emit)) {
    std::cout << compiled->bytes;
    return 0;
  }
  if (output.empty()) {
    output = program->entry + (emit == Emit::kExecutable ? ""
                               : emit == Emit::kObject   ? ".o"
                                                         : "." + command.emit);
  }
  if (int failed = Write(output, compiled->bytes, emit == Emit::kExecutable || emit == Emit::kSharedLibrary))
    return failed;
  if (compiled->header.empty()) return 0;
  return Write(std::filesystem::path(output).replace_extension(".h").string(), compiled->header, false);
}

}  // namespace

void AddCompileCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<CompileCommand>();
  CLI::App* command = app.add_subcommand(
      "compile", "Compile an entry of a model file.\nExample: weft compile model.weft --dim B=4 -o model");
  AddProgramOptions(*command, options->program);
  std::vector<std::string> kinds;
  for (const auto& [name, emit] : kEmits) kinds.push_back(name);
  command
      ->add_option(
          "--emit", options->emit,
          "what to write: an executable, a library (so, a, obj; with a C header beside it), or a text: "
          "schedule, ir, stmt, asm")
      ->check(CLI::IsMember(kinds));
  command->add_option("--after", options->after,
                      "with --emit ir: the pass or stage to stop behind; `lower` for none");
  command->add_option("--weights", options->weights, "[PREFIX=]FILE to embed; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--embed-weights", options->embed, "put the weights into the program");
  command->add_flag(
      "--timing", options->timing,
      "print where the time went, and how many kernels were compiled, cached or equal to others");
  command->add_option("-o,--output", options->output,
                      "the file to write; the entry's name if left out, texts are printed");
  command->callback([&run, options] { run = [options] { return Compile(*options); }; });
}

}  // namespace weft::cli
