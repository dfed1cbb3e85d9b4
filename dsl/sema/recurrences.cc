// `rec`: one loop over positions whose steps read what earlier steps, or `from`, have given (R22-R24).

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// A loop while it is worked out: the form with one equation and the one with a block are the same.
struct Elaborator::Loop {
  ast::Binder binder;  // of its index
  IndexPtr index;
  Size length;
  bool is_unknown = false;  // something that the index subscripts could not be made out
  struct Step {
    const ast::Equation* equation;  // null: a `let`
    const ast::Let* let;
    ast::Equation own;  // of the equation: heads without the loop's index
  };
  std::vector<Step> steps;
  ast::Equation single;  // what `steps` points at for the form without a block
  struct State {
    const ast::Head* head;
    const ast::Expr* value;           // the right side, where it is the only head
    Value history;                    // a tensor, or a record of them
    const ast::From* open = nullptr;  // gives a number, whose type the loop decides
    std::optional<ElementType> guess;
    std::vector<Value> before, after;
    Span given_at;
  };
  std::map<std::string, State> states;
  std::vector<std::string> names;  // of states, in the order of the text
  Recurrence node;
};

namespace {

std::vector<std::shared_ptr<History>> HistoriesOf(const Value& value) {
  std::vector<std::shared_ptr<History>> histories;
  if (const TensorPtr* tensor = value.As<TensorPtr>()) histories.push_back((*tensor)->history);
  if (const auto* record = value.As<std::shared_ptr<Record>>()) {
    for (const auto& [name, field] : (*record)->fields) {
      for (auto& history : HistoriesOf(field)) histories.push_back(std::move(history));
    }
  }
  return histories;
}

bool IsFloat(ElementType type) { return type >= ElementType::kF16; }

// A condition, by how it is written.
bool IsTruth(const ast::Expr& expr) {
  if (const auto* unary = expr.As<ast::Unary>()) return unary->op == ast::UnaryOp::kNot;
  if (const auto* reduction = expr.As<ast::Reduction>())
    return reduction->word == ast::ReductionWord::kAny || reduction->word == ast::ReductionWord::kAll;
  if (const auto* binary = expr.As<ast::Binary>()) {
    using Op = ast::BinaryOp;
    switch (binary->op) {
      case Op::kOr:
      case Op::kAnd:
      case Op::kEq:
      case Op::kNe:
      case Op::kLt:
      case Op::kLe:
      case Op::kGt:
      case Op::kGe:
        return true;
      default:
        return false;
    }
  }
  return false;
}

}  // namespace

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
  if (rec.until) {
    Unsupported(rec.until->span, "`until`");
    return BindUnknown(stmt);
  }
  Loop loop;
  frame_->scopes.emplace_back();
  size_t in_force = in_force_.size();
  int before = diagnostics_.errors_found();
  bool ok = OpenLoop(stmt, rec, &loop) && OpenLoopIndex(rec, &loop);
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
      if (head.is_next || head.path.parts.size() != 1 || head.binders.empty()) {
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
  if (loop->names.empty()) Report(stmt.span, kInvalidExpression, "this `rec` computes nothing");
  return !loop->names.empty();
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
    Report(index->span, kStage, absl::StrCat("the end of `", index->name, "`"),
           "a size: it becomes part of a shape");
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
    if (const auto* record = base.As<std::shared_ptr<Record>>(); record && !(*record)->fields.empty())
      base = Value((*record)->fields[0].second);
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
      Report(state.given_at, kInvalidExpression,
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
    Report(from.position->span, kInvalidExpression,
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
    Value value = Eval(*from.value);
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

// What the name of a state stands for in the loop.
void Elaborator::MakeHistory(Loop* loop, const std::string& name) {
  Loop::State& state = loop->states.at(name);
  auto make = [&](const std::vector<Value>& before, const std::vector<Value>& after,
                  const std::string& label) -> Value {
    auto history = std::make_shared<History>();
    history->name = label;
    history->length = loop->length;
    history->index = loop->index;
    history->span = state.head->path.span;
    auto give = [&](const std::vector<Value>& from, std::vector<TensorPtr>* to) {
      for (const Value& value : from) {
        std::optional<TensorPtr> tensor = AsTensor(value, state.given_at);
        if (!tensor) return;
        if (state.guess && state.open) {
          Value cast = CastValue(*state.guess, Value(*tensor), state.given_at);
          if (cast.As<TensorPtr>()) tensor = *cast.As<TensorPtr>();
        }
        to->push_back(Materialize(*tensor, label, state.given_at));
        if (!history->is_known) history->range = to->back()->range;
        history->type = to->back()->type;
        history->row = to->back()->shape;
        history->is_known = true;
      }
    };
    give(before, &history->before);
    give(after, &history->after);
    history->range = std::nullopt;
    const ast::TypeExpr* type = DeclaredTypeOf(*state.head);
    if (type) {
      DeclaredType declared = EvalType(*type);
      history->range = declared.range;
      if (!history->is_known && declared.element && declared.shape && !declared.shape->empty()) {
        history->is_known = true;
        history->type = *declared.element;
        for (size_t i = 1; i < declared.shape->size(); ++i) {
          if (!(*declared.shape)[i]) history->is_known = false;
          history->row.push_back((*declared.shape)[i].value_or(Size(0)));
        }
      }
    } else if (!history->is_known && state.value && IsTruth(*state.value)) {
      // The indices on the left say the shape of a condition.
      history->is_known = true;
      history->type = ElementType::kBool;
      for (size_t i = 1; i < state.head->binders.size(); ++i) {
        const ast::Binder& binder = state.head->binders[i];
        std::optional<Size> size;
        if (binder.kind == ast::Binder::Kind::kIndex && binder.bound == ast::Binder::Bound::kLess)
          size = AsSize(Eval(*binder.limit), binder.limit->span, "the end of an index");
        history->is_known &= size.has_value();
        history->row.push_back(size.value_or(Size(0)));
      }
    }
    for (const auto* given : {&before, &after})
      for (const Value& value : *given) history->is_unknown |= value.IsPoison();
    auto tensor = std::make_shared<TensorValue>();
    tensor->type = history->type;
    tensor->shape = history->row;
    tensor->shape.insert(tensor->shape.begin(), loop->length);
    tensor->history = history;
    tensor->rule = [this, history](const std::vector<Scalar>&) {
      Report(history->span, kInvalidExpression,
             absl::StrCat("in its own loop `", history->name, "` is read at one step at a time"));
      return Literal(history->type, 0, history->span);
    };
    return TensorPtr(tensor);
  };
  // Records go leaf by leaf.
  using Values = std::vector<Value>;
  std::function<Value(const Values&, const Values&, const std::string&)> build =
      [&](const Values& before, const Values& after, const std::string& label) -> Value {
    const Value* example = !before.empty() ? &before[0] : !after.empty() ? &after[0] : nullptr;
    const auto* record = example ? example->As<std::shared_ptr<Record>>() : nullptr;
    if (!record) return make(before, after, label);
    auto histories = std::make_shared<Record>();
    for (size_t field = 0; field < (*record)->fields.size(); ++field) {
      auto part = [&](const Values& values) {
        Values parts;
        for (const Value& value : values) {
          const auto* fields = value.As<std::shared_ptr<Record>>();
          if (fields && field < (*fields)->fields.size()) parts.push_back((*fields)->fields[field].second);
        }
        return parts;
      };
      const std::string& own = (*record)->fields[field].first;
      histories->fields.emplace_back(own, build(part(before), part(after), absl::StrCat(label, ".", own)));
    }
    return histories;
  };
  state.history = build(state.before, state.after, name);
}

// A `from` that is a number takes the type of what the loop computes (R20): tried out, what is said is
// forgotten.
bool Elaborator::TryTypes(const ast::Stmt& stmt, Loop* loop) {
  bool is_open = false;
  for (auto& [name, state] : loop->states) {
    is_open |= state.open != nullptr;
    bool is_real = false;
    for (const Value& value : state.before.empty() ? state.after : state.before) {
      const TensorPtr* tensor = value.As<TensorPtr>();
      const Scalar* scalar = value.As<Scalar>();
      is_real |=
          value.As<double>() || (tensor && IsFloat((*tensor)->type)) || (scalar && IsFloat(scalar->type));
    }
    if (state.open) state.guess = is_real ? FloatType() : ElementType::kInt;
  }
  constexpr int kMostTries = 4;
  for (int attempt = 0; is_open && attempt < kMostTries; ++attempt) {
    Loop trial = *loop;
    for (Loop::Step& step : trial.steps) {
      if (step.equation == &loop->single) step.equation = &trial.single;
    }
    Diagnostics reports = diagnostics_;
    auto told = told_;
    auto unknown = unknown_names_;
    bool work_reported = work_reported_;
    int errors = diagnostics_.errors_found();
    RunSteps(stmt, &trial);
    bool failed = diagnostics_.errors_found() > errors;
    diagnostics_ = std::move(reports);
    told_ = std::move(told);
    unknown_names_ = std::move(unknown);
    work_reported_ = work_reported;
    bool changed = false;
    for (auto& [name, state] : loop->states) {
      if (!state.open) continue;
      ElementType type = *state.guess;
      const Loop::State& tried = trial.states.at(name);
      std::vector<std::shared_ptr<History>> histories = HistoriesOf(tried.history);
      if (histories.size() == 1 && histories[0]->slice) type = histories[0]->slice->type;
      if (failed && type == ElementType::kInt) type = FloatType();
      changed |= type != *state.guess;
      state.guess = type;
    }
    if (!changed) break;
  }
  return true;
}

// The body of one step, for all of them.
bool Elaborator::RunSteps(const ast::Stmt& stmt, Loop* loop) {
  for (const std::string& name : loop->names) {
    MakeHistory(loop, name);
    Binding binding;
    binding.value = loop->states.at(name).history;
    binding.span = loop->states.at(name).head->path.span;
    binding.never_absent = true;
    frame_->scopes.back()[name] = std::move(binding);
  }
  std::vector<Statement>* outside = statements_;
  statements_ = &loop->node.body;
  bool ok = true;
  for (const Loop::Step& step : loop->steps) {
    if (step.let) {
      Bind(step.let->name.text, AsLet(*step.let, Eval(*step.let->value)), step.let->name.span);
      continue;
    }
    std::vector<Value> results = EquationResults(stmt, step.own);
    for (size_t i = 0; i < results.size(); ++i) {
      const ast::Head& head = step.own.heads[i];
      const std::string& name = head.path.parts[0].text;
      if (results[i].IsPoison()) {
        for (const auto& history : HistoriesOf(loop->states.at(name).history)) history->is_unknown = true;
      }
      ok = ok && !results[i].IsPoison() && KeepSlice(results[i], loop->states.at(name).history, head.span);
    }
  }
  statements_ = outside;
  for (const std::string& name : loop->names) frame_->scopes.back().erase(name);
  return ok;
}

// What a step has computed, as a stored slice of the state.
bool Elaborator::KeepSlice(const Value& value, const Value& state, Span span) {
  if (const auto* record = value.As<std::shared_ptr<Record>>()) {
    const auto* histories = state.As<std::shared_ptr<Record>>();
    const TensorPtr* single = state.As<TensorPtr>();
    if (histories && (*histories)->fields.size() == (*record)->fields.size()) {
      for (size_t i = 0; i < (*record)->fields.size(); ++i) {
        if (!KeepSlice((*record)->fields[i].second, (*histories)->fields[i].second, span)) return false;
      }
      return true;
    }
    Report(span, kTypeMismatch,
           single ? "this is a record; give its first value with `from`"
                  : "this record has other fields than `from` gives");
    return false;
  }
  const TensorPtr* tensor = state.As<TensorPtr>();
  if (!tensor) {
    Report(span, kTypeMismatch, "this is no record, and `from` gives one");
    return false;
  }
  History& history = *(*tensor)->history;
  std::optional<TensorPtr> slice = AsTensor(value, span);
  if (!slice) return false;
  if (history.is_known && (*slice)->type != history.type) {
    std::optional<ElementType> meeting = Meet((*slice)->type, history.type);
    bool fits = meeting && *meeting == history.type;
    Value cast = fits ? CastValue(history.type, Value(*slice), span) : Value(Poison{});
    if (fits && cast.As<TensorPtr>()) {
      slice = *cast.As<TensorPtr>();
    } else {
      history.slice = *slice;
      Report(span, kTypeMismatch,
             absl::StrCat("a step computes `", history.name, "` as ", Spelled((*slice)->type),
                          ", and before the first it is ", Spelled(history.type)));
      return false;
    }
  }
  if (history.is_known && (*slice)->shape.size() != history.row.size()) {
    Report(span, kRankMismatch, absl::StrCat("`", history.name, "`"),
           absl::StrCat((*slice)->shape.size(), " axes in a step"),
           absl::StrCat(history.row.size(), " before the first"));
    return false;
  }
  for (size_t axis = 0; history.is_known && axis < history.row.size(); ++axis)
    RequireEqual((*slice)->shape[axis], history.row[axis], span,
                 absl::StrCat("axis ", axis, " of a step's `", history.name, "`, and what is given"));
  history.slice = Materialize(*slice, history.name, span);
  return true;
}

// Whether the loop runs downwards; nothing after an error.
std::optional<bool> Elaborator::IsDownward(const Loop& loop) {
  bool up = true, down = true;
  Span before, behind, open;
  std::string name;
  for (const std::string& state : loop.names) {
    for (const auto& history : HistoriesOf(loop.states.at(state).history)) {
      up &= history->reads_before;
      down &= history->reads_behind;
      if (history->before_at.valid()) before = history->before_at;
      if (history->behind_at.valid()) behind = history->behind_at;
      if (history->open_at.valid()) open = history->open_at, name = history->name;
    }
  }
  // With nothing read, `from` says which way the loop runs.
  bool gives_after = std::any_of(loop.states.begin(), loop.states.end(),
                                 [](const auto& state) { return !state.second.after.empty(); });
  if (up || down) {
    bool downward = !up || (down && gives_after);
    for (const auto& [state_name, state] : loop.states) {
      if (downward ? state.before.empty() : state.after.empty()) continue;
      Report(state.given_at, kInvalidExpression,
             absl::StrCat("this loop runs ", downward ? "downwards" : "upwards",
                          ", so `from` gives what lies ", downward ? "behind" : "before", " the axis"));
      return std::nullopt;
    }
    return downward;
  }
  if (open.valid()) {
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
    std::vector<Size> shape{loop->length};
    shape.insert(shape.end(), history.slice->shape.begin(), history.slice->shape.end());
    state.result = NewTensor(history.name, history.slice->type, shape, history.span);
    auto result = std::make_shared<TensorValue>(*StoredTensor(state.result));
    result->range = history.range ? history.range : history.slice->range;
    if (!state.given.empty()) {
      auto behind = std::make_shared<History>(history);
      behind->index = nullptr;
      behind->slice = nullptr;
      result->history = behind;
    }
    node.states.push_back(std::move(state));
    return result;
  };
  std::function<Value(const Value&)> finish_all = [&](const Value& history) -> Value {
    if (const TensorPtr* tensor = history.As<TensorPtr>()) return finish(*tensor);
    auto fields = std::make_shared<Record>();
    if (const auto* record = history.As<std::shared_ptr<Record>>()) {
      for (const auto& [field, part] : (*record)->fields)
        fields->fields.emplace_back(field, finish_all(part));
    }
    return fields;
  };
  std::vector<std::pair<std::string, Value>> results;
  for (const std::string& name : loop->names) {
    const Value& history = loop->states.at(name).history;
    Value value = finish_all(history);
    results.emplace_back(name, std::move(value));
  }
  Emit(stmt.span, loop->names[0], std::move(node));
  for (auto& [name, value] : results) {
    Binding binding;
    binding.value = std::move(value);
    binding.span = loop->states.at(name).head->path.span;
    binding.never_absent = true;
    frame_->scopes.back()[name] = std::move(binding);
  }
}

}  // namespace weft::dsl::sema
