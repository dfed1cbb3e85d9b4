#include "runtime/states.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "runtime/atomic_file.h"
#include "runtime/element_type.h"
#include "runtime/json.h"
#include "runtime/nearest_name.h"
#include "runtime/safetensors.h"
#include "runtime/weights.h"

namespace weft::runtime {

Status States::Create(std::vector<void*>* pointers) {
  pointers_ = pointers;
  for (int32_t i = 0; i < table_.weight_count; ++i) {
    const WeightTable& weight = table_.weights[i];
    if (!weight.changes) continue;
    State& state = states_.emplace_back();
    state.weight = i;
    state.bytes = ElementCount(weight.shape, weight.rank) * ByteSize(static_cast<weft_type>(weight.type));
    if (!state.now.Reserve(state.bytes) || !state.next.Reserve(state.bytes))
      return OutOfMemory("not enough memory for the state `" + std::string(weight.path) +
                         "`: " + std::to_string(state.bytes) + " bytes");
    state.initial = (*pointers)[static_cast<size_t>(i)];
    std::memcpy(state.now.data(), state.initial, static_cast<size_t>(state.bytes));
    (*pointers)[static_cast<size_t>(i)] = state.now.data();
    if (!weight.has_fill) continue;
    FillWeight(weight, state.next.data());
    if (std::memcmp(state.now.data(), state.next.data(), static_cast<size_t>(state.bytes)) == 0)
      state.initial = nullptr;
  }
  return {};
}

States::State& States::StateOf(int32_t weight) {
  return *std::find_if(states_.begin(), states_.end(),
                       [&](const State& state) { return state.weight == weight; });
}

void States::AddNext(const MethodTable& method, const CodeTable& code, std::vector<void*>* pointers) {
  for (int32_t i = 0; i < method.next_count; ++i) {
    State& state = StateOf(method.next[i]);
    if (code.in_place[i] != 0 && !state.is_same)
      std::memcpy(state.next.data(), state.now.data(), static_cast<size_t>(state.bytes));
    state.is_same = false;  // until the run has succeeded
    pointers->push_back(state.next.data());
  }
}

void States::Swap(State& state) {
  std::swap(state.now, state.next);
  (*pointers_)[static_cast<size_t>(state.weight)] = state.now.data();
}

void States::Commit(const MethodTable& method, const CodeTable& code) {
  for (int32_t i = 0; i < method.next_count; ++i) {
    State& state = StateOf(method.next[i]);
    Swap(state);
    state.is_same = code.in_place[i] != 0;
  }
}

void States::Reset() {
  for (State& state : states_) {
    state.is_same = false;
    if (state.initial != nullptr) {
      std::memcpy(state.now.data(), state.initial, static_cast<size_t>(state.bytes));
    } else {
      FillWeight(WeightOf(state), state.now.data());
    }
  }
}

Status States::Save(const std::string& path) const {
  std::map<std::string, const State*> by_path;
  for (const State& state : states_) by_path[WeightOf(state).path] = &state;
  Json header = Json::object();
  int64_t offset = 0;
  for (const auto& [name, state] : by_path) {
    const WeightTable& weight = WeightOf(*state);
    header[name] = {{"dtype", SafetensorsType(static_cast<weft_type>(weight.type))},
                    {"shape", std::vector<int64_t>(weight.shape, weight.shape + weight.rank)},
                    {"data_offsets", {offset, offset + state->bytes}}};
    offset += state->bytes;
  }
  std::string text = JsonText(header);
  text.append((8 - text.size() % 8) % 8, ' ');  // so that data starts aligned
  std::string bytes;
  bytes.reserve(8 + text.size() + static_cast<size_t>(offset));
  uint64_t length = text.size();
  bytes.append(reinterpret_cast<const char*>(&length), 8);
  bytes += text;
  for (const auto& [name, state] : by_path)
    bytes.append(state->now.data(), static_cast<size_t>(state->bytes));
  Status status = WriteFileAtomically(path, bytes);
  return status.ok() ? status : StateError("state: " + status.message());
}

Status States::Load(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return StateError("state: " + file.status().message());
  Result<std::vector<StoredTensor>> tensors = ReadSafetensors(*file);
  if (!tensors.ok()) return StateError("state: " + path + ": " + tensors.status().message());
  std::map<std::string, const StoredTensor*> stored;
  for (const StoredTensor& tensor : *tensors) stored[tensor.name] = &tensor;

  std::vector<std::string> problems, names;
  for (const State& state : states_) names.push_back(WeightOf(state).path);
  for (State& state : states_) {
    const WeightTable& weight = WeightOf(state);
    auto found = stored.find(weight.path);
    if (found == stored.end()) {
      problems.push_back("`" + std::string(weight.path) + "` " + DeclarationText(weight) + " is missing");
      continue;
    }
    const StoredTensor& tensor = *found->second;
    bool fits = tensor.shape.size() == static_cast<size_t>(weight.rank) &&
                std::equal(tensor.shape.begin(), tensor.shape.end(), weight.shape) &&
                ReadsAsIs(tensor, weight);
    if (!fits) {
      problems.push_back("`" + std::string(weight.path) + "` must be " + DeclarationText(weight) +
                         ", but the file has " + StoredText(tensor));
    } else if (Status status = ReadWeight(*file, tensor, weight, state.next); !status.ok()) {
      problems.push_back(status.message());
    }
    stored.erase(found);
  }
  for (const auto& [name, tensor] : stored)
    problems.push_back("`" + name + "` is no state of this program" + Suggestion(name, names));
  if (!problems.empty()) {
    std::string text = std::to_string(problems.size()) +
                       (problems.size() == 1 ? " state does" : " states do") + " not fit " + path + ":";
    for (const std::string& line : problems) text += "\n  " + line;
    return StateError(text);
  }
  for (State& state : states_) {
    Swap(state);
    state.is_same = false;
  }
  return {};
}

}  // namespace weft::runtime
