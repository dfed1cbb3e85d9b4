#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"
#include "compiler/driver/compile.h"
#include "compiler/driver/source_program.h"
#include "dsl/base/diagnostic.h"

namespace weft::cli {

namespace {

struct Page {
  const char* code;
  const char* text;
};

// docs/diagnostics, which the build copies in: an installed compiler has them too.
constexpr Page kPages[] = {
#include "compiler/cli/diagnostic_pages.inc"
};

const Page* FindPage(absl::string_view code) {
  for (const Page& page : kPages) {
    if (code == page.code) return &page;
  }
  return nullptr;
}

// The first line below the title.
absl::string_view Summary(absl::string_view text) {
  size_t begin = text.find("\n\n");
  if (begin == absl::string_view::npos) return "";
  text.remove_prefix(begin + 2);
  return text.substr(0, text.find('\n'));
}

int ListCodes() {
  for (const dsl::KindInfo& kind : dsl::AllKinds()) {
    const Page* page = FindPage(kind.code);
    std::cout << absl::StrFormat("%-24s %s\n", kind.code, page ? Summary(page->text) : "");
  }
  return 0;
}

int Explain(std::string code) {
  // As it stands in a message, too: `[unknown-name]`.
  if (code.size() > 2 && code.front() == '[' && code.back() == ']') code = code.substr(1, code.size() - 2);
  if (const Page* page = FindPage(code)) {
    std::cout << page->text;
    return 0;
  }
  std::vector<std::string> codes;
  for (const dsl::KindInfo& kind : dsl::AllKinds()) codes.emplace_back(kind.code);
  std::string nearest = dsl::NearestName(code, codes);
  return Fail(absl::StrCat(
      "there is no diagnostic `", code, "`",
      nearest.empty() ? "; `weft explain` lists them all" : absl::StrCat("; did you mean `", nearest, "`?")));
}

int ExplainFile(const std::string& file, const std::string& tolerance) {
  std::optional<double> error = ReadTolerance(tolerance);
  if (!error) return 1;
  driver::CompileOptions options;
  options.tolerance = *error;
  driver::SourceProgram source;
  if (!LoadOrReport(source, file)) return 1;
  bool has_tuned = source.LoadTunedSchedules();
  options.schedules = source.schedules();
  std::vector<std::string> entries;
  if (source.module())
    for (const auto* entry : dsl::Entries(*source.module())) entries.push_back(entry->name.text);
  if (entries.empty()) entries.emplace_back();
  for (const std::string& entry : entries) {
    std::optional<dsl::Program> program = source.Elaborate(entry, {});
    if (!program) {
      PrintDiagnostics(source);
      return 1;
    }
    auto remarks = driver::ExplainKernels(*program, source.sources(), options);
    if (!remarks.ok()) return Fail(remarks.status().message());
    if (has_tuned) {
      auto tuned = driver::ExplainTuned(*program, source.sources(), source.schedules(), source.diagnostics());
      if (tuned.ok()) remarks->insert(remarks->end(), tuned->begin(), tuned->end());
    }
    for (const driver::Remark& remark : *remarks) std::cout << remark.place << ": " << remark.text << "\n";
  }
  return PrintDiagnostics(source);
}

}  // namespace

void AddExplainCommand(CLI::App& app, Run& run) {
  auto code = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "explain",
      "Say what a diagnostic means; without a code, list them all. Or say of a model file which costs of its "
      "equations as written are avoided.\nExample: weft explain unknown-name");
  command->add_option("CODE", *code, "what stands in brackets behind the message");
  command
      ->add_option("--kernels", *file,
                   "a model file: one line for each reduction or recurrence of a known form, and for each "
                   "kernel with a tuned schedule")
      ->excludes("CODE");
  auto tolerance = std::make_shared<std::string>();
  AddToleranceOption(*command, *tolerance);
  command->callback([&run, code, file, tolerance] {
    run = [code, file, tolerance] {
      if (!file->empty()) return ExplainFile(*file, *tolerance);
      return code->empty() ? ListCodes() : Explain(*code);
    };
  });
}

}  // namespace weft::cli
