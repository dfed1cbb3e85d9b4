#ifndef WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_
#define WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"
#include "compiler/cache/object_cache.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::driver {

enum class Backend { kHalide, kLoops };
enum class KernelOutput { kObject, kAssembly, kStmt };

// A kernel on its way to machine code.
struct Kernel {
  ir::KernelOp op;
  std::string name;               // in the module
  std::string symbol;             // in C
  backends::Schedule schedule;    // of the Halide back end
  bool has_own_schedule = false;  // the user's directives are in it
  std::string code;               // once compiled: the object, or a text
};

// The kernels of a module as the passes leave it, with default schedules.
std::vector<Kernel> KernelsOf(mlir::ModuleOp module, const backends::Target& target);

struct KernelOptions {
  Backend backend = Backend::kHalide;
  KernelOutput output = KernelOutput::kObject;
  cache::ObjectCache cache;
  // Called after each kernel, from any thread, one at a time.
  std::function<void(size_t done, size_t all, const std::string& name)> progress;
  // Told what is as it should be but slower than it could be.
  std::function<void(const std::string& text)> note;
};

// Compiles all, side by side. A kernel that the Halide back end cannot express, or not by its default
// schedule, goes through the loops, and a note says so.
absl::Status CompileKernels(std::vector<Kernel>& kernels, const backends::Target& target,
                            const KernelOptions& options);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_
