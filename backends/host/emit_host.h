#ifndef WEFT_BACKENDS_HOST_EMIT_HOST_H_
#define WEFT_BACKENDS_HOST_EMIT_HOST_H_

// The program around the kernels: functions that compute sizes, check them and launch kernels in order, and
// the table by which the runtime library (runtime/program_table.h) knows the program.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/schedule/target.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::backends {

// Weights that an executable or library carries inside.
struct EmbeddedWeights {
  std::string path;              // of a file that holds all parts
  std::vector<int64_t> offsets;  // as in ProgramTable::embedded_offsets
};

struct HostOptions {
  // C symbols of the compiled kernels, by the name of the weft.kernel; one that is not listed has its own
  // name.
  std::map<std::string, std::string> kernel_symbols;
  // Non-empty: also define the functions of a library's C interface under this prefix.
  std::string library_prefix;
  const EmbeddedWeights* embedded = nullptr;
};

// The object code (ELF) for `module` as the passes leave it: methods and @prepare that launch kernels, with a
// memory plan. Defines `weft_program_table`, needs the kernels and the runtime library. Errors:
// InvalidArgument for a module that is not in that form.
absl::StatusOr<std::string> EmitHost(mlir::ModuleOp module, const Target& target,
                                     const HostOptions& options = {});

// "weft_FILE_ENTRY": what the names of the program's C interface begin with.
std::string LibraryPrefix(mlir::ModuleOp module);

// The C header of a library with this prefix; complete in itself.
std::string LibraryHeader(mlir::ModuleOp module, absl::string_view prefix);

// The names that a library with this prefix exports.
std::vector<std::string> LibraryFunctions(absl::string_view prefix);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_EMIT_HOST_H_
