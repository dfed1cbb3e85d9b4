#ifndef WEFT_COMPILER_DRIVER_TOLERANCES_H_
#define WEFT_COMPILER_DRIVER_TOLERANCES_H_

// The errors that `schedule` blocks allow equations, on their way to the passes.

#include <vector>

#include "compiler/driver/schedules.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::driver {

// Keeps with the module (passes::kTolerances) what `sources` say, stronger ones over weaker ones as
// BindSchedules has them. A block that names nothing is BindSchedules' to report.
void SetTolerances(mlir::ModuleOp module, const dsl::Program& program,
                   const std::vector<ScheduleSource>& sources);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_TOLERANCES_H_
