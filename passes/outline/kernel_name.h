#ifndef WEFT_PASSES_OUTLINE_KERNEL_NAME_H_
#define WEFT_PASSES_OUTLINE_KERNEL_NAME_H_

#include <string>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/ArrayRef.h"

namespace weft::passes {

// What a kernel of these equations is called, in words of the field: `conv_bias_relu`, `matmul`, `softmax`.
// The same for equal equations; not unique.
std::string KernelName(llvm::ArrayRef<ir::EquationOp> equations);

}  // namespace weft::passes

#endif  // WEFT_PASSES_OUTLINE_KERNEL_NAME_H_
