#include "backends/host/call_tables.h"

#include <algorithm>

namespace weft::backends {
namespace {

void Add(ir::LaunchOp launch, CallTables& tables) {
  int64_t axes = 0;
  for (mlir::Type type : llvm::concat<const mlir::Type>(launch.getOperandTypes(), launch.getResultTypes())) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    axes += tensor ? tensor.getRank() : 1;
  }
  tables.buffers = std::max<int64_t>(tables.buffers, launch->getNumOperands() + launch->getNumResults());
  tables.numbers = std::max(tables.numbers, axes);
}

void Add(mlir::func::FuncOp function, CallTables& tables) {
  auto module = function->getParentOfType<mlir::ModuleOp>();
  function.walk([&](mlir::Operation* op) {
    if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) Add(launch, tables);
    if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op))
      Add(module.lookupSymbol<mlir::func::FuncOp>(iterate.getCallee()), tables);
    if (auto check = mlir::dyn_cast<ir::CheckOp>(op))
      tables.numbers = std::max<int64_t>(tables.numbers, check.getValues().size());
  });
}

}  // namespace

int64_t ExtentCount(ir::LaunchOp launch) {
  int64_t count = 0;
  for (mlir::Type type :
       llvm::concat<const mlir::Type>(launch.getInputs().getTypes(), launch.getResultTypes())) {
    auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
    count += tensor ? tensor.getNumDynamicDims() : 1;
  }
  return count;
}

CallTables TablesOf(mlir::func::FuncOp function) {
  CallTables tables;
  Add(function, tables);
  return tables;
}

}  // namespace weft::backends
