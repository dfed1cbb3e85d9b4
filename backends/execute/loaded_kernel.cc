#include "backends/execute/loaded_kernel.h"

#include <utility>

#include "backends/execute/load_objects.h"
#include "runtime/program_table.h"
#include "runtime/workspace.h"

namespace weft::backends {

struct LoadedKernel::State {
  std::unique_ptr<llvm::orc::LLJIT> code;
  runtime::KernelFunction function = nullptr;
  runtime::Workspace workspace;
};

LoadedKernel::LoadedKernel(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadedKernel::LoadedKernel(LoadedKernel&&) noexcept = default;
LoadedKernel& LoadedKernel::operator=(LoadedKernel&&) noexcept = default;
LoadedKernel::~LoadedKernel() = default;

absl::StatusOr<LoadedKernel> LoadedKernel::Load(absl::string_view object, absl::string_view symbol,
                                                runtime::ThreadPool* pool) {
  auto code = LoadObjects({object}, {{"weft_malloc", reinterpret_cast<void*>(&weft_malloc)},
                                     {"weft_free", reinterpret_cast<void*>(&weft_free)},
                                     {"halide_do_par_for", reinterpret_cast<void*>(&halide_do_par_for)}});
  if (!code.ok()) return code.status();
  absl::StatusOr<void*> function = FindSymbol(**code, symbol);
  if (!function.ok()) return function.status();
  auto state = std::make_unique<State>();
  state->code = std::move(*code);
  state->function = reinterpret_cast<runtime::KernelFunction>(*function);
  state->workspace.pool = pool;
  return LoadedKernel(std::move(state));
}

int32_t LoadedKernel::Run(void* const* buffers, const int64_t* extents) const {
  return state_->function(&state_->workspace, buffers, extents);
}

}  // namespace weft::backends
