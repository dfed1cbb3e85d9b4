#include "backends/execute/loaded_kernel.h"

#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

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

absl::Status ToStatus(llvm::Error error) { return absl::InternalError(llvm::toString(std::move(error))); }

}  // namespace

struct LoadedKernel::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  Function function = nullptr;
};

LoadedKernel::LoadedKernel(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadedKernel::LoadedKernel(LoadedKernel&&) noexcept = default;
LoadedKernel& LoadedKernel::operator=(LoadedKernel&&) noexcept = default;
LoadedKernel::~LoadedKernel() = default;

absl::StatusOr<LoadedKernel> LoadedKernel::Load(absl::string_view object, absl::string_view symbol) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto state = std::make_unique<State>();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) return ToStatus(jit.takeError());
  state->jit = std::move(*jit);
  llvm::orc::JITDylib& library = state->jit->getMainJITDylib();

  auto address = [](auto* function) {
    return llvm::orc::ExecutorSymbolDef(llvm::orc::ExecutorAddr::fromPtr(function),
                                        llvm::JITSymbolFlags::Exported);
  };
  llvm::orc::SymbolMap runtime;
  runtime[state->jit->mangleAndIntern("weft_malloc")] = address(&Allocate);
  runtime[state->jit->mangleAndIntern("weft_free")] = address(&Free);
  runtime[state->jit->mangleAndIntern("halide_do_par_for")] = address(&ParallelFor);
  if (auto error = library.define(llvm::orc::absoluteSymbols(std::move(runtime))))
    return ToStatus(std::move(error));
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      state->jit->getDataLayout().getGlobalPrefix());
  if (!process) return ToStatus(process.takeError());
  library.addGenerator(std::move(*process));

  auto bytes = llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()));
  if (auto error = state->jit->addObjectFile(std::move(bytes))) return ToStatus(std::move(error));
  auto found = state->jit->lookup(llvm::StringRef(symbol.data(), symbol.size()));
  if (!found) return ToStatus(found.takeError());
  state->function = found->toPtr<Function>();
  return LoadedKernel(std::move(state));
}

int32_t LoadedKernel::Run(void* const* buffers, const int64_t* extents) const {
  return state_->function(nullptr, buffers, extents);
}

}  // namespace weft::backends
