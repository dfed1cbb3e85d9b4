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

// `next x`, of a state of the model or of a part of it; `next net.params` and `next net.weight`, of weights.
std::optional<Elaborator::NextTarget> Elaborator::FindNext(const ast::Head& head, bool report) {
  auto fail = [&](const std::string& text, const std::string& suggestion) -> std::optional<NextTarget> {
    if (report) Report(head.span, kNextTarget, text).Suggest(suggestion);
    return std::nullopt;
  };
  const std::vector<ast::Name>& parts = head.path.parts;
  Value at = frame_->self ? Value(frame_->self) : Value(Absent{});
  const char* use = "`next x = ...` changes a state of the model, `next net.x = ...` one of its member `net`";
  if (at.IsAbsent()) {
    return fail("`next` stands in the method of a model: what is no model keeps nothing",
                absl::StrCat("declare `state ", parts.back().text,
                             ": ...` in a model; what changes from step to step is a `rec`"));
  }
  bool is_weights = parts.size() > 1 && parts.back().text == "params";
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const ModelPtr* outer = at.As<ModelPtr>();
    if (!outer) return fail(absl::StrCat("`", parts[i - 1].text, "` is no model"), use);
    auto member = (*outer)->members.find(parts[i].text);
    at = member != (*outer)->members.end() ? member->second : Value(Absent{});
    if (at.IsPoison()) return std::nullopt;
    bool is_list = is_weights && at.As<std::shared_ptr<ListValue>>();
    if (!at.As<ModelPtr>() && !is_list) return fail(absl::StrCat("`", parts[i].text, "` is no model"), use);
  }
  if (is_weights) return NextWeights(at);
  const ModelPtr& model = *at.As<ModelPtr>();
  const ast::Name& name = parts.back();
  std::vector<std::string> states;
  for (const ast::Member* member : model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (!stored) continue;
    bool is_state = stored->kind == ast::StoredMember::Kind::kState;
    if (is_state) states.push_back(stored->name.text);
    if (stored->name.text != name.text) continue;
    if (member->broken) return std::nullopt;
    if (!is_state && parts.size() == 1) {
      return fail(absl::StrCat("`", name.text, "` is a weight and no state, so it has no next value"),
                  absl::StrCat("declare `state ", name.text, ": ...` if runs change it"));
    }
    NextTarget target{{{model, stored, ""}}, {}};
    if (!is_state) {
      Value like = LikeWeight(model, *stored);
      if (like.IsPoison()) return std::nullopt;
      return like.IsAbsent() ? fail(absl::StrCat("the weight `", name.text, "` is absent here"), use)
                             : target;
    }
    if (!IsRecordType(stored->type)) return target;
    DeclaredType type = TypeOfState(target.leaves[0]);
    if (!type.record) return std::nullopt;
    target.leaves.clear();
    for (const std::string& path : type.paths) target.leaves.push_back({model, stored, path});
    target.record = type.record;
    return target;
  }
  if (report) {
    Report(name.span, kUnknownMember, absl::StrCat("the model `", model->model->name.text, "`"), name.text)
        .SuggestNearest(name.text, states);
  }
  return std::nullopt;
}

std::optional<Elaborator::NextTarget> Elaborator::NextWeights(const Value& models) {
  NextTarget target;
  Value record =
      MapWeights(models, "", [&](const ModelPtr& model, const ast::StoredMember& member, const std::string&) {
        Value like = LikeWeight(model, member);
        if (!like.IsAbsent()) target.leaves.push_back({model, &member, ""});
        return like;
      });
  if (record.IsPoison()) return std::nullopt;
  target.record = record;
  return target;
}

