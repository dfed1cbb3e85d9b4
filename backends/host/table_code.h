#ifndef WEFT_BACKENDS_HOST_TABLE_CODE_H_
#define WEFT_BACKENDS_HOST_TABLE_CODE_H_

#include "absl/status/status.h"
#include "backends/host/emit_host.h"
#include "backends/host/program_view.h"
#include "llvm/IR/Module.h"

namespace weft::backends {

// Symbols of the functions that `AddHostFunction` made, by position of the method.
std::string ShapesSymbol(size_t method);
std::string RunSymbol(size_t method);
inline constexpr char kPrepareSymbol[] = "weft_host_prepare";

// Adds runtime::ProgramTable as the constant `weft_program_table`, and the C interface if
// options.library_prefix is set.
absl::Status AddProgramTable(mlir::ModuleOp source, const ProgramView& program, const Target& target,
                             const HostOptions& options, llvm::Module& module);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_TABLE_CODE_H_
