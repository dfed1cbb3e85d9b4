#include "compiler/driver/compile.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "backends/halide/kernel_to_halide.h"
#include "backends/host/emit_host.h"
#include "backends/loops/compile_kernel.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/target.h"
#include "compiler/driver/link.h"
#include "compiler/ir/weft_dialect.h"
#include "compiler/lower/lower.h"
#include "mlir/Pass/PassManager.h"
#include "passes/pipeline/pipeline.h"

namespace weft::driver {

namespace {

struct Kernel {
  ir::KernelOp op;
  std::string symbol;
  absl::StatusOr<std::string> object = absl::UnknownError("not compiled");
};

absl::StatusOr<std::string> CompileKernel(ir::KernelOp kernel, const std::string& symbol, Backend backend,
                                          const backends::Target& target) {
  if (backend == Backend::kHalide) {
    backends::Schedule schedule = backends::DefaultSchedule(backends::ViewKernel(kernel), target);
    absl::StatusOr<std::string> object = backends::CompileWithHalide(kernel, schedule, target, symbol);
    if (object.ok() || !absl::IsUnimplemented(object.status())) return object;
  }
  return backends::CompileWithLoops(kernel, target, symbol);
}

// Kernels are independent: every core takes the next one.
absl::Status CompileKernels(std::vector<Kernel>& kernels, Backend backend, const backends::Target& target) {
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i = next++; i < kernels.size(); i = next++) {
      kernels[i].object = CompileKernel(kernels[i].op, kernels[i].symbol, backend, target);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  for (const Kernel& kernel : kernels) {
    if (!kernel.object.ok()) {
      return absl::Status(kernel.object.status().code(),
                          absl::StrCat("kernel `", kernel.symbol, "`: ", kernel.object.status().message()));
    }
  }
  return absl::OkStatus();
}

std::string TextOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, mlir::OpPrintingFlags());
  return text + "\n";
}

// Catches what MLIR says is wrong, instead of printing it.
class Problems {
 public:
  explicit Problems(mlir::MLIRContext& context)
      : handler_(&context, [this](mlir::Diagnostic& diagnostic) {
          if (first_.empty()) first_ = diagnostic.str();
          return mlir::success();
        }) {}
  const std::string& first() const { return first_; }

 private:
  std::string first_;
  mlir::ScopedDiagnosticHandler handler_;
};

// The module behind the passes, or behind options.after.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> MakeModule(const dsl::Program& program,
                                                             const dsl::SourceManager& sources,
                                                             const CompileOptions& options,
                                                             const backends::Target& target,
                                                             mlir::MLIRContext& context) {
  Problems problems(context);
  absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> module = lower::Lower(program, sources, context);
  if (!module.ok() || (options.emit == Emit::kIr && options.after == "lower")) return module;
  passes::PipelineOptions passes_options;
  passes_options.target = backends::ForPasses(target);
  if (options.emit == Emit::kIr) passes_options.after = options.after;
  mlir::PassManager manager(&context);
  passes::BuildPipeline(manager, passes_options);
  if (mlir::failed(manager.run(**module))) {
    return absl::InternalError(absl::StrCat("a pass failed: ", problems.first()));
  }
  return module;
}

// Host code first, then the kernels.
absl::StatusOr<std::vector<std::string>> MakeObjects(mlir::ModuleOp module, Backend backend,
                                                     const backends::Target& target,
                                                     backends::HostOptions host) {
  std::vector<Kernel> kernels;
  module.walk([&](ir::KernelOp kernel) {
    std::string symbol = absl::StrCat("weft_kernel_", kernel.getSymName().str());
    kernels.push_back({kernel, symbol});
    host.kernel_symbols[kernel.getSymName().str()] = symbol;
  });
  if (absl::Status status = CompileKernels(kernels, backend, target); !status.ok()) return status;
  absl::StatusOr<std::string> host_object = backends::EmitHost(module, target, host);
  if (!host_object.ok()) return host_object.status();
  std::vector<std::string> objects{std::move(*host_object)};
  for (Kernel& kernel : kernels) objects.push_back(std::move(*kernel.object));
  return objects;
}

}  // namespace

absl::StatusOr<std::string> Compile(const dsl::Program& program, const dsl::SourceManager& sources,
                                    const CompileOptions& options) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget(options.target);
  if (!target.ok()) return target.status();
  mlir::MLIRContext context;
  auto module = MakeModule(program, sources, options, *target, context);
  if (!module.ok()) return module.status();
  if (options.emit == Emit::kIr) return TextOf(**module);

  backends::HostOptions host;
  if (options.emit == Emit::kSharedLibrary) host.library_prefix = backends::LibraryPrefix(**module);
  absl::StatusOr<std::vector<std::string>> objects = MakeObjects(**module, options.backend, *target, host);
  if (!objects.ok()) return objects.status();
  absl::Status linked =
      options.emit == Emit::kSharedLibrary
          ? LinkSharedLibrary(*objects, backends::LibraryFunctions(host.library_prefix), options.output)
          : LinkExecutable(*objects, options.output);
  if (!linked.ok()) return linked;
  return std::string();
}

absl::StatusOr<std::vector<std::string>> CompileToObjects(const dsl::Program& program,
                                                          const dsl::SourceManager& sources,
                                                          Backend backend) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget("host");
  if (!target.ok()) return target.status();
  mlir::MLIRContext context;
  auto module = MakeModule(program, sources, {}, *target, context);
  if (!module.ok()) return module.status();
  return MakeObjects(**module, backend, *target, {});
}

}  // namespace weft::driver
