#include "backends/execute/loaded_program.h"

#include <utility>

#include "backends/execute/load_objects.h"

namespace weft::backends {

struct LoadedProgram::State {
  std::unique_ptr<llvm::orc::LLJIT> code;
  const runtime::ProgramTable* table = nullptr;
};

LoadedProgram::LoadedProgram(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadedProgram::LoadedProgram(LoadedProgram&&) noexcept = default;
LoadedProgram& LoadedProgram::operator=(LoadedProgram&&) noexcept = default;
LoadedProgram::~LoadedProgram() = default;

absl::StatusOr<LoadedProgram> LoadedProgram::Load(const std::vector<std::string>& objects,
                                                  const std::vector<std::string>& files,
                                                  decltype(&weft_launch) launch) {
  auto code = LoadObjects({objects.begin(), objects.end()},
                          {{"weft_launch", reinterpret_cast<void*>(launch)},
                           {"weft_defer_launch", reinterpret_cast<void*>(&weft_defer_launch)},
                           {"weft_keep", reinterpret_cast<void*>(&weft_keep)},
                           {"weft_check_failed", reinterpret_cast<void*>(&weft_check_failed)},
                           {"weft_malloc", reinterpret_cast<void*>(&weft_malloc)},
                           {"weft_free", reinterpret_cast<void*>(&weft_free)},
                           {"weft_sort", reinterpret_cast<void*>(&weft_sort)},
                           {"weft_segments", reinterpret_cast<void*>(&weft_segments)},
                           {"weft_call_extern", reinterpret_cast<void*>(&weft_call_extern)},
                           {"weft_filter", reinterpret_cast<void*>(&weft_filter)},
                           {"weft_plan_segment", reinterpret_cast<void*>(&weft_plan_segment)},
                           {"weft_reserve_output", reinterpret_cast<void*>(&weft_reserve_output)},
                           {"weft_begin_step", reinterpret_cast<void*>(&weft_begin_step)},
                           {"weft_parallel_for", reinterpret_cast<void*>(&weft_parallel_for)},
                           {"halide_do_par_for", reinterpret_cast<void*>(&halide_do_par_for)}});
  if (!code.ok()) return code.status();
  if (absl::Status status = AddFiles(**code, files); !status.ok()) return status;
  absl::StatusOr<void*> table = FindSymbol(**code, "weft_program_table");
  if (!table.ok()) return table.status();
  auto state = std::make_unique<State>();
  state->code = std::move(*code);
  state->table = static_cast<const runtime::ProgramTable*>(*table);
  return LoadedProgram(std::move(state));
}

const runtime::ProgramTable& LoadedProgram::table() const { return *state_->table; }

}  // namespace weft::backends
