#include "backends/host/linked_files.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/Binary.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"

namespace weft::backends {
namespace {

namespace object = llvm::object;

void Add(const object::SymbolRef& symbol, std::set<std::string>& names) {
  llvm::Expected<uint32_t> flags = symbol.getFlags();
  llvm::Expected<llvm::StringRef> name = symbol.getName();
  bool is_known = static_cast<bool>(flags) && static_cast<bool>(name);
  if (is_known && (*flags & object::SymbolRef::SF_Global) != 0 &&
      (*flags & object::SymbolRef::SF_Undefined) == 0)
    names.insert(name->str());
  if (!flags) llvm::consumeError(flags.takeError());
  if (!name) llvm::consumeError(name.takeError());
}

void Add(const object::ObjectFile& file, std::set<std::string>& names) {
  for (const object::SymbolRef& symbol : file.symbols()) Add(symbol, names);
  const auto* elf = llvm::dyn_cast<object::ELFObjectFileBase>(&file);
  if (elf == nullptr) return;
  for (const object::ELFSymbolRef& symbol : elf->getDynamicSymbolIterators()) Add(symbol, names);
}

llvm::Error Add(const object::Archive& archive, std::set<std::string>& names) {
  llvm::Error error = llvm::Error::success();
  for (const object::Archive::Child& child : archive.children(error)) {
    llvm::Expected<std::unique_ptr<object::Binary>> member = child.getAsBinary();
    if (!member) {
      llvm::consumeError(member.takeError());  // what is no object offers nothing
      continue;
    }
    if (const auto* file = llvm::dyn_cast<object::ObjectFile>(member->get())) Add(*file, names);
  }
  return error;
}

}  // namespace

bool IsSharedLibrary(const std::string& file) {
  return absl::EndsWith(file, ".so") || absl::StrContains(file, ".so.");
}

absl::StatusOr<std::set<std::string>> OfferedSymbols(const std::vector<std::string>& files) {
  std::set<std::string> names;
  for (const std::string& path : files) {
    auto fail = [&](llvm::Error error) {
      return absl::InvalidArgumentError(
          absl::StrCat("--link ", path, ": ", llvm::toString(std::move(error))));
    };
    llvm::Expected<object::OwningBinary<object::Binary>> binary = object::createBinary(path);
    if (!binary) return fail(binary.takeError());
    if (const auto* archive = llvm::dyn_cast<object::Archive>(binary->getBinary())) {
      if (llvm::Error error = Add(*archive, names)) return fail(std::move(error));
    } else if (const auto* file = llvm::dyn_cast<object::ELFObjectFileBase>(binary->getBinary())) {
      Add(*file, names);
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("--link ", path, ": this is no object, archive or shared library of this system"));
    }
  }
  return names;
}

}  // namespace weft::backends
