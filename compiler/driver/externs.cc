#include "compiler/driver/externs.h"

#include <map>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/host/linked_files.h"

namespace weft::driver {
namespace {

// The ops in C that are called, with the place of the first call.
void Collect(const std::vector<dsl::Statement>& statements, std::map<std::string, dsl::Span>& calls) {
  for (const dsl::Statement& statement : statements) {
    if (const auto* call = std::get_if<dsl::Extern>(&statement.node))
      calls.try_emplace(call->name, statement.span);
    if (const auto* parallel = std::get_if<dsl::Parallel>(&statement.node)) Collect(parallel->body, calls);
    if (const auto* branch = std::get_if<dsl::Branch>(&statement.node)) {
      Collect(branch->then, calls);
      Collect(branch->otherwise, calls);
    }
    if (const auto* steps = std::get_if<dsl::Recurrence>(&statement.node)) Collect(steps->body, calls);
  }
}

}  // namespace

absl::Status CheckExterns(const dsl::Program& program, const std::vector<std::string>& files,
                          dsl::Diagnostics& diagnostics) {
  absl::StatusOr<std::set<std::string>> offered = backends::OfferedSymbols(files);
  if (!offered.ok()) return offered.status();
  std::map<std::string, dsl::Span> calls;
  for (const dsl::Method& method : program.methods) Collect(method.body, calls);
  for (const dsl::Method& method : program.initial_values) Collect(method.body, calls);
  for (const auto& [name, span] : calls) {
    if (offered->contains(name)) continue;
    auto report = diagnostics.Report(span, dsl::kExternMissing, name);
    // C++ adds the parameters' types to a name.
    std::string mangled = absl::StrCat("_Z", name.size(), name);
    bool is_cpp = false;
    for (const std::string& symbol : *offered) is_cpp |= absl::StartsWith(symbol, mangled);
    if (is_cpp) {
      report.Suggest("it is there as a function of C++: declare it `extern \"C\"`");
    } else if (files.empty()) {
      report.Suggest("name the file that has it: `--link FILE.o`, `.a` or `.so`");
    } else {
      report.SuggestNearest(name, {offered->begin(), offered->end()});
    }
  }
  return absl::OkStatus();
}

}  // namespace weft::driver
