// State: what a model keeps between applications, and `next`, which changes it (R32). While a method is
// worked out every state has a value by now; an application reads it and leaves the one after it, so that
// applications chain in the order of the text.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

StatefulPlace::StatefulPlace(Elaborator& elaborator, std::string where, Span span) : elaborator_(elaborator) {
  elaborator_.stateful_places_.push_back({std::move(where), span});
}

StatefulPlace::~StatefulPlace() { elaborator_.stateful_places_.pop_back(); }

std::optional<Elaborator::StateMember> Elaborator::FindState(const ast::Head& head, bool report) {
  auto fail = [&](const std::string& text) -> std::optional<StateMember> {
    if (report) Report(head.span, kInvalidExpression, text);
    return std::nullopt;
  };
  const std::vector<ast::Name>& parts = head.path.parts;
  ModelPtr model = frame_->self;
  if (!model) return fail("`next` stands in the method of a model: what is no model keeps nothing");
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    auto member = model->members.find(parts[i].text);
    const ModelPtr* inner = member != model->members.end() ? member->second.As<ModelPtr>() : nullptr;
    if (!inner) {
      bool is_unknown = member != model->members.end() && member->second.IsPoison();
      return is_unknown ? std::nullopt : fail(absl::StrCat("`", parts[i].text, "` is no model"));
    }
    model = *inner;
  }
  const ast::Name& name = parts.back();
  if (name.text == "params") {
    if (report) Unsupported(head.span, "a `next` of the weights of a model");
    return std::nullopt;
  }
  std::vector<std::string> states;
  for (const ast::Member* member : model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (!stored) continue;
    bool is_state = stored->kind == ast::StoredMember::Kind::kState;
    if (is_state) states.push_back(stored->name.text);
    if (stored->name.text != name.text) continue;
    if (member->broken) return std::nullopt;
    if (!is_state) return fail(absl::StrCat("`", name.text, "` is no state, so it has no next value"));
    return StateMember{model, stored};
  }
  if (report) {
    Report(name.span, kUnknownMember, absl::StrCat("the model `", model->model->name.text, "`"), name.text)
        .SuggestNearest(name.text, states);
  }
  return std::nullopt;
}

// A state has one next value in a body, and its type stands where it is declared.
bool Elaborator::CheckNext(const ast::Head& head, const ast::Equation& equation) {
  std::optional<StateMember> state = FindState(head, true);
  if (!state) return false;
  if (head.type) {
    Report(head.type->span, kInvalidExpression, "the type of a state stands where it is declared")
        .Note(state->member->name.span, "declared here");
    return false;
  }
  const ast::Head* first = nullptr;
  if (auto known = frame_->next_heads.find(state->key()); known != frame_->next_heads.end())
    first = known->second;
  for (const ast::Head& other : equation.heads) {
    if (&other == &head) break;
    std::optional<StateMember> same = other.is_next ? FindState(other, false) : std::nullopt;
    if (same && same->key() == state->key()) first = &other;
  }
  if (!first) return true;
  Report(head.span, kNextTwice, head.path.ToString()).Note(first->span, "first here");
  return false;
}

// The value by now.
Value Elaborator::CurrentState(const StateMember& state, Span span) {
  auto now = states_.find(state.key());
  if (now != states_.end()) return now->second;
  Value value = WeightValue(state.model, *state.member, span);
  if (generic_) states_[state.key()] = value;  // no program's weight says that two readings are one value
  return value;
}

// What reading the state gives: the value before this application. Below `next` that is over.
Value Elaborator::ReadState(const ModelPtr& model, const ast::StoredMember& member, Span span) {
  StateMember state{model, &member};
  const Frame* called = nullptr;  // from the frame that is looked at
  for (const Frame* frame = frame_; frame; called = frame, frame = frame->caller) {
    auto next = frame->next_heads.find(state.key());
    if (next == frame->next_heads.end()) continue;
    DiagnosticBuilder builder = Report(called ? called->call : span, kReadAfterNext, member.name.text);
    if (called) builder.Note(span, absl::StrCat("read here, by ", called->subject));
    builder.Note(next->second->span, "its next value")
        .Suggest(absl::StrCat("give the next value a name, `new = ...` and `next ",
                              next->second->path.ToString(), " = new`, and use `new`"));
    return Poison{};
  }
  return CurrentState(state, span);
}

