#include "compiler/lower/integer_division.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace weft::lower {

namespace arith = mlir::arith;
using mlir::Value;

namespace {

Value ConstantLike(mlir::OpBuilder& builder, mlir::Location loc, Value like, int64_t number) {
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(like.getType(), number));
}

bool IsNonZeroConstant(Value value) {
  llvm::APInt constant;
  return mlir::matchPattern(value, mlir::m_ConstantInt(&constant)) && !constant.isZero();
}

// Divides by one instead of zero, so that nothing traps, and gives zero there.
Value GuardZero(mlir::OpBuilder& builder, mlir::Location loc, Value b,
                llvm::function_ref<Value(Value)> divide_by) {
  if (IsNonZeroConstant(b)) return divide_by(b);
  Value zero = ConstantLike(builder, loc, b, 0);
  Value is_zero = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, b, zero);
  Value safe = arith::SelectOp::create(builder, loc, is_zero, ConstantLike(builder, loc, b, 1), b);
  return arith::SelectOp::create(builder, loc, is_zero, zero, divide_by(safe));
}

}  // namespace

Value FloorDivide(mlir::OpBuilder& builder, mlir::Location loc, Value a, Value b, Signs signs) {
  if (signs == Signs::kNatural) return arith::DivSIOp::create(builder, loc, a, b);
  return GuardZero(builder, loc, b, [&](Value divisor) -> Value {
    return arith::FloorDivSIOp::create(builder, loc, a, divisor);
  });
}

Value FloorRemainder(mlir::OpBuilder& builder, mlir::Location loc, Value a, Value b, Signs signs) {
  if (signs == Signs::kNatural) return arith::RemSIOp::create(builder, loc, a, b);
  return GuardZero(builder, loc, b, [&](Value divisor) -> Value {
    Value quotient = arith::FloorDivSIOp::create(builder, loc, a, divisor);
    return arith::SubIOp::create(builder, loc, a, arith::MulIOp::create(builder, loc, quotient, divisor));
  });
}

}  // namespace weft::lower
