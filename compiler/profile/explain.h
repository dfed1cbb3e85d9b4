#ifndef WEFT_COMPILER_PROFILE_EXPLAIN_H_
#define WEFT_COMPILER_PROFILE_EXPLAIN_H_

#include <vector>

#include "absl/status/statusor.h"
#include "compiler/driver/compile.h"
#include "compiler/profile/kernel_table.h"
#include "dsl/base/diagnostic.h"

namespace weft::profile {

struct Explained {
  KernelTable table;
  std::vector<driver::Remark> remarks;  // of costs that are avoided, and that are not
};

// What a program's kernels are and cost, with `trace`, which may be null, what they took. `options` are those
// with which it is compiled. What has a place in its files is reported to `diagnostics`, and the status, not
// OK, is then of no interest.
absl::StatusOr<Explained> Explain(const dsl::Program& program, const dsl::SourceManager& sources,
                                  const driver::CompileOptions& options, const Trace* trace,
                                  dsl::Diagnostics& diagnostics);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_EXPLAIN_H_