// As the equation's left side declares it.
Elaborator::DeclaredType Elaborator::DeclarationOf(const ast::Head& head) {
  if (!head.is_next) {
    const ast::TypeExpr* type = DeclaredTypeOf(head);
    return type ? EvalType(*type) : DeclaredType();
  }
  std::optional<StateMember> state = FindState(head, false);
  return state ? TypeOfState(*state) : DeclaredType();
}

Elaborator::DeclaredType Elaborator::TypeOfState(const StateMember& state) {
  Frame frame;
  frame.module = state.model->module;
  frame.self = state.model;
  frame.caller = frame_;
  FrameScope scope(*this, frame);
  return EvalType(*state.member->type);
}

// `next x = x`, which is nothing.
bool Elaborator::KeepsState(const ast::Head& head, const std::vector<LeftAxis>& axes, const Value& value) {
  std::optional<StateMember> state = FindState(head, false);
  if (!state) return false;
  Value now = CurrentState(*state, head.span);
  const TensorPtr *before = now.As<TensorPtr>(), *after = value.As<TensorPtr>();
  if (before && after) {
    return (*after)->id >= 0 && (*after)->id == (*before)->id && IsWhole(**after, (*before)->shape);
  }
  const Scalar* element = value.As<Scalar>();
  const Read* read = element ? std::get_if<Read>(&element->expr->node) : nullptr;
  if (!read) return false;
  if (const Scalar* scalar = now.As<Scalar>()) {
    const Read* same = std::get_if<Read>(&scalar->expr->node);
    return same && same->tensor == read->tensor && read->subscripts.empty();
  }
  if (!before || read->tensor != (*before)->id || read->subscripts.size() != axes.size()) return false;
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    const auto* index = std::get_if<IndexRef>(&read->subscripts[axis].at->node);
    bool is_own = index && axes[axis].members.size() == 1 && axes[axis].members[0]->id == index->index;
    if (!is_own) return false;
  }
  return true;
}

// The right side in the type that is declared; absent where it is what the state is.
Value Elaborator::NextValue(const ast::Head& head, const std::vector<LeftAxis>& axes, const Value& value,
                            Span span) {
  if (value.IsAbsent()) {
    Report(span, kAbsence, absl::StrCat("the next value of `", head.path.ToString(), "` is absent here"));
    return Poison{};
  }
  if (KeepsState(head, axes, value)) return Absent{};
  if (!head.has_binders) return Store(head.path.parts.back().text, value, DeclarationOf(head), span);
  Value stored = Define(head, axes, value, span);
  return KeepsState(head, {}, stored) ? Value(Absent{}) : stored;
}

void Elaborator::RunNext(const ast::Head& head, const Value& value) {
  std::optional<StateMember> state = FindState(head, false);
  if (!state) return;
  frame_->next_heads.emplace(state->key(), &head);
  if (value.IsPoison() || value.IsAbsent()) return;
  std::vector<std::pair<std::string, Span>> places = stateful_places_;
  if (!FreeIndices(value).empty()) places.emplace_back("for every element", head.span);
  if (!places.empty()) {
    DiagnosticBuilder builder =
        Report(places[0].second, kStatefulPlace, head.path.ToString(), places[0].first);
    builder.Note(head.span, "its next value is given here");
    return;
  }
  std::optional<TensorPtr> tensor = AsTensor(value, head.span);
  if (!tensor) return;
  TensorPtr stored =
      Materialize(InShapeOf(*state, *tensor, head.span), head.path.parts.back().text, head.span);
  SetState(state->key(), StoredValue(stored->id, TypeOfState(*state).range, head.span));
}

