#ifndef WEFT_PASSES_TARGET_TARGET_H_
#define WEFT_PASSES_TARGET_TARGET_H_

// What the passes need to know about the machine. Cost rules and packing ask this description only, so a
// program's kernels are a function of it and never of a table of known shapes.

#include <cstdint>

namespace weft::passes {

struct TargetDescription {
  int64_t vector_bytes = 64;      // one vector register
  int64_t vector_registers = 32;  // how many of them
  int64_t l1_bytes = 32 << 10;    // data cache of one core
  int64_t l2_bytes = 1 << 20;     // of one core
  int64_t threads = 2;
};

// How a contraction's weight operand is blocked: [ceil(columns / block)][taps...][channels][block].
// `rows`: how many results share one weight (pixels or tokens; 0: known at run time only). `columns`: results
// with a weight of their own. `taps`: reduction steps per channel (9 for a 3x3 convolution, 1 for a matrix
// product). Returns the block in elements, a multiple of the vector's lanes, or 0 where packing gains
// nothing.
int64_t PackedBlock(const TargetDescription& target, int64_t rows, int64_t columns, int64_t taps,
                    int64_t element_bytes);

}  // namespace weft::passes

#endif  // WEFT_PASSES_TARGET_TARGET_H_
