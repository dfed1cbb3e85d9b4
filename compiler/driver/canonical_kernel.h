#ifndef WEFT_COMPILER_DRIVER_CANONICAL_KERNEL_H_
#define WEFT_COMPILER_DRIVER_CANONICAL_KERNEL_H_

#include <string>

#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::driver {

// A kernel and its schedule as texts, all that its code is made from.
struct KernelText {
  std::string kernel;    // IR, without locations
  std::string schedule;  // `schedule` blocks, one per equation in order
};

// With numbers in place of the names of equations and indices: equal for kernels that compute the same in the
// same way, in every process. `schedule` has one entry per equation in order.
KernelText CanonicalText(ir::KernelOp kernel, const backends::Schedule& schedule);

// With the names of the file, in which error messages speak.
KernelText NamedText(ir::KernelOp kernel, const backends::Schedule& schedule);

// What a kernel computes and for which target, in 16 digits: a schedule that was found for one need not suit
// another.
std::string KernelFingerprint(ir::KernelOp kernel, const backends::Target& target);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_CANONICAL_KERNEL_H_
