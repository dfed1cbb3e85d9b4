#ifndef WEFT_COMPILER_DRIVER_KERNEL_WORK_H_
#define WEFT_COMPILER_DRIVER_KERNEL_WORK_H_

// What a child process does: one kernel, given and returned as bytes.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "backends/schedule/target.h"
#include "compiler/driver/canonical_kernel.h"

namespace weft::driver {

enum class Backend { kHalide, kLoops };
enum class KernelOutput { kObject, kAssembly, kStmt };

// What all kernels of one compilation have in common.
struct KernelSettings {
  backends::Target target;
  Backend backend = Backend::kHalide;
  KernelOutput output = KernelOutput::kObject;
};

struct KernelRequest {
  KernelText text;
  std::string symbol;             // in C
  bool has_own_schedule = false;  // the user's directives are in it: if they do not fit, that is an error
  std::string not_halide;         // why it is given to the loops at once, if it is
};

struct KernelResult {
  absl::Status status;
  std::string code;  // the object, or a text
  std::string note;  // why the Halide back end could not, if the code is plain loops for that
};

std::string ToBytes(const KernelRequest& request);
std::string ToBytes(const KernelResult& result);
// InternalError in the status for bytes that are no result.
KernelResult ResultOf(absl::string_view bytes);

// Compiles the kernel of a request (bytes) to a result (bytes). A kernel that the Halide back end cannot
// express, or not by its default schedule, goes through the loops. Tests make it, or `halide` alone, fail.
std::string CompileKernel(const KernelSettings& settings, absl::string_view request);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_KERNEL_WORK_H_
