#ifndef WEFT_DSL_AST_VISITOR_H_
#define WEFT_DSL_AST_VISITOR_H_

#include <set>
#include <string>
#include <vector>

#include "dsl/ast/expr.h"

namespace weft::dsl::ast {

template <typename F>
void ForEachLimit(const std::vector<Binder>& binders, F&& visit) {
  for (const Binder& binder : binders) {
    if (binder.limit != nullptr) visit(*binder.limit);
    ForEachLimit(binder.members, visit);
  }
}

// Calls `visit(const Expr&)` for every expression right below `expr`, in the order of the text.
template <typename F>
void ForEachChild(const Expr& expr, F&& visit) {
  auto one = [&](ExprPtr child) {
    if (child != nullptr) visit(*child);
  };
  if (auto* n = expr.As<Group>()) {
    for (const Group::Part& part : n->parts) one(part.value), one(part.of);
  } else if (auto* n = expr.As<List>()) {
    for (ExprPtr element : n->elements) one(element);
  } else if (auto* n = expr.As<Repeat>()) {
    one(n->element), one(n->count);
  } else if (auto* n = expr.As<Comprehension>()) {
    one(n->element);
    for (const Comprehension::Clause& clause : n->clauses) one(clause.range);
    one(n->condition);
  } else if (auto* n = expr.As<Reduction>()) {
    ForEachLimit(n->binders, visit);
    one(n->condition), one(n->limit), one(n->body);
  } else if (auto* n = expr.As<Subscript>()) {
    one(n->base);
    for (const Subscript::Item& item : n->items) one(item.at), one(item.from), one(item.to);
  } else if (auto* n = expr.As<Call>()) {
    one(n->callee);
    for (const Call::Arg& arg : n->args) one(arg.value);
    for (const Call::Arg& arg : n->attributes) one(arg.value);
  } else if (auto* n = expr.As<Field>()) {
    one(n->base);
  } else if (auto* n = expr.As<Unary>()) {
    one(n->operand);
  } else if (auto* n = expr.As<Binary>()) {
    one(n->lhs), one(n->rhs);
  } else if (auto* n = expr.As<Range>()) {
    one(n->from), one(n->to);
  } else if (auto* n = expr.As<Conditional>()) {
    one(n->value), one(n->condition), one(n->otherwise);
  } else if (auto* n = expr.As<Else>()) {
    one(n->value), one(n->otherwise);
  }
}

// The names that binders bind; a pack `..s` as "s".
void CollectNames(const std::vector<Binder>& binders, std::set<std::string>& names);

// True if one of `names` is written anywhere in `expr` (packs count by their name without dots).
bool MentionsAny(const Expr& expr, const std::set<std::string>& names);

}  // namespace weft::dsl::ast

#endif  // WEFT_DSL_AST_VISITOR_H_
