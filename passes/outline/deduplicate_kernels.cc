#include <map>
#include <string>

#include "llvm/ADT/StringMap.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/structure.h"
#include "passes/outline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_DEDUPLICATEKERNELS
#include "passes/outline/passes.h.inc"

namespace {

struct DeduplicateKernelsPass : impl::DeduplicateKernelsBase<DeduplicateKernelsPass> {
  void runOnOperation() override {
    std::map<std::string, ir::KernelOp> first;
    llvm::StringMap<llvm::StringRef> replacement;
    llvm::SmallVector<ir::KernelOp> duplicates;
    for (ir::KernelOp kernel : getOperation().getOps<ir::KernelOp>()) {
      auto [found, inserted] = first.try_emplace(StructureOf(kernel), kernel);
      replacement[kernel.getSymName()] = found->second.getSymName();
      if (!inserted) duplicates.push_back(kernel);
    }
    getOperation().walk([&](ir::LaunchOp launch) {
      auto found = replacement.find(launch.getCallee());
      if (found != replacement.end()) launch.setCallee(found->second);
    });
    for (ir::KernelOp kernel : duplicates) kernel.erase();
  }
};

}  // namespace
}  // namespace weft::passes
