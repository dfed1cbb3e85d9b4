#include "backends/halide/kernel_to_halide.h"

#include <Halide.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/halide/emit_object.h"
#include "backends/halide/odd_stores.h"
#include "backends/halide/pipeline_builder.h"
#include "backends/halide/prefetch_addends.h"
#include "backends/schedule/kernel_view.h"
#include "mlir/IR/TypeUtilities.h"

namespace weft::backends {
namespace {

Halide::Target HalideTarget(const Target& target) {
  Halide::Target result(Halide::Target::Linux, Halide::Target::X86, 64);
  using F = Halide::Target;
  for (F::Feature feature : {F::NoAsserts, F::NoBoundsQuery, F::NoRuntime, F::UserContext})
    result.set_feature(feature);
  if (target.Has("sse4.1")) result.set_feature(F::SSE41);
  if (target.Has("avx")) result.set_feature(F::AVX);
  if (target.Has("avx2")) result.set_feature(F::AVX2);
  if (target.Has("fma")) result.set_feature(F::FMA);
  if (target.Has("f16c")) result.set_feature(F::F16C);
  if (target.vector_bytes == 64) {
    result.set_feature(F::AVX512);
    if (target.Has("avx512bw") && target.Has("avx512dq")) result.set_feature(F::AVX512_Skylake);
  }
  return result;
}

// A file without a name: Halide writes its output to files only.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("kernel", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  bool ok() const { return fd_ >= 0; }
  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_); }
  std::string Read() const {
    std::string text(std::max<off_t>(0, lseek(fd_, 0, SEEK_END)), '\0');
    size_t done = 0;
    while (done < text.size()) {
      ssize_t got = pread(fd_, text.data() + done, text.size() - done, static_cast<off_t>(done));
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    text.resize(done);
    return text;
  }

 private:
  int fd_;
};

// Halide's conversions from f16 tell LLVM that there is no NaN, unless all of the kernel is strict.
bool HoldsF16(mlir::Operation* kernel) {
  auto is_f16 = [](mlir::Type type) { return mlir::getElementTypeOrSelf(type).isF16(); };
  return kernel
      ->walk([&](mlir::Operation* op) {
        bool found =
            llvm::any_of(op->getResultTypes(), is_f16) || llvm::any_of(op->getOperandTypes(), is_f16);
        return found ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

// Code is made without checks: what Halide says would write past its memory is refused.
class CodeThatOverruns : public Halide::CompileTimeErrorReporter {
 public:
  void warning(const char* message) override {
    if (absl::StrContains(message, "storage_bound_too_small")) throw Halide::CompileError(message);
    std::fputs(message, stderr);
  }
  [[noreturn]] void error(const char* message) override { throw Halide::CompileError(message); }
};

absl::StatusOr<std::string> Compile(mlir::Operation* kernel, const Schedule& schedule, const Target& target,
                                    absl::string_view symbol, HalideOutput output) {
  KernelView view = ViewKernel(kernel);
  PipelineBuilder builder(view, schedule, target);
  if (auto s = builder.Build(); !s.ok()) return s;
  std::string inner = absl::StrCat(symbol, "_inner");
  Halide::Target halide_target = HalideTarget(target);
  if (HoldsF16(kernel)) halide_target.set_feature(Halide::Target::StrictFloat);
  Halide::Pipeline pipeline(builder.outputs());
  if (!builder.prefetches().empty())
    pipeline.add_custom_lowering_pass(new PrefetchWeights(builder.prefetches()));
  if (!builder.addends().empty()) pipeline.add_custom_lowering_pass(new PrefetchAddends(builder.addends()));
  pipeline.add_custom_lowering_pass(new StoreOddLanesAlone);
  Halide::Module module = pipeline.compile_to_module(builder.arguments(), inner, halide_target);
  module.set_any_strict_float(true);
  MemoryFile file;
  if (!file.ok()) return absl::ResourceExhaustedError("no memory file for a kernel's code");
  bool text = output == HalideOutput::kStmt;
  module.compile({{text ? Halide::OutputFileType::stmt : Halide::OutputFileType::bitcode, file.path()}});
  std::string code = file.Read();
  if (code.empty()) return absl::ResourceExhaustedError("a kernel's code could not be written");
  if (text) return code;
  return EmitObject(code, inner, symbol, builder.abi(), target,
                    output == HalideOutput::kObject ? EmitKind::kObject : EmitKind::kAssembly);
}

}  // namespace

absl::StatusOr<std::string> CompileWithHalide(mlir::Operation* kernel, const Schedule& schedule,
                                              const Target& target, absl::string_view symbol,
                                              HalideOutput output) {
  static CodeThatOverruns reporter;
  Halide::set_custom_compile_time_error_reporter(&reporter);
  // The exceptions of Halide do not derive from std::exception and end here.
  try {
    return Compile(kernel, schedule, target, symbol, output);
  } catch (const Halide::Error& error) {
    std::string what = error.what();
    while (!what.empty() && what.back() == '\n') what.pop_back();
    return absl::InvalidArgumentError(absl::StrCat("Halide: ", what));
  }
}

}  // namespace weft::backends
