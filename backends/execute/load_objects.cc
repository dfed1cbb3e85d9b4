#include "backends/execute/load_objects.h"

#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

namespace weft::backends {
namespace {

absl::Status ToStatus(llvm::Error error) { return absl::InternalError(llvm::toString(std::move(error))); }

}  // namespace

absl::StatusOr<std::unique_ptr<llvm::orc::LLJIT>> LoadObjects(const std::vector<absl::string_view>& objects,
                                                              const ProcessFunctions& functions) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto code = llvm::orc::LLJITBuilder().create();
  if (!code) return ToStatus(code.takeError());
  llvm::orc::JITDylib& library = (*code)->getMainJITDylib();
  llvm::orc::SymbolMap known;
  for (const auto& [name, address] : functions) {
    known[(*code)->mangleAndIntern(name)] = llvm::orc::ExecutorSymbolDef(
        llvm::orc::ExecutorAddr::fromPtr(address), llvm::JITSymbolFlags::Exported);
  }
  if (auto error = library.define(llvm::orc::absoluteSymbols(std::move(known))))
    return ToStatus(std::move(error));
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*code)->getDataLayout().getGlobalPrefix());
  if (!process) return ToStatus(process.takeError());
  library.addGenerator(std::move(*process));
  for (size_t i = 0; i < objects.size(); ++i) {
    // The name tells apart what objects with initializers (sanitized ones) add to the library.
    auto bytes = llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(objects[i].data(), objects[i].size()),
                                                      "object" + std::to_string(i));
    if (auto error = (*code)->addObjectFile(std::move(bytes))) return ToStatus(std::move(error));
  }
  return std::move(*code);
}

absl::StatusOr<void*> FindSymbol(llvm::orc::LLJIT& code, absl::string_view name) {
  auto found = code.lookup(llvm::StringRef(name.data(), name.size()));
  if (!found) return ToStatus(found.takeError());
  return found->toPtr<void*>();
}

}  // namespace weft::backends
