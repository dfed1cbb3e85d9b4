#ifndef WEFT_COMPILER_TUNE_RECORDED_KERNELS_H_
#define WEFT_COMPILER_TUNE_RECORDED_KERNELS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backends/schedule/target.h"
#include "compiler/driver/compile.h"
#include "compiler/tune/run_kernel.h"
#include "compiler/tune/run_program.h"

namespace weft::tune {

// Kernels of a program that are equal and called with the same sizes: what is found for one holds for all.
struct EqualKernels {
  std::vector<size_t> members;  // numbers in ScheduledProgram::kernels; the first is measured
  std::string content;          // what they compute, for which sizes and from which weights, without names
  KernelTask task;
  double seconds = 0;    // of one run of the program
  int64_t launches = 0;  // of one run
};

// The kernels that schedules can be found for: those with loops that the user has not scheduled.
std::map<std::string, KernelInterface> TunableKernels(const driver::ScheduledProgram& program);

// Those of them that were called, the most expensive first.
std::vector<EqualKernels> GroupKernels(const driver::ScheduledProgram& program,
                                       std::map<std::string, KernelUse> uses,
                                       const std::map<std::string, KernelInterface>& interfaces,
                                       const backends::Target& target, int64_t threads);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_RECORDED_KERNELS_H_
