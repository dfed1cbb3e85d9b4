// States in the steps of `rec` (R32): what a step leaves is what the next one finds. A state that is met in a
// step stands for a tensor of the step there; whether steps change it is known at the end of their text.

#include <utility>

#include "dsl/sema/elaborator.h"
#include "dsl/sema/loop.h"

namespace weft::dsl::sema {

namespace {

// The tensor that holds a state; -1 if it could not be made out.
TensorId HolderOf(const Value& state) {
  if (const TensorPtr* tensor = state.As<TensorPtr>()) return (*tensor)->id;
  const Scalar* scalar = state.As<Scalar>();
  const Read* read = scalar ? std::get_if<Read>(&scalar->expr->node) : nullptr;
  return read ? read->tensor : -1;
}

}  // namespace

// From here on the state is what the step finds.
void Elaborator::Carry(const StateMember& state, CarriedStates* steps, Span span) {
  CarriedStates::Carried carried;
  carried.before = HolderOf(StateByNow(state, span));
  if (carried.before < 0) return;
  if (auto now = states_.find(state.key()); now != states_.end()) carried.outside = now->second;
  const Tensor before = method_->tensors[carried.before];
  carried.window = NewTensor(before.name, before.element, before.shape, span);
  states_[state.key()] = StoredValue(carried.window, TypeOfState(state).range, span);
  steps->states.emplace(state.key(), std::move(carried));
}

// At the end of a step's text: what it leaves, while outside the states are what they were.
void Elaborator::CloseSteps(size_t first_change, CarriedStates* steps) {
  std::map<StateKey, Value> changed = TakeStateChanges(first_change);
  open_steps_.pop_back();
  for (auto& [key, carried] : steps->states) {
    if (auto value = changed.find(key); value != changed.end()) {
      TensorId left = HolderOf(value->second);
      if (left != carried.window) carried.after = left;
    }
    if (carried.outside) {
      states_[key] = *carried.outside;
    } else {
      states_.erase(key);
    }
  }
}

// The states as the loop carries them. Those that it leaves as they are have one value in all steps.
void Elaborator::AddCarriedStates(Loop* loop) {
  for (auto& [key, carried] : loop->carried.states) {
    if (carried.after < 0) {
      loop->node.unchanged.emplace_back(carried.window, carried.before);
      continue;
    }
    const Tensor window = method_->tensors[carried.window];
    Recurrence::State state;
    state.slice = carried.after;
    state.given = {carried.before};
    state.window = {carried.window};
    state.keeps_last = true;
    state.result = carried.result = NewTensor(window.name, window.element, window.shape, window.span);
    loop->node.states.push_back(std::move(state));
  }
}

// Behind the loop the states are what the last step has left.
void Elaborator::SetCarriedStates(const Loop& loop, Span span) {
  for (const auto& [key, carried] : loop.carried.states) {
    if (carried.result < 0) continue;
    SetState(key, StoredValue(carried.result, TypeOfState(MemberOf(key)).range, span));
  }
}

// The indices for whose values it is computed side by side: those of steps are not among them.
std::set<IndexId> Elaborator::FreeIndicesInStep(const Value& value) {
  std::set<IndexId> indices = FreeIndices(value);
  for (const CarriedStates* steps : open_steps_) indices.erase(steps->index->id);
  return indices;
}

}  // namespace weft::dsl::sema
