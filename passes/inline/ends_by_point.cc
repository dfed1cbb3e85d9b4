#include "passes/inline/ends_by_point.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::passes {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

Value AllEnded(mlir::OpBuilder& builder, mlir::Location location, Value ended) {
  mlir::Type type = builder.getI1Type();
  ir::EquationOp points = DefiningEquation(ended);
  SmallVector<llvm::StringRef> names = llvm::map_to_vector(
      points.getNames(), [](mlir::Attribute name) { return mlir::cast<mlir::StringAttr>(name).getValue(); });
  auto equation = CreateEquation(
      builder, PartOf(LabelAt(location), "until"), {}, {}, type,
      [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
        SmallVector<Value> lower, upper;
        for (OpFoldResult extent : ExtentsOf(points)) {
          lower.push_back(AsIndex(body, location, body.getIndexAttr(0)));
          upper.push_back(AsIndex(body, location, extent));
        }
        return {ir::ReduceOp::create(body, location, type, ir::ReduceKind::all, lower, upper, names, Value(),
                                     [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange at) {
                                       Value element = CreateRead(inner, location, ended, at);
                                       ir::YieldOp::create(inner, location, mlir::ValueRange{element});
                                     })};
      });
  return equation->getResult(0);
}

Value EndedSlice(ir::LoopOp steps) {
  mlir::OperandRange slices = steps.getBody().front().getTerminator()->getOperands();
  return slices[slices.size() - 3];
}

mlir::Operation* EndOfStep(ir::LoopOp steps) {
  return steps.getBody().front().getTerminator()->getOperands().back().getDefiningOp();
}

}  // namespace weft::passes
