// weft: the compiler's command line. Mistakes in a model file are printed as diagnostics; the exit code is 1
// then.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "compiler/cli/test_command.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/source_program.h"
#include "dsl/base/diagnostic_printer.h"

namespace {

using weft::driver::SourceProgram;

// Reads and checks; prints what is wrong. False if anything is.
bool LoadOrReport(SourceProgram& program, const std::string& file) {
  if (program.Load(file)) return true;
  std::cerr << "error: cannot read `" << file << "`\n";
  return false;
}

int Finish(SourceProgram& program, bool json) {
  const weft::dsl::Diagnostics& diagnostics = program.diagnostics();
  if (json) {
    std::cout << weft::dsl::DiagnosticsToJson(program.sources(), diagnostics) << "\n";
  } else {
    std::cerr << weft::dsl::PrintDiagnostics(program.sources(), diagnostics);
  }
  return diagnostics.has_errors() ? 1 : 0;
}

int Check(const std::string& file, bool json) {
  SourceProgram program;
  if (!LoadOrReport(program, file)) return 1;
  if (!program.diagnostics().has_errors()) {
    for (const auto* entry : weft::dsl::Entries(*program.module())) program.Elaborate(entry->name.text, {});
    for (const auto* test : weft::dsl::Tests(*program.module())) {
      weft::dsl::ElaborateTest(*program.module(), *test, program.sources(), program.diagnostics());
    }
  }
  return Finish(program, json);
}

bool ReadDimensions(const std::vector<std::string>& texts, std::map<std::string, int64_t>* dims) {
  for (const std::string& text : texts) {
    size_t equal = text.find('=');
    char* end = nullptr;
    int64_t number = equal == std::string::npos ? 0 : std::strtoll(text.c_str() + equal + 1, &end, 10);
    if (equal == std::string::npos || end == text.c_str() + equal + 1 || *end != 0) {
      std::cerr << "error: `--dim " << text << "` is not NAME=NUMBER\n";
      return false;
    }
    (*dims)[text.substr(0, equal)] = number;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Weft compiles model files to native programs."};
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);

  std::string file, entry, emit = "exe", backend = "halide", after;
  std::vector<std::string> dim_texts;
  bool json = false;
  weft::driver::CompileOptions options;

  CLI::App* check =
      app.add_subcommand("check", "Report what is wrong in a model file.\nExample: weft check model.weft");
  check->add_option("FILE", file, "the model file")->required();
  check->add_flag("--json", json, "print the diagnostics as JSON");

  CLI::App* compile = app.add_subcommand(
      "compile", "Compile an entry of a model file.\nExample: weft compile model.weft --dim B=4 -o model");
  compile->add_option("FILE", file, "the model file")->required();
  compile->add_option("--entry", entry, "which entry, where the file has several");
  compile->add_option("--dim", dim_texts, "fix a dimension: NAME=NUMBER")->allow_extra_args(false);
  compile->add_option("--target", options.target, "CPU[+feature...]: host, x86-64-v2, x86-64-v3, x86-64-v4");
  compile->add_option("--backend", backend, "halide, or the plain reference")
      ->check(CLI::IsMember({"halide", "loops"}));
  compile->add_option("--emit", emit, "what to write")->check(CLI::IsMember({"exe", "so", "ir"}));
  compile->add_option("--after", after, "with --emit ir: the pass or stage to stop behind; `lower` for none");
  compile->add_option("-o,--output", options.output, "the file to write; the entry's name if left out");

  weft::cli::TestCommand test_command;
  CLI::App* test = app.add_subcommand(
      "test", "Run the tests of model files.\nExample: weft test --filter softmax a.weft b.weft");
  test->add_option("FILES", test_command.files, "the model files")->required();
  test->add_option("--filter", test_command.filter, "only tests whose name contains this");
  test->add_option("--backend", backend, "loops (default), which compiles fastest, or halide")
      ->check(CLI::IsMember({"halide", "loops"}));
  test->add_option("--seed", test_command.options.seed, "what random numbers are drawn from (default 1)");
  test->add_option("-j,--jobs", test_command.jobs, "tests at a time; one per processor if left out")
      ->check(CLI::Range(1, 1024));

  CLI11_PARSE(app, argc, argv);
  if (test->parsed()) {
    if (test->count("--backend") && backend == "halide")
      test_command.options.backend = weft::driver::Backend::kHalide;
    return weft::cli::RunTestCommand(test_command);
  }
  if (check->parsed()) return Check(file, json);

  std::map<std::string, int64_t> dims;
  if (!ReadDimensions(dim_texts, &dims)) return 1;
  SourceProgram program;
  if (!LoadOrReport(program, file)) return 1;
  std::optional<weft::dsl::Program> elaborated = program.Elaborate(entry, dims);
  if (!elaborated) {
    Finish(program, false);
    return 1;
  }
  Finish(program, false);
  options.after = after;
  options.backend = backend == "loops" ? weft::driver::Backend::kLoops : weft::driver::Backend::kHalide;
  options.emit = emit == "so"   ? weft::driver::Emit::kSharedLibrary
                 : emit == "ir" ? weft::driver::Emit::kIr
                                : weft::driver::Emit::kExecutable;
  if (options.output.empty()) options.output = elaborated->entry + (emit == "so" ? ".so" : "");
  absl::StatusOr<std::string> result = weft::driver::Compile(*elaborated, program.sources(), options);
  if (!result.ok()) {
    std::cerr << "error: " << std::string(result.status().message()) << "\n";
    return 1;
  }
  std::cout << *result;
  return 0;
}
