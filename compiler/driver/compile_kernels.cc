#include "compiler/driver/compile_kernels.h"

#include <sys/stat.h>

#include <atomic>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "backends/halide/kernel_to_halide.h"
#include "backends/loops/compile_kernel.h"
#include "backends/schedule/default_schedule.h"
#include "passes/analysis/structure.h"

namespace weft::driver {

namespace {

// Another build of the compiler may make other code.
const std::string& BuildOfCompiler() {
  static const std::string build = [] {
    struct stat info;
    if (::stat("/proc/self/exe", &info) != 0) return std::string();
    return absl::StrCat(info.st_size, " ", info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
  }();
  return build;
}

std::string KeyOf(const Kernel& kernel, const backends::Target& target, const KernelOptions& options) {
  bool loops = options.backend == Backend::kLoops;
  return absl::StrCat("kernel 1\n", BuildOfCompiler(), "\n", backends::Describe(target), "\n",
                      loops ? "loops" : "halide", "\n", kernel.symbol, "\n",
                      loops ? "" : backends::PrintSchedule(kernel.schedule), "\n",
                      passes::StructureOf(kernel.op));
}

absl::StatusOr<std::string> CompileWithBackend(const Kernel& kernel, const backends::Target& target,
                                               const KernelOptions& options) {
  if (options.backend == Backend::kHalide) {
    backends::HalideOutput output = options.output == KernelOutput::kObject ? backends::HalideOutput::kObject
                                    : options.output == KernelOutput::kAssembly
                                        ? backends::HalideOutput::kAssembly
                                        : backends::HalideOutput::kStmt;
    absl::StatusOr<std::string> code =
        backends::CompileWithHalide(kernel.op, kernel.schedule, target, kernel.symbol, output);
    if (code.ok() || kernel.has_own_schedule) return code;
    if (options.note) {
      options.note(absl::StrCat("kernel `", kernel.name,
                                "` is compiled as plain loops, on one thread: ", code.status().message()));
    }
  }
  backends::LoopsOptions loops;
  loops.output = options.output == KernelOutput::kObject     ? backends::LoopsOutput::kObject
                 : options.output == KernelOutput::kAssembly ? backends::LoopsOutput::kAssembly
                                                             : backends::LoopsOutput::kLlvm;
  return backends::CompileWithLoops(kernel.op, target, kernel.symbol, loops);
}

absl::StatusOr<std::string> CompileOne(const Kernel& kernel, const backends::Target& target,
                                       const KernelOptions& options) {
  if (options.output != KernelOutput::kObject) return CompileWithBackend(kernel, target, options);
  std::string key = KeyOf(kernel, target, options);
  if (std::optional<std::string> found = options.cache.Find(key)) return *found;
  absl::StatusOr<std::string> object = CompileWithBackend(kernel, target, options);
  if (object.ok()) options.cache.Keep(key, *object);
  return object;
}

int64_t FlopsOf(ir::KernelOp kernel) {
  auto flops = kernel->getAttrOfType<mlir::IntegerAttr>("flops");
  return flops ? flops.getInt() : 0;
}

// An equation of the file may be spread over kernels (packing its weights, say). Its path stays with the
// kernel that does most of the work; in the others the kernel's name follows.
void MakePathsUnique(std::vector<Kernel>& kernels) {
  std::map<std::string, size_t> owner;
  for (size_t i = 0; i < kernels.size(); ++i) {
    for (const backends::EquationSchedule& equation : kernels[i].schedule.equations) {
      auto [known, is_new] = owner.try_emplace(equation.path, i);
      if (!is_new && FlopsOf(kernels[i].op) > FlopsOf(kernels[known->second].op)) known->second = i;
    }
  }
  for (size_t i = 0; i < kernels.size(); ++i) {
    std::map<std::string, std::string> renamed;
    for (const backends::EquationSchedule& equation : kernels[i].schedule.equations) {
      if (owner[equation.path] != i)
        renamed[equation.path] = absl::StrCat(equation.path, ".", kernels[i].name);
    }
    for (backends::EquationSchedule& equation : kernels[i].schedule.equations) {
      auto change = [&](std::string& path) {
        if (auto found = renamed.find(path); found != renamed.end()) path = found->second;
      };
      change(equation.path);
      // What is computed `at` a place names the equation of that place.
      for (backends::Directive& directive : equation.directives) {
        bool names_equation = directive.kind == backends::DirectiveKind::kAt ||
                              directive.kind == backends::DirectiveKind::kTranspose;
        if (names_equation && !directive.names.empty()) change(directive.names[0]);
      }
    }
  }
}

}  // namespace

std::vector<Kernel> KernelsOf(mlir::ModuleOp module, const backends::Target& target) {
  std::vector<Kernel> kernels;
  module.walk([&](ir::KernelOp op) {
    std::string name = op.getSymName().str();
    kernels.push_back({op, name, absl::StrCat("weft_kernel_", name),
                       backends::DefaultSchedule(backends::ViewKernel(op), target), false, ""});
  });
  MakePathsUnique(kernels);
  return kernels;
}

absl::Status CompileKernels(std::vector<Kernel>& kernels, const backends::Target& target,
                            const KernelOptions& options) {
  std::vector<absl::Status> problems(kernels.size());
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t done = 0;
  auto work = [&] {
    for (size_t i = next++; i < kernels.size(); i = next++) {
      absl::StatusOr<std::string> code = CompileOne(kernels[i], target, options);
      if (code.ok()) {
        kernels[i].code = std::move(*code);
      } else {
        problems[i] = code.status();
      }
      std::lock_guard<std::mutex> lock(mutex);
      if (options.progress) options.progress(++done, kernels.size(), kernels[i].name);
    }
  };
  std::vector<std::thread> workers;
  try {
    for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
      workers.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do all the work.
  }
  work();
  for (std::thread& worker : workers) worker.join();
  options.cache.Trim();
  for (size_t i = 0; i < kernels.size(); ++i) {
    if (!problems[i].ok())
      return absl::Status(problems[i].code(),
                          absl::StrCat("kernel `", kernels[i].name, "`: ", problems[i].message()));
  }
  return absl::OkStatus();
}

}  // namespace weft::driver
