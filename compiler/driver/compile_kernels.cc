#include "compiler/driver/compile_kernels.h"

#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "backends/schedule/default_schedule.h"
#include "backends/schedule/kernel_view.h"
#include "compiler/driver/build_identity.h"
#include "compiler/driver/schedules.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

namespace weft::driver {

namespace {

std::string ClassOf(ir::KernelOp kernel) {
  auto kernel_class = kernel->getAttrOfType<mlir::StringAttr>("class");
  return kernel_class ? kernel_class.str() : "kernel";
}

// The same for equal code only, so that equal kernels of a program are one function.
std::string SymbolOf(ir::KernelOp kernel, const std::string& content) {
  llvm::BLAKE3 hasher;
  hasher.update(content);
  return absl::StrCat("weft_kernel_", ClassOf(kernel), "_", llvm::toHex(hasher.final<16>(), true));
}

// Several kernels, equal ones, that are compiled as one.
struct Job {
  size_t kernel;  // the first of them
  KernelRequest request;
  std::string key;     // in the cache; empty: not kept there
  bool named = false;  // the request speaks in the names of the file
};

class Compilation {
 public:
  Compilation(std::vector<Kernel>& kernels, const KernelSettings& settings, ForkServer& server,
              const KernelOptions& options)
      : kernels_(kernels), settings_(settings), server_(server), options_(options) {}

  absl::StatusOr<std::optional<KernelFault>> Run() {
    TimedPhase phase(options_.timing, "kernels");
    MakeJobs();
    size_t at_once = std::max(1u, std::thread::hardware_concurrency());
    std::vector<size_t> waiting;
    for (size_t job = jobs_.size(); job-- > 0;) {
      if (!FindInCache(jobs_[job])) waiting.push_back(job);
    }
    while (!waiting.empty() || server_.running() > 0) {
      for (; !waiting.empty() && server_.running() < at_once; waiting.pop_back()) {
        if (auto s = server_.Start(waiting.back(), ToBytes(jobs_[waiting.back()].request)); !s.ok()) return s;
      }
      absl::StatusOr<ChildEnd> end = server_.Wait();
      if (!end.ok()) return end.status();
      Job& job = jobs_[end->task];
      if (MayTryLoops(job, *end)) {
        job.request.not_halide = absl::StrCat("its compilation ", end->cause);
        waiting.push_back(end->task);
        continue;
      }
      if (!end->cause.empty()) return KernelFault{job.kernel, *std::move(end)};
      KernelResult result = ResultOf(end->answer);
      if (!result.status.ok() && !job.named) {
        // Once more, for a message in the names of the file.
        job.request.text = NamedText(kernels_[job.kernel].op, kernels_[job.kernel].schedule);
        job.named = true;
        waiting.push_back(end->task);
      } else if (!result.status.ok()) {
        kernels_[job.kernel].problem = result.status;
        return absl::Status(result.status.code(), absl::StrCat("kernel `", kernels_[job.kernel].name,
                                                               "`: ", result.status.message()));
      } else {
        bool is_final = !job.named && job.request.not_halide.empty();
        if (!job.key.empty() && is_final) options_.cache.Keep(job.key, end->answer);
        Count(job, end->seconds);
        Finish(job, result);
      }
    }
    for (Kernel& kernel : kernels_) kernel.code = codes_[kernel.symbol];
    return std::nullopt;
  }

 private:
  // Halide's simplifier goes on for hours at some kernels, which plain loops do as well.
  bool MayTryLoops(const Job& job, const ChildEnd& end) const {
    return end.limited && settings_.backend == Backend::kHalide && !job.request.has_own_schedule &&
           job.request.not_halide.empty();
  }

  void MakeJobs() {
    for (size_t i = 0; i < kernels_.size(); ++i) {
      Job job{i, {}, "", settings_.output != KernelOutput::kObject};
      job.request.has_own_schedule = kernels_[i].has_own_schedule;
      if (job.named) {
        job.request.text = NamedText(kernels_[i].op, kernels_[i].schedule);
        kernels_[i].symbol = absl::StrCat("weft_kernel_", kernels_[i].name);
      } else {
        job.request.text = CanonicalText(kernels_[i].op, kernels_[i].schedule);
        std::string content = ContentOf(job.request);
        kernels_[i].symbol = SymbolOf(kernels_[i].op, content);
        job.key = absl::StrCat("kernel 2\n", BuildIdentity(), content);
      }
      job.request.symbol = kernels_[i].symbol;
      if (codes_.try_emplace(kernels_[i].symbol).second) jobs_.push_back(std::move(job));
    }
  }

  // All that decides about the code, but for the compiler and the symbol.
  std::string ContentOf(const KernelRequest& request) const {
    bool loops = settings_.backend == Backend::kLoops;
    return absl::StrCat(backends::Describe(settings_.target), "\n", loops ? "loops" : "halide", "\n",
                        loops ? "" : request.text.schedule, request.has_own_schedule ? "own" : "", "\n",
                        request.text.kernel);
  }

  bool FindInCache(const Job& job) {
    if (job.key.empty()) return false;
    std::optional<std::string> found = options_.cache.Find(job.key);
    if (!found) return false;
    if (options_.timing) ++options_.timing->from_cache;
    Finish(job, ResultOf(*found));
    return true;
  }

  void Count(const Job& job, double seconds) {
    if (!options_.timing) return;
    Timing::Share& share = options_.timing->classes[ClassOf(kernels_[job.kernel].op)];
    ++options_.timing->compiled;
    ++share.count;
    share.seconds += seconds;
  }

  void Finish(const Job& job, const KernelResult& result) {
    Kernel& kernel = kernels_[job.kernel];
    kernel.ran_into_limit = !job.request.not_halide.empty();
    if (!result.note.empty() && options_.note) {
      options_.note(absl::StrCat("kernel `", kernel.name,
                                 "` is compiled as plain loops, on one thread: ", result.note));
    }
    codes_[kernel.symbol] = result.code;
    if (options_.progress) options_.progress(++done_, jobs_.size(), kernel.name);
  }

  std::vector<Kernel>& kernels_;
  const KernelSettings& settings_;
  ForkServer& server_;
  const KernelOptions& options_;
  std::vector<Job> jobs_;
  std::map<std::string, std::string> codes_;  // by symbol
  size_t done_ = 0;
};

}  // namespace

std::vector<Kernel> KernelsOf(mlir::ModuleOp module, const backends::Target& target) {
  NameEquations(module);
  std::vector<Kernel> kernels;
  module.walk([&](ir::KernelOp op) {
    Kernel& kernel = kernels.emplace_back();
    kernel.op = op;
    kernel.name = op.getSymName().str();
    kernel.schedule = backends::DefaultSchedule(backends::ViewKernel(op), target);
  });
  return kernels;
}

std::unique_ptr<ForkServer> StartKernelServer(const KernelSettings& settings) {
  return std::make_unique<ForkServer>(
      [settings](absl::string_view request) { return CompileKernel(settings, request); },
      LimitsOfEnvironment());
}

absl::StatusOr<std::optional<KernelFault>> CompileKernels(std::vector<Kernel>& kernels,
                                                          const KernelSettings& settings, ForkServer& server,
                                                          const KernelOptions& options) {
  return Compilation(kernels, settings, server, options).Run();
}

}  // namespace weft::driver
