#include "passes/outline/kernel_name.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

// What the scalar operations around the reductions of an equation are known as.
std::string Activation(ir::EquationOp equation) {
  int maxima = 0, minima = 0, reads = 0;
  std::string function;
  for (mlir::Operation& op : equation.getBody().front()) {
    maxima += mlir::isa<mlir::arith::MaximumFOp>(op);
    minima += mlir::isa<mlir::arith::MinimumFOp>(op);
    reads += mlir::isa<ir::ReadOp>(op);
    if (mlir::isa<mlir::math::ErfOp>(op)) function = "_erf";
    if (mlir::isa<mlir::math::TanhOp>(op)) function = "_tanh";
    if (mlir::isa<mlir::math::ExpOp>(op)) function = "_exp";
  }
  std::string text = reads >= 2 ? "_add" : reads == 1 ? "_bias" : "";
  if (!HasReduction(equation)) text.clear();
  if (maxima && minima) return text + "_clip";
  if (maxima) return text + "_relu";
  return text + function;
}

bool SumsWindow(Contraction& contraction) {
  if (!contraction.data) return false;
  // A subscript of the data that mixes an index of the result with one of the sum.
  for (mlir::Value subscript : contraction.data.getSubscripts()) {
    bool domain = false, reduced = false;
    mlir::Block* sum = &contraction.reduce.getBody().front();
    for (mlir::Value index : IndicesOf(subscript)) {
      (mlir::cast<mlir::BlockArgument>(index).getOwner() == sum ? reduced : domain) = true;
    }
    if (domain && reduced) return true;
  }
  return false;
}

}  // namespace

std::string KernelName(llvm::ArrayRef<ir::EquationOp> equations) {
  llvm::StringRef name = ClassOf(equations);
  if (equations.size() > 1) return name == "row_reduction" ? "rows" : name.str();
  ir::EquationOp equation = equations.front();
  if (auto contraction = MatchContraction(equation))
    return (SumsWindow(*contraction) ? "conv" : "matmul") + Activation(equation);
  if (name == "copy" || name == "gather") return name.str();
  if (name == "row_reduction") return "reduce" + Activation(equation);
  return name.str() + Activation(equation);
}

}  // namespace weft::passes
