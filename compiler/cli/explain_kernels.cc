#include "compiler/cli/explain_kernels.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "compiler/cli/report.h"
#include "compiler/profile/explain.h"
#include "compiler/profile/report.h"
#include "compiler/profile/run_profiled.h"
#include "dsl/module/module_loader.h"
#include "runtime/json.h"

namespace weft::cli {

namespace {

using runtime::Json;

// The profile of a file, or of a run of the program now, with weights and inputs made up.
absl::StatusOr<profile::Trace> FindTrace(const ExplainKernelsOptions& options, const dsl::Program& program,
                                         driver::SourceProgram& source) {
  if (!options.profile.empty()) {
    std::optional<std::string> text = dsl::DiskReader()(options.profile);
    if (!text) return absl::NotFoundError(absl::StrCat("cannot read `", options.profile, "`"));
    absl::StatusOr<profile::Trace> trace = profile::ReadTrace(*text);
    if (trace.ok()) return trace;
    return absl::InvalidArgumentError(absl::StrCat(options.profile, ": ", trace.status().message()));
  }
  driver::CompileOptions compile = MakeCompileOptions(options.program, source);
  auto compiled = driver::Compile(program, source.sources(), compile, source.diagnostics());
  if (!compiled.ok()) return compiled.status();
  std::vector<std::string> words{"--init", "1"};
  if (!options.method.empty()) words.push_back(options.method);
  auto run = profile::RunProfiled(program.entry, compiled->bytes, words, compile.kernels.note);
  if (!run.ok()) return run.status();
  return std::move(run->trace);
}

Json RemarksJson(const std::vector<driver::Remark>& remarks) {
  Json list = Json::array();
  for (const driver::Remark& remark : remarks)
    list.push_back({{"place", remark.place}, {"text", remark.text}});
  return list;
}

// Of one entry; adds to `all`, or prints. The exit code.
int ExplainEntry(const ExplainKernelsOptions& options, const std::string& entry, Json& all) {
  ProgramOptions chosen = options.program;
  chosen.entry = entry;
  driver::SourceProgram source;
  std::optional<dsl::Program> program = LoadProgram(chosen, source);
  if (!program) return 1;
  std::optional<profile::Trace> trace;
  if (options.measure || !options.profile.empty()) {
    absl::StatusOr<profile::Trace> found = FindTrace(options, *program, source);
    if (options.measure && PrintDiagnostics(source)) return 1;
    if (!found.ok()) return Fail(found.status().message());
    trace = *std::move(found);
  }
  driver::CompileOptions compile = MakeCompileOptions(chosen, source);
  dsl::Diagnostics again;  // what was said when the program was compiled
  dsl::Diagnostics& diagnostics = options.measure ? again : source.diagnostics();
  auto explained =
      profile::Explain(*program, source.sources(), compile, trace ? &*trace : nullptr, diagnostics);
  if (!options.measure && PrintDiagnostics(source)) return 1;
  if (!explained.ok())
    return Fail(options.profile.empty() ? explained.status().message()
                                        : absl::StrCat(options.profile, ": ", explained.status().message()));
  std::vector<profile::MethodTable>& methods = explained->table.methods;
  if (!options.method.empty()) {
    auto is_other = [&](const profile::MethodTable& method) { return method.method != options.method; };
    methods.erase(std::remove_if(methods.begin(), methods.end(), is_other), methods.end());
    if (methods.empty())
      return Fail(absl::StrCat("entry `", program->entry, "` has no method `", options.method, "`"));
  }
  if (options.json) {
    all.push_back(profile::ToJson(explained->table));
    all.back()["remarks"] = RemarksJson(explained->remarks);
    return 0;
  }
  std::cout << profile::ToText(explained->table);
  if (!explained->remarks.empty()) std::cout << "\n";
  for (const driver::Remark& remark : explained->remarks)
    std::cout << remark.place << ": " << remark.text << "\n";
  return 0;
}

}  // namespace

int ExplainKernels(const ExplainKernelsOptions& options) {
  if (options.measure && !options.profile.empty())
    return Fail("--measure and --profile are two ways to the same: give one of them");
  driver::SourceProgram source;
  if (!LoadOrReport(source, options.program.file)) return 1;
  std::vector<std::string> entries{options.program.entry};
  bool is_file_good = source.module() && !source.diagnostics().has_errors();
  bool one = !options.program.entry.empty() || options.measure || !options.profile.empty();
  if (is_file_good && !one && !dsl::Entries(*source.module()).empty()) {
    entries.clear();
    for (const auto* entry : dsl::Entries(*source.module())) entries.push_back(entry->name.text);
  }
  Json all = Json::array();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && !options.json) std::cout << "\n";
    if (int failed = ExplainEntry(options, entries[i], all)) return failed;
  }
  if (options.json) std::cout << runtime::JsonText(all, 1) << "\n";
  return 0;
}

}  // namespace weft::cli
