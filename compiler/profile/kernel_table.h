#ifndef WEFT_COMPILER_PROFILE_KERNEL_TABLE_H_
#define WEFT_COMPILER_PROFILE_KERNEL_TABLE_H_

// The kernels of a program with what they do and move, the least time that takes on this machine, and the
// time that a profile says they took.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/profile/machine_limits.h"
#include "compiler/profile/program_kernels.h"
#include "compiler/profile/trace.h"

namespace weft::profile {

// Of one run of the method, in all calls. Nothing: sizes or data decide it, and no profile tells.
struct Totals {
  std::optional<double> calls, flops, bytes;
  std::optional<double> limit;  // seconds at least: the longer of computing and moving, see docs/profiling.md
  std::optional<double> measured;  // seconds
  bool moving = false;             // moving is the longer
};

struct LaunchTotals {
  Launch launch;
  Totals totals;
  std::vector<std::optional<double>> operand_bytes;  // of one run
};

// Launches of one kernel.
struct KernelRow {
  std::vector<size_t> launches;  // of MethodTable::launches, in order
  Totals totals;
};

struct MethodTable {
  std::string method, sizes;  // as MethodKernels has them
  std::vector<LaunchTotals> launches;
  std::vector<KernelRow> kernels;  // by their first launch
  Totals totals;
  std::optional<double> run_seconds;  // of a whole run, what is between kernels too
};

struct KernelTable {
  std::string file, entry;
  MachineLimits limits;
  std::vector<MethodTable> methods;
};

// `explained` is not needed longer than this takes; `trace` may be null. Error: it is of another program.
absl::StatusOr<KernelTable> MakeKernelTable(const driver::ExplainedProgram& explained,
                                            const dsl::Program& program, const dsl::SourceManager& sources,
                                            const MachineLimits& limits, const Trace* trace);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_KERNEL_TABLE_H_
