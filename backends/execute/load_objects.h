#ifndef WEFT_BACKENDS_EXECUTE_LOAD_OBJECTS_H_
#define WEFT_BACKENDS_EXECUTE_LOAD_OBJECTS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace weft::backends {

// Functions of this process that code may call by name.
using ProcessFunctions = std::vector<std::pair<const char*, void*>>;

// Puts ELF objects for this machine into memory. They may call each other, `functions`, and what the C and
// math libraries of the process export.
absl::StatusOr<std::unique_ptr<llvm::orc::LLJIT>> LoadObjects(const std::vector<absl::string_view>& objects,
                                                              const ProcessFunctions& functions);

// A user's objects, archives and shared libraries beside them.
absl::Status AddFiles(llvm::orc::LLJIT& code, const std::vector<std::string>& files);

absl::StatusOr<void*> FindSymbol(llvm::orc::LLJIT& code, absl::string_view name);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_EXECUTE_LOAD_OBJECTS_H_
