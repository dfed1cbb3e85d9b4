#include "compiler/driver/equation_names.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "backends/schedule/schedule.h"

namespace weft::driver {

namespace {

bool BeginsWith(const std::string& path, const std::string& beginning) {
  return path.size() > beginning.size() && path.compare(0, beginning.size(), beginning) == 0 &&
         path[beginning.size()] == '.';
}

bool SamePlace(const dsl::Span& a, const dsl::Span& b) { return a.file == b.file && a.begin == b.begin; }

// What the first word of `name` declares in a module; no valid span if nothing.
dsl::Span DeclaredIn(const dsl::sema::Module* module, const std::string& name) {
  std::string word = name.substr(0, name.find('.'));
  while (module) {
    if (auto found = module->declarations.find(word); found != module->declarations.end()) {
      if (const auto* op = found->second->As<dsl::ast::Op>()) return op->name.span;
      if (const auto* model = found->second->As<dsl::ast::Model>()) return model->name.span;
      return dsl::Span();
    }
    auto imported = module->imports.find(word);
    if (imported == module->imports.end()) return dsl::Span();
    word = imported->second.second;
    module = imported->second.first;
  }
  return dsl::Span();
}

}  // namespace

void EquationNames::Add(const dsl::Program& program) {
  for (const dsl::Method& method : program.methods) Add(method.body);
  for (const dsl::Method& method : program.initial_values) Add(method.body);
}

void EquationNames::Add(const std::vector<dsl::Statement>& statements) {
  for (const dsl::Statement& statement : statements) {
    if (const auto* parallel = std::get_if<dsl::Parallel>(&statement.node)) Add(parallel->body);
    if (const auto* recurrence = std::get_if<dsl::Recurrence>(&statement.node)) Add(recurrence->body);
    if (const auto* branch = std::get_if<dsl::Branch>(&statement.node)) {
      Add(branch->then);
      Add(branch->otherwise);
    }
    if (!std::holds_alternative<dsl::Equation>(statement.node) &&
        !std::holds_alternative<dsl::Concat>(statement.node)) {
      continue;
    }
    Equation& equation = equations_[statement.path];
    int closeness = 0;
    for (const dsl::Enclosing& enclosing : statement.enclosing) {
      auto add = [&](const std::string& owner) {
        std::string name = enclosing.below.empty() ? owner : absl::StrCat(owner, ".", enclosing.below);
        equation.forms.push_back({name, enclosing.declared, closeness});
      };
      add(enclosing.name);
      std::string_view model = enclosing.name;
      constexpr std::string_view kForward = ".forward";
      if (model.ends_with(kForward)) add(std::string(model.substr(0, model.size() - kForward.size())));
      ++closeness;
    }
  }
}

void EquationNames::AddComputed(const std::string& name, const std::string& path) {
  if (equations_.contains(name)) return;
  // A part has the names of its whole with its own behind.
  std::string whole = path;
  while (!equations_.contains(whole) && whole.find('.') != std::string::npos)
    whole = whole.substr(0, whole.rfind('.'));
  Equation computed;
  if (auto found = equations_.find(whole); found != equations_.end()) computed = found->second;
  computed.is_part = true;
  for (Form& form : computed.forms) form.name += path.substr(whole.size());
  equations_[name] = std::move(computed);
}

EquationNames::Match EquationNames::Find(const std::string& name, const dsl::sema::Module* scope) const {
  dsl::Span declared = DeclaredIn(scope, name);
  Match match = FindEquation(name, declared);
  if (!match.paths.empty() || !match.choices.empty()) return match;
  std::vector<std::string> below = Below(name, declared);
  if (below.size() == 1) return FindEquation(absl::StrCat(name, ".", below[0]), declared);
  for (const std::string& equation : below) match.choices.push_back(absl::StrCat(name, ".", equation));
  return match;
}

bool EquationNames::MayBePart(const std::string& name, const dsl::sema::Module* scope) const {
  size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  std::string whole = name.substr(0, dot);
  return !FindEquation(whole, DeclaredIn(scope, whole)).paths.empty();
}

EquationNames::Match EquationNames::FindEquation(const std::string& name, const dsl::Span& declared) const {
  Match match;
  match.closeness = std::numeric_limits<int>::max();
  if (equations_.contains(name)) {
    match.paths = {name};
    return match;
  }
  for (const auto& [path, equation] : equations_) {
    for (const Form& form : equation.forms) {
      if (form.name != name || (declared.valid() && !SamePlace(form.declared, declared))) continue;
      match.paths.push_back(path);
      match.closeness = form.closeness;
      break;
    }
  }
  if (!match.paths.empty()) return match;
  for (const auto& [path, equation] : equations_) {
    if (backends::HasSuffix(path, name)) match.choices.push_back(path);
  }
  if (match.choices.size() == 1) match.paths = std::move(match.choices), match.choices.clear();
  return match;
}

// The equations of an op, a model, a method or an instance, as they are called behind its name.
std::vector<std::string> EquationNames::Below(const std::string& name, const dsl::Span& declared) const {
  std::set<std::string> below;
  for (const auto& [path, equation] : equations_) {
    if (equation.is_part) continue;
    if (BeginsWith(path, name)) below.insert(path.substr(name.size() + 1));
    for (const Form& form : equation.forms) {
      if (!BeginsWith(form.name, name) || (declared.valid() && !SamePlace(form.declared, declared))) continue;
      below.insert(form.name.substr(name.size() + 1));
    }
  }
  // `Linear` holds `forward.y`, which is `y`.
  std::erase_if(below, [&](const std::string& text) {
    return text.rfind("forward.", 0) == 0 && below.contains(text.substr(8));
  });
  return {below.begin(), below.end()};
}

std::vector<std::string> EquationNames::All() const {
  std::set<std::string> all;
  for (const auto& [path, equation] : equations_) {
    for (size_t at = 0; at != std::string::npos; at = path.find('.', at + 1))
      all.insert(at == 0 ? path : path.substr(at + 1));
    for (const Form& form : equation.forms) all.insert(form.name);
  }
  return {all.begin(), all.end()};
}

}  // namespace weft::driver
