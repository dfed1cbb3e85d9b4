#ifndef WEFT_COMPILER_DRIVER_KERNEL_FAULT_H_
#define WEFT_COMPILER_DRIVER_KERNEL_FAULT_H_

#include "compiler/driver/compile_kernels.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::driver {

// Says at the line of `kernel` that the process which compiled it came to `end`, and what can be done.
void ReportFault(const Kernel& kernel, const ChildEnd& end, const dsl::SourceManager& sources,
                 dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_KERNEL_FAULT_H_
