#include "compiler/driver/source_program.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "compiler/driver/equation_names.h"
#include "dsl/parser/parser.h"

namespace weft::driver {

namespace fs = std::filesystem;

std::string StandardLibrary() {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  fs::path installed = program.parent_path().parent_path() / "share" / "weft" / "stdlib";
  return fs::is_directory(installed, error) ? installed.string() : WEFT_SOURCE_DIR "/stdlib";
}

std::string TunedSchedulesOf(const std::string& path) {
  return fs::path(path).replace_extension(".tuned.schedule").string();
}

bool SourceProgram::Load(const std::string& path) {
  path_ = path;
  loader_ = std::make_unique<dsl::ModuleLoader>(sources_, diagnostics_, dsl::DiskReader(), StandardLibrary());
  module_ = loader_->Load(path);
  if (!module_) return false;
  declared_ = dsl::CheckModule(*module_, sources_, diagnostics_);
  for (const dsl::sema::Module* module : loader_->modules()) {
    auto about = module == module_ ? ScheduleSource::Scope::kFile : ScheduleSource::Scope::kImported;
    schedules_.push_back({backends::ReadSchedules(*module->file, diagnostics_), module, about});
  }
  CheckScheduleNames();
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

bool SourceProgram::LoadSchedules(const std::string& path) {
  return LoadSchedules(path, ScheduleSource::Scope::kProgram);
}

bool SourceProgram::LoadTunedSchedules() {
  bool is_only_entry = dsl::Entries(*module_).size() == 1;
  return LoadSchedules(TunedSchedulesOf(path_),
                       is_only_entry ? ScheduleSource::Scope::kProgram : ScheduleSource::Scope::kFile);
}

bool SourceProgram::LoadSchedules(const std::string& path, ScheduleSource::Scope about) {
  std::optional<std::string> text = dsl::DiskReader()(path);
  if (!text) return false;
  int32_t source = sources_.Add(path, std::move(*text));
  schedule_files_.push_back(dsl::ParseScheduleFile(sources_, source, diagnostics_));
  schedules_.push_back({backends::ReadSchedules(*schedule_files_.back(), diagnostics_), module_, about});
  return true;
}

// The beginning of `path` that names an equation in the text of a declaration; empty if none does.
std::string HeadIn(const dsl::sema::Module& module, const std::string& path) {
  std::vector<std::string> words = absl::StrSplit(path, '.');
  auto declared = module.declarations.find(words[0]);
  if (declared == module.declarations.end() || words.size() < 2) return "";
  auto first = [&](size_t count) { return absl::StrJoin(words.begin(), words.begin() + count, "."); };
  auto binds = [](const dsl::ast::Block& body, const std::string& name) {
    bool found = false;
    for (const dsl::ast::Stmt* statement : body.statements) {
      const auto* equation = statement->As<dsl::ast::Equation>();
      for (size_t i = 0; equation && i < equation->heads.size(); ++i)
        found |= equation->heads[i].path.parts.back().text == name;
      found |= statement->As<dsl::ast::For>() || statement->As<dsl::ast::Rec>();  // may hold it
    }
    return found;
  };
  if (const auto* op = declared->second->As<dsl::ast::Op>()) return binds(op->body, words[1]) ? first(2) : "";
  const auto* model = declared->second->As<dsl::ast::Model>();
  for (size_t i = 0; model && i < model->members.size(); ++i) {
    const auto* method = model->members[i]->As<dsl::ast::Method>();
    if (!method) continue;
    if (method->name.text == words[1])
      return words.size() > 2 && binds(method->body, words[2]) ? first(3) : "";
    if (method->name.text == "forward" && binds(method->body, words[1])) return first(2);
  }
  return "";
}

// Every block of the module must name something of it: of a declaration, an entry or a test.
void SourceProgram::CheckScheduleNames() {
  const std::vector<backends::WrittenSchedule>& blocks = schedules_.back().blocks;
  if (blocks.empty() || diagnostics_.has_errors()) return;
  EquationNames names;
  names.Add(declared_);
  dsl::Diagnostics unheard;  // whoever asks for these programs hears what is wrong with them
  for (const dsl::ast::Model* entry : dsl::Entries(*module_)) {
    if (auto program = dsl::Elaborate(*module_, *entry, {}, sources_, unheard)) names.Add(*program);
  }
  for (const dsl::ast::Test* test : dsl::Tests(*module_)) {
    if (auto program = dsl::ElaborateTest(*module_, *test, sources_, unheard)) names.Add(program->program);
  }
  for (const backends::WrittenSchedule& block : blocks) {
    EquationNames::Match match = names.Find(block.path, module_);
    bool is_known = !match.paths.empty() || !match.choices.empty() || names.MayBePart(block.path, module_);
    if (is_known) continue;
    // Of what cannot be worked out alone, and is not used, only its text is known.
    std::string head = HeadIn(*module_, block.path);
    EquationNames::Match worked_out = names.Find(head, module_);
    if (head.empty() || !worked_out.paths.empty() || !worked_out.choices.empty())
      ReportUnknownEquation(block, names, diagnostics_);
  }
}

}  // namespace weft::driver
