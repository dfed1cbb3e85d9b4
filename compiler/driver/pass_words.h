#ifndef WEFT_COMPILER_DRIVER_PASS_WORDS_H_
#define WEFT_COMPILER_DRIVER_PASS_WORDS_H_

// What `schedule` blocks say that passes need: the errors that equations may have, which kernels they are to
// be in, and in which order the weights lie that they read.

#include <string>
#include <vector>

#include "compiler/driver/equation_names.h"
#include "compiler/driver/schedules.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::driver {

// Keeps with the module (passes::kTolerances, passes::kFusion, passes::kPacking) what `sources` say, stronger
// ones over weaker ones as BindSchedules has them. A block that names nothing is BindSchedules' to report.
void SetPassWords(mlir::ModuleOp module, const dsl::Program& program,
                  const std::vector<ScheduleSource>& sources);

// What `name` stands for as EquationNames::Find has it, or of such equations the part that the compiler makes
// of them: `y.sum`.
EquationNames::Match EquationsMeant(const EquationNames& names, const std::string& name,
                                    const dsl::sema::Module* scope);

// Of the equations that may be meant, that which is nearest to `path`: of the same instance, of the one
// around that, and so on. Empty: there is none, or several are as near.
std::string NearestEquation(const std::string& path, const std::vector<std::string>& meant);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_PASS_WORDS_H_
