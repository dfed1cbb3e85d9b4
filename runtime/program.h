#ifndef WEFT_RUNTIME_PROGRAM_H_
#define WEFT_RUNTIME_PROGRAM_H_

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/states.h"
#include "runtime/status.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// A compiled program with its weights, ready to run. All functions may be called from several threads at
// once.
class Program {
 public:
  // Checks the processor, loads the weights and prepares them.
  static Result<std::unique_ptr<Program>> Create(const ProgramTable& table, const weft_options& options);

  const ProgramTable& table() const { return table_; }
  int threads() const { return pool_.threads(); }

  // The method called `name` ("" or null: `forward`, or the only one there is).
  Result<const MethodTable*> FindMethod(const char* name) const;

  // Checks the inputs, runs `method` and fills the outputs, see weft_tensor.
  Status Run(const MethodTable& method, const weft_tensor* inputs, size_t input_count, weft_tensor* outputs,
             size_t output_count);

  // What methods change and the program keeps, see states.h.
  bool has_states() const { return !states_.empty(); }
  Status SaveState(const std::string& path) const;
  Status LoadState(const std::string& path);
  void ResetState();

  // From now on every kernel is timed; or no longer.
  void SetProfiling(bool on);
  // All events so far, in order of time.
  std::vector<ProfileEvent> TakeProfile();

  // Of memory that is kept from run to run for intermediate results; not while one is running.
  int64_t workspace_bytes();

  // What prepare made, and the weights that methods read: what an executable with its weights inside holds.
  // One blob, each part at a multiple of 64 bytes, preceded by nothing; `offsets` as in
  // ProgramTable::embedded_offsets.
  std::string PackedWeights(std::vector<int64_t>* offsets) const;

 private:
  Program(const ProgramTable& table, const weft_options& options);

  Status ComputeInitialValues();
  Status ReservePrepared();
  Status Prepare();
  Status UseEmbedded();
  Workspace* Acquire();
  void Release(Workspace* workspace);
  Status RunIn(Workspace& workspace, const MethodTable& method, const weft_tensor* inputs,
               weft_tensor* outputs);
  Status ReserveMemory(Workspace& workspace, const CodeTable& code);
  Status RunCode(Workspace& workspace, const CodeTable& code);
  Status CheckInputs(Workspace& workspace, const MethodTable& method, const weft_tensor* inputs) const;

  const ProgramTable& table_;
  ThreadPool pool_;
  Weights weights_;
  std::vector<void*> weight_pointers_;  // those of states are under the mutex of states
  mutable std::shared_mutex state_mutex_;
  States states_;
  Buffer prepared_;
  std::vector<void*> prepared_pointers_;
  std::mutex mutex_;  // of what follows
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  bool profiling_ = false;
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_PROGRAM_H_
