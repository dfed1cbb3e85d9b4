// Where sizes come from, for the notes of a report: what a reader would look up next.

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

constexpr int kMostOrigins = 6;  // models that pass a number on to each other

void CollectRefs(const ast::Expr& expr, std::set<std::string>* names) {
  if (const auto* ref = expr.As<ast::Ref>()) names->insert(ref->name);
  ast::ForEachChild(expr, [&](const ast::Expr& child) { CollectRefs(child, names); });
}

// The name that an argument passes on: `n` of `n` and of `size = n`; empty if it is more than a name.
std::string PassedOn(absl::string_view argument) {
  size_t equal = argument.find('=');
  if (equal != absl::string_view::npos) argument.remove_prefix(equal + 1);
  argument = absl::StripAsciiWhitespace(argument);
  for (char c : argument) {
    if (!absl::ascii_isalnum(c) && c != '_') return "";
  }
  return std::string(argument);
}

}  // namespace

// Where the attribute `name` of a model was given, then where what was given there comes from, and so on.
void Elaborator::NoteAttribute(DiagnosticBuilder& builder, const ModelInstance* instance, std::string name) {
  for (int depth = 0; instance && depth < kMostOrigins; ++depth) {
    auto given = instance->given.find(name);
    if (given == instance->given.end()) return;
    auto member = instance->members.find(name);
    const Size* size = member != instance->members.end() ? member->second.As<Size>() : nullptr;
    builder.Note(given->second, absl::StrCat("`", name, "` of `", instance->model->name.text, "` is ",
                                             size ? size->ToString() : "given", " here"));
    name = PassedOn(sources_.Text(given->second));
    instance = instance->maker;
  }
}

// What the names in a declared size stand for, and where that was said.
void Elaborator::NoteSize(DiagnosticBuilder& builder, const ast::Expr& declared) {
  std::set<std::string> names;
  CollectRefs(declared, &names);
  for (const std::string& name : names) {
    if (Binding* binding = Find(name)) {
      const Size* size = binding->value.As<Size>();
      if (size && !(binding->span == declared.span))
        builder.Note(binding->span, absl::StrCat("`", name, "` is ", size->ToString(), " here"));
    } else if (frame_->self) {
      NoteAttribute(builder, frame_->self.get(), name);
    }
  }
}

// How far the indices of a subscript go, and where they are bound.
void Elaborator::NoteIndices(DiagnosticBuilder& builder, const Size& form) {
  std::set<int> symbols;
  for (const Size::Term& term : form.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      if (atom->kind == SizeAtom::Kind::kSymbol) symbols.insert(atom->id);
    }
  }
  for (const auto& [id, index] : index_of_) {
    bool is_written = symbols.contains(index->symbol) && sources_.Text(index->span) == index->name;
    if (!is_written || !index->lower || !index->upper) continue;
    builder.Note(index->span, absl::StrCat("`", index->name, "` goes from ", index->lower->ToString(), " to ",
                                           (*index->upper - Size(1)).ToString()));
  }
}

// Where a tensor that is given to a call was defined, if it has a name.
void Elaborator::NoteDefinition(DiagnosticBuilder& builder, Span argument) {
  Frame* caller = frame_->caller;
  std::string name = PassedOn(sources_.Text(argument));
  if (!caller || name.empty()) return;
  FrameScope scope(*this, *caller);
  Binding* binding = Find(name);
  if (binding && !binding->index && binding->span.valid())
    builder.Note(binding->span, absl::StrCat("`", name, "` is defined here"));
}

}  // namespace weft::dsl::sema