// The tensor in the shape of the state, which is made of numbers: equal sizes were proved, or are checked.
TensorPtr Elaborator::InShapeOf(const StateMember& state, const TensorPtr& tensor, Span span) {
  Value now = CurrentState(state, span);
  const TensorPtr* before = now.As<TensorPtr>();
  if (!before || (*before)->shape == tensor->shape) return tensor;
  auto whole = std::make_shared<TensorValue>();
  whole->type = tensor->type;
  whole->shape = (*before)->shape;
  whole->range = tensor->range;
  whole->rule = [this, tensor, span](const std::vector<Scalar>& at) { return ElementAt(*tensor, at, span); };
  return whole;
}

void Elaborator::SetState(const StateKey& key, Value value) {
  auto [place, is_new] = states_.try_emplace(key);
  state_changes_.emplace_back(key, is_new ? std::nullopt : std::optional<Value>(place->second));
  place->second = std::move(value);
}

// Undoes the changes from this one on; gives the values that they led to.
std::map<StateKey, Value> Elaborator::TakeStateChanges(size_t first) {
  std::map<StateKey, Value> changed;
  for (size_t i = first; i < state_changes_.size(); ++i)
    changed[state_changes_[i].first] = states_.at(state_changes_[i].first);
  while (state_changes_.size() > first) {
    auto& [key, before] = state_changes_.back();
    if (before) {
      states_[key] = *before;
    } else {
      states_.erase(key);
    }
    state_changes_.pop_back();
  }
  return changed;
}

// What the branch that is taken changes happens, what the other one would change does not.
void Elaborator::MergeStates(const Value& condition, const std::map<StateKey, Value>& then,
                             const std::map<StateKey, Value>& otherwise, const ast::Expr& expr,
                             const std::function<Value(const std::vector<Value>&)>& select) {
  std::map<StateKey, Value> changed = then;
  changed.insert(otherwise.begin(), otherwise.end());
  if (changed.empty()) return;
  const TensorPtr* mask = condition.As<TensorPtr>();
  if ((mask && !(*mask)->shape.empty()) || !FreeIndices(condition).empty()) {
    Report(expr.span, kStatefulPlace, changed.begin()->first.name,
           "in a branch that is taken for some elements alone");
    return;
  }
  for (const auto& [key, value] : changed) {
    Value before = CurrentState(MemberOf(key), expr.span);
    auto value_in = [&](const std::map<StateKey, Value>& branch) {
      auto found = branch.find(key);
      return found != branch.end() ? found->second : before;
    };
    Value merged = Elementwise({condition, value_in(then), value_in(otherwise)}, expr.span, select);
    std::optional<TensorPtr> tensor = merged.IsPoison() ? std::nullopt : AsTensor(merged, expr.span);
    if (!tensor) continue;
    // Both branches keep to the range that is declared.
    TensorId id = Materialize(*tensor, key.name, expr.span)->id;
    SetState(key, StoredValue(id, TypeOfState(MemberOf(key)).range, expr.span));
  }
}

Elaborator::StateMember Elaborator::MemberOf(const StateKey& key) {
  for (const ast::Member* member : key.model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (stored && stored->name.text == key.name) return {key.model, stored};
  }
  return {};
}

// What the method leaves behind, in the order of the program's weights.
void Elaborator::AddNextStates() {
  std::map<int, TensorId> changed;
  for (const auto& [key, value] : states_) {
    auto weight = key.model->weights.find(key.name);
    if (weight == key.model->weights.end()) continue;
    Span span = program_.weights[weight->second].span;
    std::optional<TensorPtr> tensor = AsTensor(value, span);
    if (!tensor) continue;
    TensorId id = Materialize(*tensor, key.name, span)->id;
    const Tensor& stored = method_->tensors[id];
    bool is_kept = stored.origin == Tensor::Origin::kWeight && stored.source == weight->second;
    if (!is_kept) changed[weight->second] = id;
  }
  for (const auto& [weight, tensor] : changed) {
    method_->next.push_back({weight, tensor});
    program_.weights[weight].changes = true;
  }
}

}  // namespace weft::dsl::sema
