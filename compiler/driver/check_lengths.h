#ifndef WEFT_COMPILER_DRIVER_CHECK_LENGTHS_H_
#define WEFT_COMPILER_DRIVER_CHECK_LENGTHS_H_

#include <vector>

#include "compiler/driver/compile_kernels.h"
#include "compiler/ir/weft_dialect.h"
#include "dsl/base/diagnostic.h"

namespace weft::driver {

// Reports lengths of loops, for which a schedule of `kernel` wants code of their own, that they have in none
// of its launches, by the ranges of the entry's dimensions.
void CheckLengths(const Kernel& kernel, const std::vector<ir::LaunchOp>& launches,
                  dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_CHECK_LENGTHS_H_
