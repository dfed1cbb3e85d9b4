#ifndef WEFT_COMPILER_PROFILE_LAUNCH_WORK_H_
#define WEFT_COMPILER_PROFILE_LAUNCH_WORK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "backends/host/program_view.h"
#include "compiler/driver/compile.h"

namespace weft::profile {

// The floating-point operations of launches, as they are written in the file: counted when kernels were cut,
// before real functions became arithmetic.
class LaunchWork {
 public:
  // `explained` outlives it; `view` is of its program.
  LaunchWork(const driver::ExplainedProgram& explained, const backends::ProgramView& view);

  // Of one call of the launch of this number; `sizes`: the run-time sizes it is given. Nothing: not known.
  std::optional<double> Flops(int32_t launch, const std::vector<int64_t>& sizes);

 private:
  std::map<int32_t, ir::KernelOp> kernels_;  // by number of a launch
  std::map<std::pair<int32_t, std::vector<int64_t>>, std::optional<double>> known_;
};

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_LAUNCH_WORK_H_
