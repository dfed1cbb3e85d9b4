#include "backends/host/program_view.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace weft::backends {

absl::StatusOr<ProgramView> ViewProgram(mlir::ModuleOp module) {
  ProgramView view;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.isExternal()) continue;
    if (function->hasAttr("weft.prepare")) {
      view.prepare = function;
    } else if (function.isPublic()) {
      view.methods.push_back(function);
    }
  }
  if (view.methods.empty()) return absl::InvalidArgumentError("the module has no method");
  std::vector<mlir::func::FuncOp> functions = view.methods;
  if (view.prepare) functions.push_back(view.prepare);
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (function->hasAttr("weft.step")) functions.push_back(function);
  std::string error;
  for (mlir::func::FuncOp function : functions) {
    function.walk([&](mlir::Operation* op) {
      if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) {
        auto [place, added] = view.weight_numbers.try_emplace(weight.getPath(), view.weights.size());
        if (added) view.weights.push_back({weight, false});
        ProgramWeight& known = view.weights[place->second];
        if (known.op.getType() != weight.getType())
          error = absl::StrCat("weight ", weight.getPath().str(), " has two types");
        known.used_by_methods |= function != view.prepare;
      } else if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) {
        view.launch_numbers[op] = static_cast<int32_t>(view.launches.size());
        view.launches.push_back(launch);
      }
    });
  }
  if (!error.empty()) return absl::InvalidArgumentError(error);
  return view;
}

int64_t ElementBytes(mlir::Type type) {
  return type.isIntOrFloat() ? (static_cast<int64_t>(type.getIntOrFloatBitWidth()) + 7) / 8 : 8;
}

}  // namespace weft::backends
