#ifndef WEFT_BACKENDS_HOST_FUNCTION_CODE_H_
#define WEFT_BACKENDS_HOST_FUNCTION_CODE_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "backends/host/program_view.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LogicalResult.h"

namespace weft::backends {

enum class HostFunction {
  kShapes,  // runtime::ShapesFunction
  kRun,     // runtime::RunFunction
};

// Adds to `module` the function `symbol` for `source`, a method or @prepare with a memory plan: func.func
// over !llvm.ptr, sizes in arith, tables through LLVM's loads and stores. What is not in the form that the
// passes promise is an error diagnostic at the operation.
mlir::LogicalResult AddHostFunction(HostFunction kind, mlir::func::FuncOp source, const ProgramView& program,
                                    const std::map<std::string, std::string>& kernel_symbols,
                                    absl::string_view symbol, mlir::ModuleOp module);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_FUNCTION_CODE_H_
