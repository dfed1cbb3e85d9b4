#ifndef WEFT_BACKENDS_EXECUTE_LOADED_PROGRAM_H_
#define WEFT_BACKENDS_EXECUTE_LOADED_PROGRAM_H_

// A whole compiled program inside this process, without a linker: for tests of model files.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/program_table.h"

namespace weft::backends {

class LoadedProgram {
 public:
  // `objects`: those of a program for this machine. They call the runtime library that is linked into this
  // process, and what a user's `files` have: objects, archives, shared libraries. `launch` is what they call
  // for every kernel.
  static absl::StatusOr<LoadedProgram> Load(const std::vector<std::string>& objects,
                                            const std::vector<std::string>& files = {},
                                            decltype(&weft_launch) launch = &weft_launch);

  LoadedProgram(LoadedProgram&&) noexcept;
  LoadedProgram& operator=(LoadedProgram&&) noexcept;
  ~LoadedProgram();

  // For runtime::Program::Create. Lives as long as this.
  const runtime::ProgramTable& table() const;

 private:
  struct State;
  explicit LoadedProgram(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_EXECUTE_LOADED_PROGRAM_H_
