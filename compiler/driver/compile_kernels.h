#ifndef WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_
#define WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/schedule/schedule.h"
#include "backends/schedule/target.h"
#include "compiler/cache/object_cache.h"
#include "compiler/driver/fork_server.h"
#include "compiler/driver/kernel_work.h"
#include "compiler/driver/timing.h"
#include "compiler/ir/weft_dialect.h"
#include "dsl/base/span.h"

namespace weft::driver {

// A kernel on its way to machine code.
struct Kernel {
  ir::KernelOp op;
  std::string name;               // in the module
  std::string symbol;             // in C
  backends::Schedule schedule;    // of the Halide back end
  bool has_own_schedule = false;  // the user's directives are in it
  bool is_tuned = false;          // some of them were found for this very kernel
  dsl::Span schedule_place;       // of the first of them
  absl::Status problem;           // why it could not be compiled
  std::string code;               // once compiled: the object, or a text
  bool ran_into_limit = false;    // the code is plain loops since the back end took too long this time
};

// The kernels of a module as the passes leave it, with default schedules. Its equations get paths of their
// own.
std::vector<Kernel> KernelsOf(mlir::ModuleOp module, const backends::Target& target);

struct KernelOptions {
  cache::ObjectCache cache;
  // Called after each kernel.
  std::function<void(size_t done, size_t all, const std::string& name)> progress;
  // Told what is as it should be but slower than it could be.
  std::function<void(const std::string& text)> note;
  // Where to add what is compiled and what is found, and how long it takes; null: nowhere.
  Timing* timing = nullptr;
};

// A kernel in whose compilation the compiler itself failed.
struct KernelFault {
  size_t kernel = 0;
  ChildEnd end;
};

// The server that compiles kernels with these settings. To be made before there is an MLIRContext, which
// starts threads.
std::unique_ptr<ForkServer> StartKernelServer(const KernelSettings& settings);

// Compiles all, each in a process of its own, those that are equal once. The first that fails ends it: an
// error for what its schedule says, or a fault.
absl::StatusOr<std::optional<KernelFault>> CompileKernels(std::vector<Kernel>& kernels,
                                                          const KernelSettings& settings, ForkServer& server,
                                                          const KernelOptions& options);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_COMPILE_KERNELS_H_