// A state has one next value in a body, and its type stands where it is declared.
bool Elaborator::CheckNext(const ast::Head& head, const ast::Equation& equation) {
  std::optional<NextTarget> target = FindNext(head, true);
  if (!target) return false;
  if (head.type) {
    DiagnosticBuilder builder =
        Report(head.type->span, kInvalidExpression, "the type of a state stands where it is declared");
    if (!target->leaves.empty()) builder.Note(target->leaves[0].member->name.span, "declared here");
    return false;
  }
  if (target->record && head.has_binders) {
    Report(head.span, kInvalidExpression, "a record of weights has no indices; `next` gives all of it");
    return false;
  }
  std::set<StateKey> keys;
  for (const StateMember& state : target->leaves) keys.insert(state.key());
  const ast::Head* first = nullptr;
  for (const StateKey& key : keys) {
    auto known = frame_->next_heads.find(key);
    if (!first && known != frame_->next_heads.end()) first = known->second;
  }
  for (const ast::Head& other : equation.heads) {
    if (&other == &head) break;
    std::optional<NextTarget> before = other.is_next ? FindNext(other, false) : std::nullopt;
    if (!before) continue;
    for (const StateMember& state : before->leaves) {
      if (keys.contains(state.key())) first = &other;
    }
  }
  if (!first) return true;
  Report(head.span, kNextTwice, head.path.ToString()).Note(first->span, "first here");
  return false;
}

// The value by now, in a step as well.
Value Elaborator::CurrentState(const StateMember& state, Span span) {
  for (CarriedStates* steps : open_steps_)
    if (!steps->states.contains(state.key())) Carry(state, steps, span);
  return StateByNow(state, span);
}

Value Elaborator::StateByNow(const StateMember& state, Span span) {
  auto now = states_.find(state.key());
  if (now != states_.end()) return now->second;
  Value value;
  if (state.leaf.empty()) {
    value = WeightValue(state.model, *state.member, span);
  } else {
    Frame frame = FrameOf(state.model);
    FrameScope scope(*this, frame);
    value = WeightOf(state, TypeOfState(state), span);
  }
  if (generic_) states_[state.key()] = value;  // no program's weight says that two readings are one value
  return value;
}

// What the name of a weight or of a state stands for.
Value Elaborator::ReadStored(const ModelPtr& model, const ast::StoredMember& member, Span span) {
  StateMember stored{model, &member, ""};
  if (member.kind == ast::StoredMember::Kind::kParam) {
    if (const Value* given = GivenWeight(stored.key())) return *given;
  } else if (IsRecordType(member.type)) {
    DeclaredType type = TypeOfState(stored);
    if (!type.record) return Poison{};
    size_t leaf = 0;
    return ByLeaf({*type.record}, span, [&](const std::vector<Value>&) {
      return ReadState({model, &member, type.paths[leaf++]}, span);
    });
  }
  return ReadState(stored, span);
}

