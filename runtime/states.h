#ifndef WEFT_RUNTIME_STATES_H_
#define WEFT_RUNTIME_STATES_H_

#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/status.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// The weights that methods change. Each lies in memory twice: what it is, and what a run makes of it, which
// takes its place when the run has succeeded. So a run that fails changes nothing. Code that changes a part
// in place finds both the same, and leaves them so: it writes that part twice instead of all once. The caller
// sees to it that nothing else uses the states while a function that is not const runs.
class States {
 public:
  explicit States(const ProgramTable& table) : table_(table) {}

  // Copies of the initial values that `pointers` (one per weight) give; from then on these point at what the
  // states are. An initial value that is one number everywhere is not kept but made again.
  Status Create(std::vector<void*>* pointers);

  bool empty() const { return states_.empty(); }
  // Where a run of `code` writes the next values of the states of `method`: they are added to `pointers`.
  void AddNext(const MethodTable& method, const CodeTable& code, std::vector<void*>* pointers);
  // What it has written, its deferred launches made, is what these states are from now on.
  void Commit(const MethodTable& method, const CodeTable& code);

  // The values at the beginning.
  void Reset();
  // A safetensors file with the paths of the states, whole or not at all.
  Status Save(const std::string& path) const;
  // All states from such a file. What is missing, too much, or of another shape or type is listed in one
  // error, and then nothing has changed.
  Status Load(const std::string& path);

 private:
  struct State {
    int32_t weight;
    int64_t bytes;
    Buffer now, next;
    const void* initial;   // null: its fill
    bool is_same = false;  // whether `next` holds what `now` does
  };

  const WeightTable& WeightOf(const State& state) const { return table_.weights[state.weight]; }
  State& StateOf(int32_t weight);
  void Swap(State& state);

  const ProgramTable& table_;
  std::vector<State> states_;
  std::vector<void*>* pointers_ = nullptr;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_STATES_H_
