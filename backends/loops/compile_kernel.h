#ifndef WEFT_BACKENDS_LOOPS_COMPILE_KERNEL_H_
#define WEFT_BACKENDS_LOOPS_COMPILE_KERNEL_H_

// The reference back end: a kernel becomes the loops that its equations say, in their order, one thread,
// every intermediate tensor in memory. What the fast back ends compute is compared with it.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/schedule/target.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::backends {

enum class LoopsOutput {
  kObject,    // an ELF object that defines the symbol
  kAssembly,  // its text
  kLlvm,      // LLVM IR before optimization, for people
};

struct LoopsOptions {
  LoopsOutput output = LoopsOutput::kObject;
  // Tests every read that the front end proved to be inside. A read outside gives zero, and the kernel
  // returns kReadOutside.
  bool check_reads = false;
};

// What a kernel returns.
enum LoopsResult : int32_t {
  kKernelOk = 0,
  kExternFailed = 4,  // an op in C did, and the runtime has the text
  kOutOfMemory = 2,   // weft_malloc gave nothing for an intermediate tensor
  kReadOutside = 3,   // only with check_reads
};

// Compiles `kernel` without reassociation or any other liberty with floats. The code defines
//   int32_t symbol(void* context, void* const* buffers, const int64_t* extents)
// and needs at most weft_malloc and weft_free (for intermediate tensors), memcpy, memset and libm. Calls from
// several threads do not disturb each other. Error: InvalidArgument for operations that no kernel may hold.
absl::StatusOr<std::string> CompileWithLoops(ir::KernelOp kernel, const Target& target,
                                             absl::string_view symbol, const LoopsOptions& options = {});

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_LOOPS_COMPILE_KERNEL_H_
