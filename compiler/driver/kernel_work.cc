#include "compiler/driver/kernel_work.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "backends/halide/kernel_to_halide.h"
#include "backends/loops/compile_kernel.h"
#include "backends/schedule/read_schedule.h"
#include "compiler/driver/test_fault.h"
#include "compiler/driver/text_list.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

namespace weft::driver {

namespace {

// `note`: why not with Halide.
KernelResult WithLoops(ir::KernelOp kernel, const KernelSettings& settings, const std::string& symbol,
                       const std::string& note = "") {
  backends::LoopsOptions options;
  options.output = settings.output == KernelOutput::kObject     ? backends::LoopsOutput::kObject
                   : settings.output == KernelOutput::kAssembly ? backends::LoopsOutput::kAssembly
                                                                : backends::LoopsOutput::kLlvm;
  auto code = backends::CompileWithLoops(kernel, settings.target, symbol, options);
  return code.ok() ? KernelResult{{}, *std::move(code), note} : KernelResult{code.status(), "", ""};
}

KernelResult Compile(ir::KernelOp kernel, const KernelSettings& settings, const KernelRequest& request) {
  // Sorts and filters call the runtime, and steps one after another are no pipeline: no schedule tells them
  // anything.
  bool has_pipeline = !kernel.getBody().getOps<ir::EquationOp>().empty();
  if (settings.backend == Backend::kLoops || !has_pipeline)
    return WithLoops(kernel, settings, request.symbol);
  if (!request.not_halide.empty()) return WithLoops(kernel, settings, request.symbol, request.not_halide);
  FailIfTold("halide");
  absl::StatusOr<backends::Schedule> schedule = backends::ParseSchedule(request.text.schedule);
  if (!schedule.ok()) return {schedule.status(), "", ""};
  backends::HalideOutput output = settings.output == KernelOutput::kObject ? backends::HalideOutput::kObject
                                  : settings.output == KernelOutput::kAssembly
                                      ? backends::HalideOutput::kAssembly
                                      : backends::HalideOutput::kStmt;
  auto code = backends::CompileWithHalide(kernel, *schedule, settings.target, request.symbol, output);
  if (code.ok()) return {{}, *std::move(code), ""};
  if (request.has_own_schedule) return {code.status(), "", ""};
  return WithLoops(kernel, settings, request.symbol, std::string(code.status().message()));
}

KernelResult Compile(const KernelSettings& settings, const KernelRequest& request) {
  mlir::DialectRegistry registry;
  registry.insert<ir::WeftDialect, mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect,
                  mlir::tensor::TensorDialect>();
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string problem;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic& diagnostic) {
    absl::StrAppend(&problem, problem.empty() ? "" : "; ", diagnostic.str());
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(request.text.kernel, &context);
  if (!module) return {absl::InternalError(absl::StrCat("reading a kernel back: ", problem)), "", ""};
  return Compile(*module->getOps<ir::KernelOp>().begin(), settings, request);
}

}  // namespace

std::string ToBytes(const KernelRequest& request) {
  return PackTexts({request.text.kernel, request.text.schedule, request.symbol,
                    request.has_own_schedule ? "1" : "0", request.not_halide});
}

std::string ToBytes(const KernelResult& result) {
  return PackTexts({absl::StrCat(static_cast<int>(result.status.code())),
                    std::string(result.status.message()), result.code, result.note});
}

KernelResult ResultOf(absl::string_view bytes) {
  auto fields = UnpackTexts(bytes, 4);
  if (!fields) return {absl::InternalError("a child process gave no result"), "", ""};
  int number = 0;
  if (!absl::SimpleAtoi((*fields)[0], &number))
    return {absl::InternalError("a child process gave no code"), "", ""};
  auto code = static_cast<absl::StatusCode>(number);
  return {absl::Status(code, (*fields)[1]), std::move((*fields)[2]), std::move((*fields)[3])};
}

std::string CompileKernel(const KernelSettings& settings, absl::string_view request) {
  FailIfTold("");
  auto fields = UnpackTexts(request, 5);
  if (!fields) return ToBytes(KernelResult{absl::InternalError("no request"), "", ""});
  return ToBytes(
      Compile(settings, {{(*fields)[0], (*fields)[1]}, (*fields)[2], (*fields)[3] == "1", (*fields)[4]}));
}

}  // namespace weft::driver
