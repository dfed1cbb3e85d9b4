#ifndef WEFT_PASSES_ANALYSIS_KERNEL_WORK_H_
#define WEFT_PASSES_ANALYSIS_KERNEL_WORK_H_

// What one launch of a kernel computes and moves.

#include <cstdint>
#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/ArrayRef.h"

namespace weft::passes {

struct KernelWork {
  double flops = 0;  // as FlopsPerPoint counts them
  double bytes = 0;  // of operands and results
};

// Nothing where a size is not known. `extents`: the run-time sizes that the kernel is given, those of
// operands, then of results, by axis, then its `index` operands; empty where there are none, or they are not
// known.
std::optional<KernelWork> WorkOf(ir::KernelOp kernel, llvm::ArrayRef<int64_t> extents = {});

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_KERNEL_WORK_H_
