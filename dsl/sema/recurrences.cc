// `rec`: one loop over positions whose steps read what earlier steps, or `from`, have given (R22-R24): its
// text, its length, what is before it and what is behind it.

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/loop.h"
#include "dsl/sema/suggestions.h"

namespace weft::dsl::sema {

// The type of a slice: the first size is the number of positions.
const ast::TypeExpr* Elaborator::RowType(const ast::TypeExpr* type) {
  const auto* named = type ? type->As<ast::NamedType>() : nullptr;
  if (!named || named->sizes.empty()) return type;
  ast::TypeExpr row = *type;
  auto& sizes = std::get<ast::NamedType>(row.node).sizes;
  sizes.erase(sizes.begin());
  row_types_.push_back(std::move(row));
  return &row_types_.back();
}

void Elaborator::RunRec(const ast::Stmt& stmt, const ast::Rec& rec) {
  Loop loop;
  loop.until = rec.until;
  frame_->scopes.emplace_back();
  size_t in_force = in_force_.size();
  int before = diagnostics_.errors_found();
  bool ok = OpenLoop(stmt, rec, &loop) && OpenLength(stmt, &loop) && OpenLoopIndex(rec, &loop);
  in_force_.resize(in_force);  // calls are made once per step anyway
  std::map<std::string, Binding> scope = std::move(frame_->scopes.back());
  frame_->scopes.pop_back();
  ok = ok && GiveSlices(rec, &loop);
  frame_->scopes.push_back(std::move(scope));
  ok = ok && TryTypes(stmt, &loop) && RunSteps(stmt, &loop);
  frame_->scopes.pop_back();
  if (!ok || diagnostics_.errors_found() > before) return BindUnknown(stmt);
  FinishLoop(stmt, &loop);
}

// Takes the text apart: the index, the equations of a step, the names of the states.
bool Elaborator::OpenLoop(const ast::Stmt& stmt, const ast::Rec& rec, Loop* loop) {
  std::vector<const ast::Equation*> equations;
  if (const auto* single = std::get_if<ast::Rec::Single>(&rec.form)) {
    loop->binder = single->head.binders.empty() ? ast::Binder() : single->head.binders[0];
    loop->single = {{single->head}, single->value};
    loop->steps.push_back({&loop->single, nullptr, {}});
  } else {
    const auto& block = std::get<ast::Rec::Loop>(rec.form);
    loop->binder.name = block.index;
    loop->binder.span = block.index.span;
    if (block.length) {
      loop->binder.bound = ast::Binder::Bound::kLess;
      loop->binder.limit = block.length;
      loop->binder.at_most = block.at_most;
    }
    for (ast::StmtPtr inner : block.body.statements) {
      if (inner->broken) return false;
      const auto* equation = inner->As<ast::Equation>();
      const auto* let = inner->As<ast::Let>();
      if (!equation && !let) {
        Report(inner->span, kInvalidExpression,
               "a step of `rec` is equations; what repeats in it goes into an op or a method");
        return false;
      }
      loop->steps.push_back({equation, let, {}});
    }
  }
  for (Loop::Step& step : loop->steps) {
    if (!step.equation) continue;
    step.own = *step.equation;
    for (size_t i = 0; i < step.own.heads.size(); ++i) {
      ast::Head& head = step.own.heads[i];
      const ast::Head& written = step.equation->heads[i];
      if (loop->label.empty()) loop->label = head.path.parts.back().text;
      if (head.is_next) continue;  // a state of the model
      if (head.path.parts.size() != 1 || head.binders.empty()) {
        Report(head.span, kInvalidExpression, "a step of `rec` defines tensors at its own position");
        return false;
      }
      const std::string& name = head.path.parts[0].text;
      Binding* known = Find(name);
      auto [state, is_new] = loop->states.try_emplace(name);
      if (!is_new || known) {
        Report(head.path.span, kDuplicateName, name)
            .Note(is_new ? known->span : state->second.head->path.span,
                  "bound here; an equation with indices binds a name once");
        return false;
      }
      loop->names.push_back(name);
      state->second.head = &written;
      state->second.value = step.own.heads.size() == 1 ? step.own.value : nullptr;
      head.type = RowType(DeclaredTypeOf(written));
      head.binders.erase(head.binders.begin());
      head.has_binders = !head.binders.empty();
    }
  }
  if (loop->label.empty()) Report(stmt.span, kInvalidExpression, "this `rec` computes nothing");
  return !loop->label.empty();
}

// `T <= most` and `until` belong together: the index can go as far as `most`, and T is found (R22).
bool Elaborator::OpenLength(const ast::Stmt& stmt, Loop* loop) {
  ast::Binder& binder = loop->binder;
  if (!loop->until && !binder.at_most) return true;
  const std::string& index = binder.name.text;
  if (!binder.at_most) {
    Report(loop->until->span, kUntilBound,
           "`until` finds how many steps there are, and nothing says how many at most")
        .Suggest(absl::StrCat("write `", index,
                              " < T <= ...`, where T is a new name for the steps that were made"));
    return false;
  }
  const auto* name = binder.limit->As<ast::Ref>();
  if (!name) return false;  // the parser has told
  loop->found_name = {name->name, binder.limit->span};
  if (!loop->until) {
    Report(binder.limit->span, kUntilBound,
           absl::StrCat("`", name->name, "` is a size that `until` finds, and this `rec` has no `until`"));
    return false;
  }
  const Binding* known = Find(name->name);
  bool is_declared = known && frame_->found_names.contains(name->name) && known->value.IsPoison();
  if (known && !is_declared) {
    Report(binder.limit->span, kDuplicateName, name->name)
        .Note(known->span, absl::StrCat("`", name->name, "` is bound here"));
    return false;
  }
  binder.limit = std::exchange(binder.at_most, nullptr);
  std::optional<Size> most = AsSize(Eval(*binder.limit), binder.limit->span, "the largest number of steps");
  if (!most) return false;
  Prover prover = MakeProver({*most}, facts_);
  if (prover.IsPositive(*most)) return true;
  if (prover.IsNatural(Size(0) - *most)) {
    Report(binder.limit->span, kUntilBound, "a `rec` with `until` makes one step at least");
    return false;
  }
  if (!generic_ && statements_) {
    Check check{Check::Relation::kAtMost, Size(1), *most, "", {*most}};
    check.message = absl::StrCat("a `rec` with `until` makes one step at least, and `",
                                 sources_.Text(binder.limit->span), "` is {0}", Because(stmt.span));
    Emit(binder.limit->span, "", std::move(check));
  }
  return true;
}

// The range of the loop's index: written, else of a declared tensor, else of what it subscripts alone (R6).
bool Elaborator::OpenLoopIndex(const ast::Rec& rec, Loop* loop) {
  std::vector<IndexPtr> members;
  if (loop->binder.kind != ast::Binder::Kind::kIndex || loop->binder.bound == ast::Binder::Bound::kIn) {
    Report(loop->binder.span, kInvalidExpression, "the index of `rec` counts from 0; write `<`");
    return false;
  }
  if (!BindBinder(loop->binder, &members)) return false;
  IndexPtr index = loop->index = members[0];
  if (index->upper_value) {
    Report(index->span, kValueAsSize, absl::StrCat("the end of `", index->name, "`"),
           "a value computed at run time")
        .Suggest(kSuggestPadding);
    return false;
  }
  for (const auto& [name, state] : loop->states) {
    const ast::TypeExpr* type = DeclaredTypeOf(*state.head);
    if (index->upper || !type) continue;
    DeclaredType declared = EvalType(*type);
    if (declared.broken) return false;
    if (!declared.shape || declared.shape->empty() || !(*declared.shape)[0]) continue;
    SetRange(*index, Size(0), *(*declared.shape)[0]);
    index->ranged = declared.span;
  }
  for (const Loop::Step& step : loop->steps) {
    if (index->upper || !step.equation) continue;
    if (std::optional<Size> extent = ExtentOf(index->name, *step.equation->value, *loop)) {
      SetRange(*index, Size(0), *extent);
      index->ranged = step.equation->value->span;
    }
  }
  if (!index->upper && !loop->is_unknown) Report(index->span, kUnrangedIndex, index->name);
  loop->length = index->upper.value_or(Size(0));
  return index->upper.has_value();
}

// The axis that the index subscripts alone, of a tensor that is there before the loop.
std::optional<Size> Elaborator::ExtentOf(const std::string& index, const ast::Expr& expr, Loop& loop) {
  const auto* access = expr.As<ast::Subscript>();
  const ast::Expr* root = access ? access->base : nullptr;
  while (root && root->As<ast::Field>()) root = root->As<ast::Field>()->base;
  const auto* name = root ? root->As<ast::Ref>() : nullptr;
  Binding* binding = name ? Find(name->name) : nullptr;
  for (size_t axis = 0; binding && !binding->index && axis < access->items.size(); ++axis) {
    const ast::Expr* at = access->items[axis].at;
    const auto* ref = at ? at->As<ast::Ref>() : nullptr;
    if (!ref || ref->name != index || loop.states.contains(name->name)) continue;
    Value base = Eval(*access->base);
    loop.is_unknown |= base.IsPoison();
    while (IsRecord(base) && !Branches(base).empty()) base = Branches(base)[0].second;
    const TensorPtr* tensor = base.As<TensorPtr>();
    if (tensor && axis < (*tensor)->shape.size()) return (*tensor)->shape[axis];
  }
  std::optional<Size> extent;
  ast::ForEachChild(expr, [&](const ast::Expr& child) {
    if (!extent) extent = ExtentOf(index, child, loop);
  });
  return extent;
}

bool Elaborator::GiveSlices(const ast::Rec& rec, Loop* loop) {
  for (const ast::From& from : rec.from) {
    if (!GiveSlice(from, loop)) return false;
  }
  for (auto& [name, state] : loop->states) {
    auto has_hole = [](const Value& value) { return value.IsAbsent(); };
    if ((!state.before.empty() && !state.after.empty()) ||
        std::any_of(state.before.begin(), state.before.end(), has_hole) ||
        std::any_of(state.after.begin(), state.after.end(), has_hole)) {
      Report(state.given_at, kFromPosition,
             absl::StrCat("`from` gives `", name,
                          "` at positions next to the axis, all before it or all behind it"));
      return false;
    }
  }
  return true;
}

// One `from`: a slice at a position outside the axis.
bool Elaborator::GiveSlice(const ast::From& from, Loop* loop) {
  auto found = loop->states.find(from.name.text);
  if (found == loop->states.end()) {
    Report(from.name.span, kInvalidExpression,
           absl::StrCat("`", from.name.text, "` is not computed by this `rec`"))
        .SuggestNearest(from.name.text, loop->names);
    return false;
  }
  Loop::State& state = found->second;
  state.given_at = from.span;
  std::optional<Size> position = AsSize(Eval(*from.position), from.position->span, "a position");
  if (!position) return false;
  std::optional<int64_t> below = position->AsInteger(), above = (*position - loop->length).AsInteger();
  bool is_below = below && *below < 0, is_above = !is_below && above && *above >= 0;
  constexpr int64_t kMostGiven = 64;
  int64_t distance = is_below ? -*below - 1 : is_above ? *above : 0;
  if ((!is_below && !is_above) || distance >= kMostGiven) {
    Report(from.position->span, kFromPosition,
           absl::StrCat("`from` gives positions just outside the axis of ", loop->length.ToString(),
                        ": -1, -2, ... before it, or ", loop->length.ToString(), ", ... behind it"));
    return false;
  }
  std::vector<Value>& given = is_below ? state.before : state.after;
  if (static_cast<int64_t>(given.size()) <= distance)
    given.resize(static_cast<size_t>(distance) + 1, Value(Absent{}));
  ast::Equation equation;
  equation.value = from.value;
  ast::Head head;
  head.path.parts = {from.name};
  head.path.span = from.name.span;
  head.binders = from.binders;
  head.has_binders = !from.binders.empty();
  head.type = from.type ? from.type : RowType(state.head->type);
  if (!head.type) head.type = RowType(DeclaredTypeOf(*state.head));
  head.span = from.span;
  equation.heads = {head};
  bool is_typed = head.type != nullptr;
  if (!is_typed) {
    Diagnostics reports = diagnostics_;
    size_t first_change = state_changes_.size();
    Value value = Eval(*from.value);
    TakeStateChanges(first_change);
    diagnostics_ = std::move(reports);
    if (value.IsNumber() && !value.As<bool>()) state.open = &from;
  }
  ast::Stmt stmt;
  stmt.span = from.span;
  stmt.node = equation;
  Value value = EquationResults(stmt, std::get<ast::Equation>(stmt.node))[0];
  if (value.IsPoison()) return false;
  given[static_cast<size_t>(distance)] = value;
  return true;
}

// Whether the loop runs downwards; nothing after an error.
std::optional<bool> Elaborator::IsDownward(const Loop& loop) {
  bool up = true, down = true;
  Span before, behind, open, now;
  std::string name;
  for (const std::string& state : loop.names) {
    for (const auto& history : HistoriesOf(loop.states.at(state).history)) {
      up &= history->reads_before;
      down &= history->reads_behind;
      if (history->before_at.valid()) before = history->before_at;
      if (history->behind_at.valid()) behind = history->behind_at;
      if (history->open_at.valid()) open = history->open_at, name = history->name;
      if (history->now_at.valid()) now = history->now_at, name = history->name;
    }
  }
  // With nothing read, `from` says which way the loop runs.
  bool gives_after = std::any_of(loop.states.begin(), loop.states.end(),
                                 [](const auto& state) { return !state.second.after.empty(); });
  if (up || down) {
    bool downward = !up || (down && gives_after);
    if (downward && loop.until) {
      Report(loop.until->span, kUntilBound,
             "a `rec` with `until` runs upwards: where it ends is known when it gets there");
      return std::nullopt;
    }
    for (const auto& [state_name, state] : loop.states) {
      if (downward ? state.before.empty() : state.after.empty()) continue;
      Report(state.given_at, kFromPosition,
             absl::StrCat("this loop runs ", downward ? "downwards" : "upwards",
                          ", so `from` gives what lies ", downward ? "behind" : "before", " the axis"));
      return std::nullopt;
    }
    return downward;
  }
  if (now.valid()) {
    Report(now, kSameStep, name, loop.index->name)
        .Suggest(absl::StrCat("read the step before, `", name, "[", loop.index->name,
                              "-1]`, or stand below the equation that computes it"));
  } else if (open.valid()) {
    Report(open, kRecurrenceOrder, name, loop.index->name)
        .Suggest(
            "an access that only data places needs a condition that says it is earlier: `(... if j in 0.." +
            loop.index->name + " else ...)`");
  } else {
    Report(behind, kMixedDirections, loop.index->name).Label(before, "an earlier one is read here");
  }
  return std::nullopt;
}

// Writes the loop and binds what it makes.
void Elaborator::FinishLoop(const ast::Stmt& stmt, Loop* loop) {
  std::optional<bool> downward = IsDownward(*loop);
  if (!downward) return BindUnknown(stmt);
  Recurrence& node = loop->node;
  std::set<int> found = FoundIn(node.body);
  for (const std::string& name : loop->names) {
    for (const auto& history : HistoriesOf(loop->states.at(name).history)) {
      if (!history->slice || !IsRagged(history->slice->id, found)) continue;
      Report(stmt.span, kRaggedResult, loop->index->name);
      return BindUnknown(stmt);
    }
  }
  node.is_downward = *downward;
  Size length = loop->length;
  if (loop->until) {
    length = NewFoundSize(loop->found_name.text, Size(1), length);
    node.size = length.terms()[0].monomial[0].first->id;
  }
  node.index = {loop->index->id, loop->index->name, loop->length};
  auto finish = [&](const TensorPtr& tensor) -> TensorPtr {
    History& history = *tensor->history;
    Recurrence::State state;
    for (const TensorPtr& given : *downward ? history.after : history.before)
      state.given.push_back(given->id);
    int64_t window = history.window.empty() ? 0 : history.window.rbegin()->first;
    for (int64_t distance = 1; distance <= window; ++distance) {
      auto known = history.window.find(distance);
      state.window.push_back(known != history.window.end()
                                 ? known->second
                                 : NewTensor(history.name, history.type, history.row, history.span));
    }
    state.history = history.whole;
    state.slice = history.slice->id;
    std::vector<Size> shape{length};
    shape.insert(shape.end(), history.slice->shape.begin(), history.slice->shape.end());
    state.result = NewTensor(history.name, history.slice->type, shape, history.span);
    auto result = std::make_shared<TensorValue>(*StoredTensor(state.result));
    result->range = history.range ? history.range : history.slice->range;
    if (!state.given.empty()) {
      auto behind = std::make_shared<History>(history);
      behind->index = nullptr;
      behind->slice = nullptr;
      behind->length = length;
      result->history = behind;
    }
    node.states.push_back(std::move(state));
    return result;
  };
  std::function<Value(const Value&)> finish_all = [&](const Value& history) -> Value {
    if (const TensorPtr* tensor = history.As<TensorPtr>()) return finish(*tensor);
    std::vector<Value> parts;
    for (const auto& [field, part] : Branches(history)) parts.push_back(finish_all(part));
    return WithBranches(history, std::move(parts));
  };
  std::vector<std::pair<std::string, Value>> results;
  for (const std::string& name : loop->names) {
    const Value& history = loop->states.at(name).history;
    Value value = finish_all(history);
    results.emplace_back(name, std::move(value));
  }
  AddCarriedStates(loop);
  Emit(stmt.span, loop->label, std::move(node));
  SetCarriedStates(*loop, stmt.span);
  if (loop->until) Bind(loop->found_name.text, length, loop->found_name.span);
  for (auto& [name, value] : results) {
    Binding binding;
    binding.value = std::move(value);
    binding.span = loop->states.at(name).head->path.span;
    binding.never_absent = true;
    frame_->scopes.back()[name] = std::move(binding);
  }
}

}  // namespace weft::dsl::sema
