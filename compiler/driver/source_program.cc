#include "compiler/driver/source_program.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weft::driver {

namespace fs = std::filesystem;

std::string StandardLibrary() {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  fs::path installed = program.parent_path().parent_path() / "share" / "weft" / "stdlib";
  return fs::is_directory(installed, error) ? installed.string() : WEFT_SOURCE_DIR "/stdlib";
}

bool SourceProgram::Load(const std::string& path) {
  loader_ = std::make_unique<dsl::ModuleLoader>(sources_, diagnostics_, dsl::DiskReader(), StandardLibrary());
  module_ = loader_->Load(path);
  if (!module_) return false;
  dsl::CheckModule(*module_, sources_, diagnostics_);
  return true;
}

std::optional<dsl::Program> SourceProgram::Elaborate(const std::string& entry,
                                                     const std::map<std::string, int64_t>& dims) {
  std::vector<const dsl::ast::Model*> entries = dsl::Entries(*module_);
  const dsl::ast::Model* chosen = nullptr;
  std::vector<std::string> names;
  for (const dsl::ast::Model* candidate : entries) {
    names.push_back(candidate->name.text);
    if (candidate->name.text == entry || (entry.empty() && entries.size() == 1)) chosen = candidate;
  }
  if (!chosen && diagnostics_.has_errors()) return std::nullopt;  // it may be what could not be read
  if (!chosen) {
    std::string known = names.empty() ? "the file has no entry"
                                      : absl::StrCat("the file has the entries ", absl::StrJoin(names, ", "));
    std::string problem = entry.empty()
                              ? absl::StrCat(known, names.empty() ? "" : "; choose one by `--entry NAME`")
                              : absl::StrCat("there is no entry `", entry, "`; ", known);
    dsl::Span start{module_->file->source, 0, 0};
    diagnostics_.Report(start, dsl::kNoEntry, problem).SuggestNearest(entry, names);
    return std::nullopt;
  }
  std::optional<dsl::Program> program = dsl::Elaborate(*module_, *chosen, dims, sources_, diagnostics_);
  return diagnostics_.has_errors() ? std::nullopt : std::move(program);
}

std::string SourceProgram::Schedules() const {
  std::string text;
  for (const dsl::ast::Decl* decl : module_->file->decls) {
    if (decl->As<dsl::ast::Schedule>()) absl::StrAppend(&text, sources_.Text(decl->span), "\n");
  }
  return text;
}

}  // namespace weft::driver
