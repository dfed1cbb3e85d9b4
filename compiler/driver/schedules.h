#ifndef WEFT_COMPILER_DRIVER_SCHEDULES_H_
#define WEFT_COMPILER_DRIVER_SCHEDULES_H_

// Users' schedules on their way to kernels: whose they are, before equal kernels are one.

#include <string>
#include <vector>

#include "backends/schedule/read_schedule.h"
#include "compiler/driver/compile_kernels.h"
#include "compiler/driver/equation_names.h"
#include "compiler/ir/weft_dialect.h"
#include "dsl/base/diagnostic.h"
#include "dsl/sema/value.h"

namespace weft::driver {

// The `schedule` blocks of one file.
struct ScheduleSource {
  std::vector<backends::WrittenSchedule> blocks;
  const dsl::sema::Module* scope = nullptr;  // what the names of declarations mean; null: any of that name
  // Whether every block is about the program that is compiled. Those of the model file may be about another
  // entry or a test, and those of an imported file do not know what becomes of its equations elsewhere.
  enum class Scope { kProgram, kFile, kImported } about = Scope::kFile;
};

// Gives every equation of a kernel a name of its own in the program: its path, with a number where that is
// taken. Launches keep those of what they compute (`names`), kernels those of their first launch.
void NameEquations(mlir::ModuleOp module);

// Puts schedules over the default ones of `kernels`, stronger sources last; within a source those that name
// an instance are stronger than those that name what it calls. Kernels that are launched for equations of
// different schedules become several. What does not fit is reported; what was found for other kernels is left
// out, with a warning for each source.
void BindSchedules(std::vector<Kernel>& kernels, mlir::ModuleOp module, const dsl::Program& program,
                   const backends::Target& target, const std::vector<ScheduleSource>& sources,
                   dsl::Diagnostics& diagnostics);

// Says that `block` names nothing, and what is nearest of what `names` knows.
void ReportUnknownEquation(const backends::WrittenSchedule& block, const EquationNames& names,
                           dsl::Diagnostics& diagnostics);

// The schedules of all kernels as a text that can be edited and given back.
std::string PrintSchedules(const std::vector<Kernel>& kernels);

// That of one, for this kernel alone (see KernelFingerprint). It says nothing of how weights lie.
std::string PrintSchedule(const Kernel& kernel, const std::string& fingerprint);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_SCHEDULES_H_
