#include "compiler/profile/launch_work.h"

#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/kernel_work.h"

namespace weft::profile {

LaunchWork::LaunchWork(const driver::ExplainedProgram& explained, const backends::ProgramView& view) {
  std::vector<ir::LaunchOp> cut, now;
  mlir::ModuleOp(*explained.outlined).walk([&](ir::LaunchOp launch) { cut.push_back(launch); });
  mlir::ModuleOp(*explained.scheduled.module).walk([&](ir::LaunchOp launch) { now.push_back(launch); });
  if (cut.size() != now.size()) return;
  for (size_t i = 0; i < cut.size(); ++i) {
    auto number = view.launch_numbers.find(now[i]);
    if (number == view.launch_numbers.end()) continue;
    kernels_[number->second] =
        mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(cut[i], cut[i].getCalleeAttr());
  }
}

std::optional<double> LaunchWork::Flops(int32_t launch, const std::vector<int64_t>& sizes) {
  auto kernel = kernels_.find(launch);
  if (kernel == kernels_.end()) return std::nullopt;
  auto [place, is_new] = known_.try_emplace({launch, sizes});
  if (is_new)
    if (auto work = passes::WorkOf(kernel->second, sizes)) place->second = work->flops;
  return place->second;
}

}  // namespace weft::profile
