#include "backends/execute/loaded_kernel.h"

#include <cstdlib>
#include <utility>

#include "backends/execute/load_objects.h"

namespace weft::backends {
namespace {

using Function = int32_t (*)(void* context, void* const* buffers, const int64_t* extents);

void* Allocate(void* /*context*/, int64_t bytes) {
  return std::aligned_alloc(64, static_cast<size_t>(bytes + 63) / 64 * 64 + 64);
}

void Free(void* /*context*/, void* pointer) { std::free(pointer); }

int ParallelFor(void* context, int (*task)(void*, int, uint8_t*), int first, int count, uint8_t* closure) {
  for (int index = first; index < first + count; ++index) {
    if (int result = task(context, index, closure); result != 0) return result;
  }
  return 0;
}

}  // namespace

struct LoadedKernel::State {
  std::unique_ptr<llvm::orc::LLJIT> code;
  Function function = nullptr;
};

LoadedKernel::LoadedKernel(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadedKernel::LoadedKernel(LoadedKernel&&) noexcept = default;
LoadedKernel& LoadedKernel::operator=(LoadedKernel&&) noexcept = default;
LoadedKernel::~LoadedKernel() = default;

absl::StatusOr<LoadedKernel> LoadedKernel::Load(absl::string_view object, absl::string_view symbol) {
  auto code = LoadObjects({object}, {{"weft_malloc", reinterpret_cast<void*>(&Allocate)},
                                     {"weft_free", reinterpret_cast<void*>(&Free)},
                                     {"halide_do_par_for", reinterpret_cast<void*>(&ParallelFor)}});
  if (!code.ok()) return code.status();
  absl::StatusOr<void*> function = FindSymbol(**code, symbol);
  if (!function.ok()) return function.status();
  auto state = std::make_unique<State>();
  state->code = std::move(*code);
  state->function = reinterpret_cast<Function>(*function);
  return LoadedKernel(std::move(state));
}

int32_t LoadedKernel::Run(void* const* buffers, const int64_t* extents) const {
  return state_->function(nullptr, buffers, extents);
}

}  // namespace weft::backends
