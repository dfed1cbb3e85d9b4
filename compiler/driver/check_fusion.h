#ifndef WEFT_COMPILER_DRIVER_CHECK_FUSION_H_
#define WEFT_COMPILER_DRIVER_CHECK_FUSION_H_

#include <vector>

#include "compiler/driver/schedules.h"
#include "dsl/base/diagnostic.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::driver {

// Reports which equations of compiled methods are not in the kernels that `sources` want them in, and why.
// What names no equation, and stands for more than `fuse into`, is BindSchedules' to report.
void CheckFusion(mlir::ModuleOp module, const dsl::Program& program,
                 const std::vector<ScheduleSource>& sources, dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_CHECK_FUSION_H_
