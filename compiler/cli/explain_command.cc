#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/explain_kernels.h"
#include "compiler/cli/report.h"
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

}  // namespace

void AddExplainCommand(CLI::App& app, Run& run) {
  auto code = std::make_shared<std::string>();
  auto kernels = std::make_shared<ExplainKernelsOptions>();
  CLI::App* command = app.add_subcommand("explain",
                                         "Say what a diagnostic means; without a code, list them all. Or say "
                                         "of a model file what its kernels are, "
                                         "do and take at least.\nExample: weft explain unknown-name");
  CLI::Option* given = command->add_option("CODE", *code, "what stands in brackets behind the message");
  CLI::Option* file =
      command
          ->add_option(
              "--kernels", kernels->program.file,
              "a model file: every kernel, then a line for each reduction or recurrence of a known form")
          ->type_name("FILE")
          ->excludes(given);
  std::vector<CLI::Option*> others = AddEntryOptions(*command, kernels->program);
  for (CLI::Option* option : AddTargetOptions(*command, kernels->program)) others.push_back(option);
  others.push_back(command->add_option("--method", kernels->method, "only this method's kernels"));
  others.push_back(command->add_flag("--measure", kernels->measure,
                                     "run it, with weights and inputs made up, for the time kernels take"));
  others.push_back(command
                       ->add_option("--profile", kernels->profile,
                                    "the time they took, in a profile that the program wrote")
                       ->type_name("FILE"));
  others.push_back(command->add_flag("--json", kernels->json, "print it as JSON"));
  for (CLI::Option* option : others) option->needs(file);
  command->callback([&run, code, kernels] {
    run = [code, kernels] {
      if (!kernels->program.file.empty()) return ExplainKernels(*kernels);
      return code->empty() ? ListCodes() : Explain(*code);
    };
  });
}

}  // namespace weft::cli
