// The body of a `rec`: what a step reads and computes, for all of them (R22, R23).

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/loop.h"

namespace weft::dsl::sema {

std::vector<std::shared_ptr<History>> HistoriesOf(const Value& value) {
  std::vector<std::shared_ptr<History>> histories;
  if (const TensorPtr* tensor = value.As<TensorPtr>()) histories.push_back((*tensor)->history);
  for (const auto& [name, branch] : Branches(value)) {
    for (auto& history : HistoriesOf(branch)) histories.push_back(std::move(history));
  }
  return histories;
}

namespace {

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
    auto is_list = [&](const Value& value) {
      const auto* list = value.As<std::shared_ptr<ListValue>>();
      return list && !IsRegular(**list);
    };
    if (std::any_of(before.begin(), before.end(), is_list) ||
        std::any_of(after.begin(), after.end(), is_list)) {
      Unsupported(state.given_at, "a list of tensors that differ as a state");
      history->is_unknown = true;
    } else {
      give(before, &history->before);
      give(after, &history->after);
    }
    history->range = history->type == ElementType::kInt ? state.range : std::nullopt;
    const ast::TypeExpr* type = DeclaredTypeOf(*state.head);
    if (type) {
      DeclaredType declared = EvalType(*type);
      if (declared.range) history->range = declared.range;
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
  std::function<Value(const Values&, const Values&, const Value&, const std::string&)> build =
      [&](const Values& before, const Values& after, const Value& like, const std::string& label) -> Value {
    const Value& example = !before.empty() ? before[0] : !after.empty() ? after[0] : like;
    if (!IsRecord(example)) return make(before, after, label);
    auto branches = Branches(example);
    Values histories;
    for (size_t field = 0; field < branches.size(); ++field) {
      auto part = [&](const Values& values) {
        Values parts;
        for (const Value& value : values) {
          auto fields = Branches(value);
          if (field < fields.size()) parts.push_back(fields[field].second);
        }
        return parts;
      };
      const auto& [own, branch] = branches[field];
      histories.push_back(build(part(before), part(after), branch, absl::StrCat(label, ".", own)));
    }
    return WithBranches(example, std::move(histories));
  };
  state.history = build(state.before, state.after, state.example, name);
}

// The range of ints that `from` gives.
std::optional<std::pair<Size, Size>> Elaborator::GivenRange(const std::vector<Value>& given) {
  std::optional<std::pair<Size, Size>> all;
  for (const Value& value : given) {
    std::optional<std::pair<Size, Size>> own;
    const Size* size = value.As<Size>();
    if (const TensorPtr* tensor = value.As<TensorPtr>()) {
      own = (*tensor)->type == ElementType::kInt ? (*tensor)->range : std::nullopt;
    } else if (const Scalar* scalar = value.As<Scalar>()) {
      if (scalar->type == ElementType::kInt && scalar->form) own = RangeOf(*scalar->form);
    } else if (size && size->IsWhole()) {
      own = {*size, *size + Size(1)};
    }
    if (!own) return std::nullopt;
    all = all ? Spanning(*all, *own) : own;
    if (!all) return std::nullopt;
  }
  return all;
}

// The least range that holds both, where its ends are sizes.
std::optional<std::pair<Size, Size>> Elaborator::Spanning(const std::pair<Size, Size>& a,
                                                          const std::pair<Size, Size>& b) {
  Prover prover = MakeProver({a.first, a.second, b.first, b.second}, facts_);
  std::optional<Size> low, high;
  if (prover.AtMost(a.first, b.first)) low = a.first;
  if (!low && prover.AtMost(b.first, a.first)) low = b.first;
  if (!low && IsGlobal(a.first) && IsGlobal(b.first)) low = Minimum(a.first, b.first);
  if (prover.AtMost(b.second, a.second)) high = a.second;
  if (!high && prover.AtMost(a.second, b.second)) high = b.second;
  if (!high && IsGlobal(a.second) && IsGlobal(b.second)) high = Maximum(a.second, b.second);
  if (!low || !high) return std::nullopt;
  return std::pair(*low, *high);
}

// Whether a step that reads ints of the assumed range computes such: then all of them are, since the first
// ones are. If not, a wider range is assumed, and in the end none.
bool Elaborator::KeepsRange(const Loop& tried, const std::string& name, bool is_last, Loop* loop) {
  Loop::State* state = &loop->states.at(name);
  if (!state->range) return true;
  std::vector<std::shared_ptr<History>> histories = HistoriesOf(tried.states.at(name).history);
  const TensorPtr& slice = histories[0]->slice;
  if (!slice) return true;  // something else was wrong
  std::optional<std::pair<Size, Size>> wider;
  if (slice->type == ElementType::kInt && slice->range) wider = Spanning(*state->range, *slice->range);
  if (wider && wider->first == state->range->first && wider->second == state->range->second) return true;
  state->range = is_last ? std::nullopt : wider;
  return false;
}

// A `from` that is a number takes the type of what the loop computes (R20), and ints have the range that all
// steps keep (R21): tried out, what is said is forgotten.
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
  for (auto& [name, state] : loop->states) {
    const ast::TypeExpr* type = DeclaredTypeOf(*state.head);
    bool is_said = type && EvalType(*type).range;
    if (is_said || HoldsRecord(state.before) || HoldsRecord(state.after)) continue;
    state.range = GivenRange(state.before.empty() ? state.after : state.before);
    is_open |= state.range.has_value();
  }
  constexpr int kMostTries = 6, kMostWider = 2;
  std::map<std::string, ElementType> whole;  // the guesses before they were made real, if they were
  for (int attempt = 0; is_open && attempt < kMostTries; ++attempt) {
    Loop trial = *loop;
    for (Loop::Step& step : trial.steps) {
      if (step.equation == &loop->single) step.equation = &trial.single;
    }
    Trial what_is_said(*this);
    std::map<StateKey, const ast::Head*> next_heads = frame_->next_heads;
    int errors = diagnostics_.errors_found();
    RunSteps(stmt, &trial);
    frame_->next_heads = std::move(next_heads);
    bool failed = diagnostics_.errors_found() > errors;
    what_is_said.Forget();
    bool changed = false;
    bool is_last = attempt >= kMostWider;  // one more shows what the others are then
    for (auto& [name, state] : loop->states) {
      changed |= !KeepsRange(trial, name, is_last, loop);
      if (!state.open) continue;
      ElementType type = *state.guess;
      const Loop::State& tried = trial.states.at(name);
      std::vector<std::shared_ptr<History>> histories = HistoriesOf(tried.history);
      if (histories.size() == 1 && histories[0]->slice) type = histories[0]->slice->type;
      changed |= type != *state.guess;
      state.guess = type;
    }
    if (changed) continue;
    if (!failed) return true;
    // Perhaps a step takes real numbers alone. If that does not help, the mistake is another.
    for (auto& [name, state] : loop->states) {
      if (!state.open) continue;
      if (auto guess = whole.find(name); guess != whole.end()) {
        state.guess = guess->second;
      } else if (*state.guess == ElementType::kInt) {
        whole.emplace(name, *state.guess);
        state.guess = FloatType();
        changed = true;
      }
    }
    if (!changed) return true;
  }
  for (auto& [name, state] : loop->states) state.range = std::nullopt;
  return true;
}

void Elaborator::BindHistory(Loop* loop, const std::string& name) {
  MakeHistory(loop, name);
  Binding binding;
  binding.value = loop->states.at(name).history;
  binding.span = loop->states.at(name).head->path.span;
  binding.never_absent = true;
  frame_->scopes.back()[name] = std::move(binding);
}

// Of a state that nothing gives a first value, the step that computes it says whether it is a record.
void Elaborator::LearnRecord(Loop* loop, const std::string& name, const Value& value) {
  Loop::State& state = loop->states.at(name);
  const TensorPtr* tensor = state.history.As<TensorPtr>();
  bool is_open = tensor && !(*tensor)->history->is_known && !(*tensor)->history->is_unknown;
  if (!is_open || !IsRecord(value)) return;
  state.example = value;
  BindHistory(loop, name);
}

// The body of one step, for all of them.
bool Elaborator::RunSteps(const ast::Stmt& stmt, Loop* loop) {
  for (const std::string& name : loop->names) BindHistory(loop, name);
  std::vector<Statement>* outside = statements_;
  statements_ = &loop->node.body;
  size_t first_change = state_changes_.size();
  loop->carried = {loop->index, {}};
  open_steps_.push_back(&loop->carried);
  frame_->steps.push_back(loop->index);
  bool ok = true;
  for (const Loop::Step& step : loop->steps) {
    if (step.let) {
      Bind(step.let->name.text, AsLet(*step.let, Eval(*step.let->value)), step.let->name.span);
      continue;
    }
    bool may_change = true;
    for (const ast::Head& head : step.own.heads)
      may_change = (!head.is_next || CheckNext(head, step.own)) && may_change;
    ok = ok && may_change;
    if (!may_change) continue;
    std::vector<Value> results = EquationResults(stmt, step.own);
    for (size_t i = 0; i < results.size(); ++i) {
      const ast::Head& head = step.own.heads[i];
      if (head.is_next) {
        RunNext(step.equation->heads[i], results[i]);  // which lasts longer than the loop
        ok = ok && !results[i].IsPoison();
        continue;
      }
      const std::string& name = head.path.parts[0].text;
      if (results[i].IsPoison()) {
        for (const auto& history : HistoriesOf(loop->states.at(name).history)) history->is_unknown = true;
      }
      LearnRecord(loop, name, results[i]);
      ok = ok && !results[i].IsPoison() && KeepSlice(results[i], loop->states.at(name).history, head.span);
    }
  }
  if (ok && loop->until) ok = RunUntil(stmt, loop);
  CloseSteps(first_change, &loop->carried);
  frame_->steps.pop_back();
  statements_ = outside;
  for (const std::string& name : loop->names) frame_->scopes.back().erase(name);
  return ok;
}

// Whether the step is the last one: an equation of its own, which `until` is the name of.
bool Elaborator::RunUntil(const ast::Stmt& stmt, Loop* loop) {
  ast::Head head;
  head.path.parts = {{"until", loop->until->span}};
  head.path.span = head.span = loop->until->span;
  for (const Loop::Step& step : loop->steps) {
    if (!step.equation) continue;
    for (const ast::Binder& binder : step.own.leading().binders)
      frame_->until_indices.insert(binder.name.text);
  }
  Value value = EquationResults(stmt, {{head}, loop->until})[0];
  frame_->until_indices.clear();
  if (value.IsPoison()) return false;
  std::optional<TensorPtr> stop = AsTensor(value, loop->until->span);
  if (!stop) return false;
  if ((*stop)->type != ElementType::kBool || !(*stop)->shape.empty()) {
    Report(loop->until->span, kTypeMismatch,
           absl::StrCat("behind `until` stands one condition for a whole step, not ", Describe(value)));
    return false;
  }
  loop->node.stop = Materialize(*stop, "until", loop->until->span)->id;
  return true;
}

// What a step has computed, as a stored slice of the state.
bool Elaborator::KeepSlice(const Value& value, const Value& state, Span span) {
  if (IsRecord(value)) {
    if (state.As<TensorPtr>()) {
      Report(span, kTypeMismatch, "this is a record; give its first value with `from`");
      return false;
    }
    if (!AreAlike(value, state, /*same_shapes=*/false, span)) return false;
    auto parts = Branches(value), histories = Branches(state);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!KeepSlice(parts[i].second, histories[i].second, span)) return false;
    }
    return true;
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

}  // namespace weft::dsl::sema
