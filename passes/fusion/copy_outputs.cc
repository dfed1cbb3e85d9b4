#include "compiler/ir/scatter_ops.h"
#include "passes/analysis/equation.h"
#include "passes/fusion/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_COPYOUTPUTS
#include "passes/fusion/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// What a chain of views looks at.
Value ViewedValue(Value value) {
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (!mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

Value Copy(mlir::OpBuilder& builder, mlir::Location location, Value value) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  SmallVector<mlir::OpFoldResult> extents;
  SmallVector<mlir::Attribute> names;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    extents.push_back(SizeOf(builder, location, value, axis));
    names.push_back(builder.getStringAttr("i" + std::to_string(axis)));
  }
  auto equation = CreateEquation(builder, {location, nullptr}, extents, names, type.getElementType(),
                                 [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                   return {CreateRead(body, location, value, indices)};
                                 });
  return equation->getResult(0);
}

struct CopyOutputsPass : impl::CopyOutputsBase<CopyOutputsPass> {
  void runOnOperation() override {
    mlir::Operation* terminator = getOperation().getBody().front().getTerminator();
    mlir::OpBuilder builder(terminator);
    llvm::DenseSet<Value> returned;
    for (mlir::OpOperand& output : terminator->getOpOperands()) {
      Value source = ViewedValue(output.get());
      mlir::Operation* definer = source.getDefiningOp();
      bool is_computed = definer && mlir::isa<ir::EquationOp, ir::IterateOp, ir::UpdateOp>(definer);
      if (is_computed && returned.insert(source).second) continue;
      output.set(Copy(builder, terminator->getLoc(), output.get()));
    }
  }
};

}  // namespace
}  // namespace weft::passes
