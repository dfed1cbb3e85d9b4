#ifndef WEFT_BACKENDS_HOST_TABLE_CODE_H_
#define WEFT_BACKENDS_HOST_TABLE_CODE_H_

#include "absl/status/status.h"
#include "backends/host/emit_host.h"
#include "backends/host/program_view.h"
#include "llvm/IR/Module.h"

namespace weft::backends {

// Symbols of the functions that `AddHostFunction` made of a method or a variant of one.
std::string ShapesSymbol(mlir::func::FuncOp code);
std::string RunSymbol(mlir::func::FuncOp code);
inline constexpr char kPrepareSymbol[] = "weft_host_prepare";

// Adds runtime::ProgramTable as the constant `weft_program_table`, and the C interface if
// options.library_prefix is set.
absl::Status AddProgramTable(mlir::ModuleOp source, const ProgramView& program, const Target& target,
                             const HostOptions& options, llvm::Module& module);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_TABLE_CODE_H_
