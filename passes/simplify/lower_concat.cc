#include "passes/analysis/equation.h"
#include "passes/simplify/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_LOWERCONCAT
#include "passes/simplify/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpBuilder;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// The element at `indices`, where indices[axis] counts from the start of sources[first].
Value Choose(OpBuilder& builder, mlir::Location location, mlir::ValueRange sources, size_t first,
             int64_t axis, SmallVector<Value> indices) {
  if (first + 1 == sources.size()) return CreateRead(builder, location, sources[first], indices);
  Value size = AsIndex(builder, location, SizeOf(builder, location, sources[first], axis));
  Value here = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, indices[axis], size);
  auto type = mlir::cast<mlir::RankedTensorType>(sources[first].getType()).getElementType();
  auto branch = mlir::scf::IfOp::create(builder, location, mlir::TypeRange{type}, here, /*addThenBlock=*/true,
                                        /*addElseBlock=*/true);
  OpBuilder then = branch.getThenBodyBuilder();
  mlir::scf::YieldOp::create(then, location, CreateRead(then, location, sources[first], indices).getResult());
  OpBuilder otherwise = branch.getElseBodyBuilder();
  indices[axis] = arith::SubIOp::create(otherwise, location, indices[axis], size);
  mlir::scf::YieldOp::create(otherwise, location,
                             Choose(otherwise, location, sources, first + 1, axis, indices));
  return branch.getResult(0);
}

struct LowerConcatPass : impl::LowerConcatBase<LowerConcatPass> {
  void runOnOperation() override {
    SmallVector<mlir::tensor::ConcatOp> concats;
    getOperation().walk([&](mlir::tensor::ConcatOp concat) { concats.push_back(concat); });
    for (mlir::tensor::ConcatOp concat : concats) {
      OpBuilder builder(concat);
      mlir::Location location = concat.getLoc();
      auto type = mlir::cast<mlir::RankedTensorType>(concat.getType());
      int64_t joined = concat.getDim();
      SmallVector<OpFoldResult> extents;
      SmallVector<mlir::Attribute> names;
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        names.push_back(builder.getStringAttr("i" + std::to_string(axis)));
        if (!type.isDynamicDim(axis)) {
          extents.push_back(builder.getIndexAttr(type.getDimSize(axis)));
          continue;
        }
        OpFoldResult extent = SizeOf(builder, location, concat.getInputs()[0], axis);
        if (axis == joined) {
          Value sum = AsIndex(builder, location, extent);
          for (Value source : concat.getInputs().drop_front()) {
            Value size = AsIndex(builder, location, SizeOf(builder, location, source, axis));
            sum = arith::AddIOp::create(builder, location, sum, size);
          }
          extent = sum;
        }
        // A size that the type does not tell must not become one that it does.
        extents.push_back(AsIndex(builder, location, extent));
      }
      auto equation = CreateEquation(
          builder, LabelAt(location), extents, names, type.getElementType(),
          [&](OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
            return {Choose(body, location, concat.getInputs(), 0, joined, SmallVector<Value>(indices))};
          });
      concat.getResult().replaceAllUsesWith(equation->getResult(0));
      concat.erase();
    }
  }
};

}  // namespace
}  // namespace weft::passes
