#include "compiler/profile/source_places.h"

#include "absl/strings/str_cat.h"

namespace weft::profile {

SourcePlaces::SourcePlaces(const dsl::Program& program, const dsl::SourceManager& sources) {
  for (const dsl::Method& method : program.methods) Add(method.body, sources);
  for (const dsl::Method& method : program.initial_values) Add(method.body, sources);
}

void SourcePlaces::Add(const std::vector<dsl::Statement>& statements, const dsl::SourceManager& sources) {
  for (const dsl::Statement& statement : statements) {
    if (statement.span.valid()) {
      const dsl::SourceFile& file = sources.file(statement.span.file);
      places_.emplace(statement.path, absl::StrCat(file.name(), ":", file.Locate(statement.span.begin).line));
    }
    if (const auto* parallel = std::get_if<dsl::Parallel>(&statement.node)) Add(parallel->body, sources);
    if (const auto* recurrence = std::get_if<dsl::Recurrence>(&statement.node))
      Add(recurrence->body, sources);
    if (const auto* branch = std::get_if<dsl::Branch>(&statement.node)) {
      Add(branch->then, sources);
      Add(branch->otherwise, sources);
    }
  }
}

std::string SourcePlaces::Find(std::string path) const {
  while (!path.empty()) {
    if (auto found = places_.find(path); found != places_.end()) return found->second;
    size_t dot = path.rfind('.');
    path.resize(dot == std::string::npos ? 0 : dot);
  }
  return "";
}

}  // namespace weft::profile