// What reading the state gives: the value before this application. Below `next` that is over.
Value Elaborator::ReadState(const StateMember& state, Span span) {
  if (!IsAboveInitial(state, span)) return Poison{};
  const Frame* called = nullptr;  // from the frame that is looked at
  for (const Frame* frame = frame_; frame; called = frame, frame = frame->caller) {
    auto next = frame->next_heads.find(state.key());
    if (next == frame->next_heads.end()) continue;
    bool is_weight = state.member->kind == ast::StoredMember::Kind::kParam;
    const std::string changed = next->second->path.ToString();
    DiagnosticBuilder builder =
        Report(called ? called->call : span, kReadAfterNext, is_weight ? changed : state.member->name.text);
    if (called) builder.Note(span, absl::StrCat("read here, by ", called->subject));
    builder.Note(next->second->span, "its next value")
        .Suggest(absl::StrCat("give the next value a name, `new = ...` and `next ", changed,
                              " = new`, and use `new`"));
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
  std::optional<NextTarget> target = FindNext(head, false);
  return target && !target->record ? TypeOfState(target->leaves[0]) : DeclaredType();
}

Elaborator::DeclaredType Elaborator::TypeOfState(const StateMember& state) {
  StateKey whole{state.model, state.member->name.text};
  auto known = record_types_.find(whole);
  if (known == record_types_.end()) {
    Frame frame = FrameOf(state.model);
    FrameScope scope(*this, frame);
    DeclaredType type = EvalType(*state.member->type);
    if (!type.record) return type;
    known = record_types_.emplace(whole, std::move(type)).first;
  }
  const DeclaredType& type = known->second;
  if (state.leaf.empty()) return type;
  auto place = std::find(type.paths.begin(), type.paths.end(), state.leaf);
  return LeafType(Leaves(*type.record)[static_cast<size_t>(place - type.paths.begin())], type.span);
}

// `next x = x`, which is nothing.
bool Elaborator::KeepsState(const StateMember& state, const std::vector<LeftAxis>& axes, const Value& value,
                            Span span) {
  Value now = CurrentState(state, span);
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
  std::optional<NextTarget> target = FindNext(head, false);
  if (!target) return Poison{};
  if (!target->record) return NextOf(target->leaves[0], head, axes, value, span);
  DeclaredType type;
  type.record = target->record;
  type.span = head.path.span;
  Value record = AsRecord(type, value, head.path.ToString(), span);
  size_t leaf = 0;
  return ByLeaf({record}, span, [&](const std::vector<Value>& part) {
    return NextOf(target->leaves[leaf++], head, axes, part[0], span);
  });
}

Value Elaborator::NextOf(const StateMember& state, const ast::Head& head, const std::vector<LeftAxis>& axes,
                         const Value& value, Span span) {
  if (KeepsState(state, axes, value, head.span)) return Absent{};
  if (!head.has_binders) return Store(head.path.parts.back().text, value, TypeOfState(state), span);
  Value stored = Define(head, axes, value, span);
  return KeepsState(state, {}, stored, head.span) ? Value(Absent{}) : stored;
}

void Elaborator::RunNext(const ast::Head& head, const Value& value) {
  std::optional<NextTarget> target = FindNext(head, false);
  if (!target) return;
  for (const StateMember& state : target->leaves) frame_->next_heads.emplace(state.key(), &head);
  if (value.IsPoison()) return;
  std::vector<Value> values = target->record ? Leaves(value) : std::vector<Value>{value};
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].IsAbsent()) continue;
    if (!SetNext(target->leaves[i], head, values[i])) return;
  }
}

bool Elaborator::SetNext(const StateMember& state, const ast::Head& head, const Value& value) {
  std::vector<std::pair<std::string, Span>> places = stateful_places_;
  if (!FreeIndicesInStep(value).empty()) places.emplace_back("for every element", head.span);
  if (!places.empty()) {
    DiagnosticBuilder builder =
        Report(places[0].second, kStatefulPlace, head.path.ToString(), places[0].first);
    builder.Note(head.span, "its next value is given here");
    return false;
  }
  std::optional<TensorPtr> tensor = AsTensor(value, head.span);
  if (!tensor) return false;
  Value now = CurrentState(state, head.span);
  const TensorPtr* before = now.As<TensorPtr>();
  TensorPtr shaped = before ? InShape((*before)->shape, *tensor, head.span) : *tensor;
  TensorPtr stored = Materialize(shaped, head.path.parts.back().text, head.span);
  SetState(state.key(), StoredValue(stored->id, TypeOfState(state).range, head.span));
  return true;
}

// The tensor in the shape of a state, which is made of numbers: equal sizes were proved, or are checked.
TensorPtr Elaborator::InShape(const std::vector<Size>& shape, const TensorPtr& tensor, Span span) {
  if (shape == tensor->shape) return tensor;
  auto whole = std::make_shared<TensorValue>();
  whole->type = tensor->type;
  whole->shape = shape;
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
  if ((mask && !(*mask)->shape.empty()) || !FreeIndicesInStep(condition).empty()) {
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
  size_t dot = key.name.find('.');
  for (const ast::Member* member : key.model->model->members) {
    const auto* stored = member->As<ast::StoredMember>();
    if (!stored || stored->name.text != key.name.substr(0, dot)) continue;
    return {key.model, stored, dot == std::string::npos ? "" : key.name.substr(dot + 1)};
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
