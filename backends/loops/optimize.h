#ifndef WEFT_BACKENDS_LOOPS_OPTIMIZE_H_
#define WEFT_BACKENDS_LOOPS_OPTIMIZE_H_

#include <string>

#include "absl/status/statusor.h"
#include "backends/loops/compile_kernel.h"
#include "llvm/IR/Module.h"

namespace weft::backends {

// Optimizes `module` for the target (level 2, no liberties with floats) and gives what `options.output` says.
absl::StatusOr<std::string> EmitLlvmModule(llvm::Module& module, const Target& target,
                                           const LoopsOptions& options);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_OPTIMIZE_H_
