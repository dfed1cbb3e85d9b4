#include "compiler/profile/explain.h"

#include "backends/schedule/target.h"
#include "mlir/IR/MLIRContext.h"

namespace weft::profile {

absl::StatusOr<Explained> Explain(const dsl::Program& program, const dsl::SourceManager& sources,
                                  const driver::CompileOptions& options, const Trace* trace,
                                  dsl::Diagnostics& diagnostics) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget(options.target);
  if (!target.ok()) return target.status();
  // Whatever it is compiled for, the limits are this machine's.
  backends::Target host = backends::ParseTarget("host").value();
  // One function after the other: remarks are in order, and the same every time.
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto explained = driver::ExplainProgram(program, sources, options, *target, context, diagnostics);
  if (!explained.ok()) return explained.status();
  MachineLimits limits =
      LimitsOf(host, trace ? trace->threads : host.cores, trace != nullptr, options.kernels.cache);
  absl::StatusOr<KernelTable> table = MakeKernelTable(*explained, program, sources, limits, trace);
  if (!table.ok()) return table.status();
  return Explained{*std::move(table), std::move(explained->remarks)};
}

}  // namespace weft::profile
