#ifndef WEFT_BACKENDS_HALIDE_STORE_TAILS_H_
#define WEFT_BACKENDS_HALIDE_STORE_TAILS_H_

#include "backends/schedule/target.h"
#include "llvm/IR/Function.h"

namespace weft::backends {

// Where the processor has no mask registers, the first lanes of a vector, as many as are known here, are
// stored in pieces of 2^n lanes: AMD's processors take twelve cycles for vmaskmovps to memory.
void StoreTails(llvm::Function& function, const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_STORE_TAILS_H_
