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

bool IsSafeConstant(Value value) {
  llvm::APInt constant;
  return mlir::matchPattern(value, mlir::m_ConstantInt(&constant)) && !constant.isZero() &&
         !constant.isAllOnes();
}

// Divides by one instead of zero or minus one, so that nothing traps (the least integer has no negation), and
// gives zero and what `by_minus_one` makes there.
Value Guarded(mlir::OpBuilder& builder, mlir::Location loc, Value b, llvm::function_ref<Value()> by_minus_one,
              llvm::function_ref<Value(Value)> divide_by) {
  if (IsSafeConstant(b)) return divide_by(b);
  auto equals = [&](int64_t number) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, b,
                                 ConstantLike(builder, loc, b, number));
  };
  Value is_zero = equals(0), is_minus_one = equals(-1);
  Value one = ConstantLike(builder, loc, b, 1);
  Value safe = arith::SelectOp::create(builder, loc, is_zero, one, b);
  safe = arith::SelectOp::create(builder, loc, is_minus_one, one, safe);
  Value result = arith::SelectOp::create(builder, loc, is_minus_one, by_minus_one(), divide_by(safe));
  return arith::SelectOp::create(builder, loc, is_zero, ConstantLike(builder, loc, b, 0), result);
}

}  // namespace

Value FloorDivide(mlir::OpBuilder& builder, mlir::Location loc, Value a, Value b, Signs signs) {
  if (signs == Signs::kNatural) return arith::DivSIOp::create(builder, loc, a, b);
  auto negated = [&]() -> Value {
    return arith::SubIOp::create(builder, loc, ConstantLike(builder, loc, a, 0), a);
  };
  return Guarded(builder, loc, b, negated, [&](Value divisor) -> Value {
    return arith::FloorDivSIOp::create(builder, loc, a, divisor);
  });
}

Value FloorRemainder(mlir::OpBuilder& builder, mlir::Location loc, Value a, Value b, Signs signs) {
  if (signs == Signs::kNatural) return arith::RemSIOp::create(builder, loc, a, b);
  auto nothing = [&]() -> Value { return ConstantLike(builder, loc, a, 0); };
  return Guarded(builder, loc, b, nothing, [&](Value divisor) -> Value {
    Value quotient = arith::FloorDivSIOp::create(builder, loc, a, divisor);
    return arith::SubIOp::create(builder, loc, a, arith::MulIOp::create(builder, loc, quotient, divisor));
  });
}

}  // namespace weft::lower
