#ifndef WEFT_BACKENDS_HALIDE_SCALE_BY_POWERS_H_
#define WEFT_BACKENDS_HALIDE_SCALE_BY_POWERS_H_

#include "backends/schedule/target.h"
#include "llvm/IR/Function.h"

namespace weft::backends {

// Where the processor multiplies by a power of two in one instruction, the two products of exp become that.
void ScaleByPowers(llvm::Function& function, const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_SCALE_BY_POWERS_H_
