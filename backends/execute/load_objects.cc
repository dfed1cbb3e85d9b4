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

absl::Status AddFiles(llvm::orc::LLJIT& code, const std::vector<std::string>& files) {
  llvm::orc::JITDylib& library = code.getMainJITDylib();
  for (const std::string& file : files) {
    llvm::StringRef name(file);
    if (name.ends_with(".a")) {
      auto archive =
          llvm::orc::StaticLibraryDefinitionGenerator::Load(code.getObjLinkingLayer(), file.c_str());
      if (!archive) return ToStatus(archive.takeError());
      library.addGenerator(std::move(*archive));
    } else if (name.ends_with(".o")) {
      auto bytes = llvm::MemoryBuffer::getFile(file);
      if (!bytes) return absl::NotFoundError(file + ": " + bytes.getError().message());
      if (auto error = code.addObjectFile(std::move(*bytes))) return ToStatus(std::move(error));
    } else {
      auto shared = llvm::orc::DynamicLibrarySearchGenerator::Load(file.c_str(),
                                                                   code.getDataLayout().getGlobalPrefix());
      if (!shared) return ToStatus(shared.takeError());
      library.addGenerator(std::move(*shared));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<void*> FindSymbol(llvm::orc::LLJIT& code, absl::string_view name) {
  auto found = code.lookup(llvm::StringRef(name.data(), name.size()));
  if (!found) return ToStatus(found.takeError());
  return found->toPtr<void*>();
}

}  // namespace weft::backends
