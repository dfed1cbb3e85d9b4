#ifndef WEFT_COMPILER_DRIVER_PACKINGS_H_
#define WEFT_COMPILER_DRIVER_PACKINGS_H_

// In which orders the weights of a compiled program lie, and whether that is what schedules want.

#include <map>
#include <string>
#include <vector>

#include "compiler/driver/schedules.h"
#include "dsl/base/diagnostic.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/analysis/packing.h"

namespace weft::driver {

// By path of an equation, how what it reads is packed, if `pack` can say it: everywhere alike, since it is
// said of the equation and not of one of its kernels.
std::map<std::string, std::vector<passes::Packing>> PackingsOf(mlir::ModuleOp module);

// Reports what `sources` want packed and is not, and why. What names no equation is BindSchedules' to report.
void CheckPackings(mlir::ModuleOp module, const dsl::Program& program,
                   const std::vector<ScheduleSource>& sources, dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_PACKINGS_H_
