#include "passes/analysis/branches.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft::passes {

Branches BranchesOf(mlir::Value value) {
  if (auto select = value.getDefiningOp<mlir::arith::SelectOp>())
    return {select.getCondition(), select.getTrueValue(), select.getFalseValue()};
  if (auto branch = value.getDefiningOp<mlir::scf::IfOp>(); branch && branch->getNumResults() == 1)
    return {branch.getCondition(), branch.thenYield().getOperand(0), branch.elseYield().getOperand(0)};
  return {};
}

}  // namespace weft::passes
