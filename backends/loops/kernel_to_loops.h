#ifndef WEFT_BACKENDS_LOOPS_KERNEL_TO_LOOPS_H_
#define WEFT_BACKENDS_LOOPS_KERNEL_TO_LOOPS_H_

#include "absl/strings/string_view.h"
#include "backends/loops/compile_kernel.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LogicalResult.h"

namespace weft::backends {

// Adds to `module` the function `symbol` (the kernel ABI as func.func over !llvm.ptr) that computes `kernel`:
// scf loops, arith and math on scalars, loads and stores through pointers. Dialects func, scf, cf, arith and
// LLVM must be loaded. What cannot be translated is an error diagnostic at the operation.
mlir::LogicalResult TranslateToLoops(ir::KernelOp kernel, absl::string_view symbol, bool check_reads,
                                     mlir::ModuleOp module);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_KERNEL_TO_LOOPS_H_
