#include "llvm/ADT/TypeSwitch.h"
#include "passes/math/passes.h"
#include "passes/math/philox.h"
#include "passes/math/real_functions.h"
#include "passes/math/sign.h"

namespace weft::passes {

#define GEN_PASS_DEF_EXPANDMATH
#include "passes/math/passes.h.inc"

namespace {

namespace math = mlir::math;
using mlir::Value;

// The value of `op` on f32 operands; null for what stays as it is.
Value Expand(mlir::Operation* op, ScalarBuilder& m, mlir::ValueRange x) {
  return llvm::TypeSwitch<mlir::Operation*, Value>(op)
      .Case([&](math::ExpOp) {
        return IsNeverPositive(x[0]) ? BuildExpOfNeverPositive(m, x[0]) : BuildExp(m, x[0]);
      })
      .Case([&](math::LogOp) { return BuildLog(m, x[0]); })
      .Case([&](math::TanhOp) { return BuildTanh(m, x[0]); })
      .Case([&](math::ErfOp) { return BuildErf(m, x[0]); })
      .Case([&](math::SinOp) { return BuildSin(m, x[0]); })
      .Case([&](math::CosOp) { return BuildCos(m, x[0]); })
      .Case([&](math::TanOp) { return BuildTan(m, x[0]); })
      .Case([&](math::Atan2Op) { return BuildAtan2(m, x[0], x[1]); })
      .Case([&](math::PowFOp) { return BuildPow(m, x[0], x[1]); })
      .Default([](mlir::Operation*) { return Value(); });
}

struct ExpandMathPass : public impl::ExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    llvm::SmallVector<mlir::Operation*> functions;
    getOperation()->walk([&](mlir::Operation* op) {
      if (mlir::isa_and_nonnull<math::MathDialect>(op->getDialect()) && op->getNumResults() == 1) {
        functions.push_back(op);
      }
    });
    for (mlir::Operation* op : functions) ExpandOne(op);
    llvm::SmallVector<ir::RandomOp> draws;
    getOperation()->walk([&](ir::RandomOp random) { draws.push_back(random); });
    for (ir::RandomOp random : draws) {
      mlir::OpBuilder builder(random);
      random.getResult().replaceAllUsesWith(BuildPhilox(builder, random));
      random->erase();
    }
  }

  void ExpandOne(mlir::Operation* op) {
    mlir::OpBuilder builder(op);
    mlir::Location loc = op->getLoc();
    ScalarBuilder m(builder, loc);
    mlir::Type type = op->getResult(0).getType();
    Value result;
    if (mlir::isa<math::IPowIOp>(op) && type.isInteger()) {
      result = BuildIntegerPow(m, builder, loc, op->getOperand(0), op->getOperand(1));
    } else if (type.isF32()) {
      result = Expand(op, m, op->getOperands());
    } else if (type.isF16() || type.isBF16()) {
      llvm::SmallVector<Value> wide;
      for (Value operand : op->getOperands()) {
        wide.push_back(mlir::arith::ExtFOp::create(builder, loc, builder.getF32Type(), operand));
      }
      result = Expand(op, m, wide);
      if (result) {
        result = mlir::arith::TruncFOp::create(builder, loc, type, result);
      } else {
        for (Value value : wide) value.getDefiningOp()->erase();
      }
    }
    if (!result) return;
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }
};

}  // namespace
}  // namespace weft::passes
