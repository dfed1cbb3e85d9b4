#include "dsl/ast/visitor.h"

namespace weft::dsl::ast {

void CollectNames(const std::vector<Binder>& binders, std::set<std::string>& names) {
  for (const Binder& binder : binders) {
    if (binder.kind == Binder::Kind::kIndex || binder.kind == Binder::Kind::kPack)
      names.insert(binder.name.text);
    CollectNames(binder.members, names);
  }
}

bool MentionsAny(const Expr& expr, const std::set<std::string>& names) {
  if (auto* ref = expr.As<Ref>()) return names.count(ref->name) > 0;
  if (auto* subscript = expr.As<Subscript>()) {
    for (const Subscript::Item& item : subscript->items) {
      if (item.kind == Subscript::Item::Kind::kPack && names.count(item.pack.text) > 0) return true;
    }
  }
  if (auto* call = expr.As<Call>()) {
    for (const Call::Arg& arg : call->args) {
      if (arg.value == nullptr && names.count(arg.pack.text) > 0) return true;
    }
  }
  if (auto* group = expr.As<Group>()) {
    for (const Group::Part& part : group->parts) {
      if (part.value == nullptr && names.count(part.pack.text) > 0) return true;
    }
  }
  bool found = false;
  ForEachChild(expr, [&](const Expr& child) { found = found || MentionsAny(child, names); });
  return found;
}

}  // namespace weft::dsl::ast
