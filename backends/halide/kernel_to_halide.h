#ifndef WEFT_BACKENDS_HALIDE_KERNEL_TO_HALIDE_H_
#define WEFT_BACKENDS_HALIDE_KERNEL_TO_HALIDE_H_

// The fast back end: one kernel, one Halide pipeline, one object. No state is kept between calls; calls from
// several threads or from forked children do not disturb each other.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"
#include "mlir/IR/Operation.h"

namespace weft::backends {

enum class HalideOutput {
  kObject,    // an ELF object that defines the symbol
  kAssembly,  // its text
  kStmt,      // Halide's loops, for people
};

// Compiles `kernel` (a weft.kernel) by `schedule`, which has one entry per equation in order, as
// DefaultSchedule makes it. The object defines
//   int32_t symbol(void* context, void* const* buffers, const int64_t* extents)
// and needs at most weft_malloc, weft_free, halide_do_par_for, memcpy, memset and libm. Errors: Unimplemented
// for what this back end cannot express (use the loops), InvalidArgument for directives that do not fit.
absl::StatusOr<std::string> CompileWithHalide(mlir::Operation* kernel, const Schedule& schedule,
                                              const Target& target, absl::string_view symbol,
                                              HalideOutput output = HalideOutput::kObject);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_KERNEL_TO_HALIDE_H_
