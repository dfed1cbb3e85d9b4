#include "compiler/lower/arithmetic.h"

#include "compiler/ir/weft_dialect.h"
#include "compiler/lower/integer_division.h"
#include "compiler/lower/scalar_types.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft::lower {

namespace arith = mlir::arith;
namespace math = mlir::math;
using dsl::ElementType;
using dsl::Function;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

namespace {

Value Constant(OpBuilder& builder, Location loc, mlir::Type type, double number) {
  if (mlir::isa<mlir::FloatType>(type)) {
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, number));
  }
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, static_cast<int64_t>(number)));
}

Value Compare(OpBuilder& builder, Location loc, Function function, Value a, Value b, ElementType element) {
  if (IsFloat(element)) {
    using P = arith::CmpFPredicate;
    P predicate = function == Function::kEq   ? P::OEQ
                  : function == Function::kNe ? P::UNE  // NaN differs from everything
                  : function == Function::kLt ? P::OLT
                  : function == Function::kLe ? P::OLE
                  : function == Function::kGt ? P::OGT
                                              : P::OGE;
    return arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  using P = arith::CmpIPredicate;
  bool is_unsigned = IsUnsigned(element);
  P predicate = function == Function::kEq   ? P::eq
                : function == Function::kNe ? P::ne
                : function == Function::kLt ? (is_unsigned ? P::ult : P::slt)
                : function == Function::kLe ? (is_unsigned ? P::ule : P::sle)
                : function == Function::kGt ? (is_unsigned ? P::ugt : P::sgt)
                                            : (is_unsigned ? P::uge : P::sge);
  return arith::CmpIOp::create(builder, loc, predicate, a, b);
}

// -1, 0 or 1; of floats NaN and both zeros are themselves.
Value Sign(OpBuilder& builder, Location loc, Value x, ElementType element) {
  Value zero = Constant(builder, loc, x.getType(), 0);
  Value is_positive = Compare(builder, loc, Function::kGt, x, zero, element);
  Value one = Constant(builder, loc, x.getType(), 1);
  if (IsUnsigned(element)) return arith::SelectOp::create(builder, loc, is_positive, one, zero);
  Value is_negative = Compare(builder, loc, Function::kLt, x, zero, element);
  Value below =
      arith::SelectOp::create(builder, loc, is_negative, Constant(builder, loc, x.getType(), -1), x);
  return arith::SelectOp::create(builder, loc, is_positive, one, below);
}

Value Absolute(OpBuilder& builder, Location loc, Value x, ElementType element) {
  if (IsFloat(element)) return math::AbsFOp::create(builder, loc, x);
  if (IsUnsigned(element)) return x;
  Value negated = arith::SubIOp::create(builder, loc, Constant(builder, loc, x.getType(), 0), x);
  return arith::MaxSIOp::create(builder, loc, x, negated);
}

// Division of data integers. u8 has only the truncating form, which floors as nothing is negative.
Value DivideUnsigned(OpBuilder& builder, Location loc, Function function, Value a, Value b) {
  mlir::Type wide = builder.getI32Type();
  Value x = arith::ExtUIOp::create(builder, loc, wide, a);
  Value y = arith::ExtUIOp::create(builder, loc, wide, b);
  Value result = function == Function::kFloorDiv ? FloorDivide(builder, loc, x, y, Signs::kUnknown)
                                                 : FloorRemainder(builder, loc, x, y, Signs::kUnknown);
  return arith::TruncIOp::create(builder, loc, a.getType(), result);
}

// What floor, ceil, round and trunc do to an integer is nothing.
Value LowerReal(OpBuilder& builder, Location loc, Function function, mlir::ValueRange x,
                ElementType element) {
  bool rounds = function == Function::kFloor || function == Function::kCeil || function == Function::kRound ||
                function == Function::kTrunc;
  if (rounds && !IsFloat(element)) return x[0];
  switch (function) {
    case Function::kExp:
      return math::ExpOp::create(builder, loc, x[0]);
    case Function::kLog:
      return math::LogOp::create(builder, loc, x[0]);
    case Function::kSqrt:
      return math::SqrtOp::create(builder, loc, x[0]);
    case Function::kSin:
      return math::SinOp::create(builder, loc, x[0]);
    case Function::kCos:
      return math::CosOp::create(builder, loc, x[0]);
    case Function::kTan:
      return math::TanOp::create(builder, loc, x[0]);
    case Function::kTanh:
      return math::TanhOp::create(builder, loc, x[0]);
    case Function::kAtan2:
      return math::Atan2Op::create(builder, loc, x[0], x[1]);
    case Function::kErf:
      return math::ErfOp::create(builder, loc, x[0]);
    case Function::kFloor:
      return math::FloorOp::create(builder, loc, x[0]);
    case Function::kCeil:
      return math::CeilOp::create(builder, loc, x[0]);
    case Function::kRound:
      return math::RoundEvenOp::create(builder, loc, x[0]);
    default:
      return math::TruncOp::create(builder, loc, x[0]);
  }
}

}  // namespace

Value LowerFunction(OpBuilder& builder, Location loc, Function function, mlir::ValueRange x,
                    ElementType element, bool natural) {
  bool is_float = IsFloat(element);
  bool is_unsigned = IsUnsigned(element);
  Signs signs = natural ? Signs::kNatural : Signs::kUnknown;
  switch (function) {
    case Function::kAdd:
      if (is_float) return arith::AddFOp::create(builder, loc, x[0], x[1]);
      return arith::AddIOp::create(builder, loc, x[0], x[1]);
    case Function::kSub:
      if (is_float) return arith::SubFOp::create(builder, loc, x[0], x[1]);
      return arith::SubIOp::create(builder, loc, x[0], x[1]);
    case Function::kMul:
      if (is_float) return arith::MulFOp::create(builder, loc, x[0], x[1]);
      return arith::MulIOp::create(builder, loc, x[0], x[1]);
    case Function::kDiv:
      return arith::DivFOp::create(builder, loc, x[0], x[1]);
    case Function::kFloorDiv:
      if (is_float) {
        return math::FloorOp::create(builder, loc,
                                     arith::DivFOp::create(builder, loc, x[0], x[1]).getResult());
      }
      if (is_unsigned) return DivideUnsigned(builder, loc, function, x[0], x[1]);
      return FloorDivide(builder, loc, x[0], x[1], signs);
    case Function::kMod:
      if (is_float) {  // a - floor(a / b) * b, the sign of b
        Value quotient = arith::DivFOp::create(builder, loc, x[0], x[1]);
        Value floor = math::FloorOp::create(builder, loc, quotient);
        return arith::SubFOp::create(builder, loc, x[0],
                                     arith::MulFOp::create(builder, loc, floor, x[1]).getResult());
      }
      if (is_unsigned) return DivideUnsigned(builder, loc, function, x[0], x[1]);
      return FloorRemainder(builder, loc, x[0], x[1], signs);
    case Function::kNeg:
      if (is_float) return arith::NegFOp::create(builder, loc, x[0]);
      return arith::SubIOp::create(builder, loc, Constant(builder, loc, x[0].getType(), 0), x[0]);
    case Function::kMinimum:
      if (is_float) return arith::MinimumFOp::create(builder, loc, x[0], x[1]);
      if (is_unsigned) return arith::MinUIOp::create(builder, loc, x[0], x[1]);
      return arith::MinSIOp::create(builder, loc, x[0], x[1]);
    case Function::kMaximum:
      if (is_float) return arith::MaximumFOp::create(builder, loc, x[0], x[1]);
      if (is_unsigned) return arith::MaxUIOp::create(builder, loc, x[0], x[1]);
      return arith::MaxSIOp::create(builder, loc, x[0], x[1]);
    case Function::kAbs:
      return Absolute(builder, loc, x[0], element);
    case Function::kSign:
      return Sign(builder, loc, x[0], element);
    case Function::kEq:
    case Function::kNe:
    case Function::kLt:
    case Function::kLe:
    case Function::kGt:
    case Function::kGe:
      return Compare(builder, loc, function, x[0], x[1], element);
    case Function::kAnd:
      return arith::AndIOp::create(builder, loc, x[0], x[1]);
    case Function::kOr:
      return arith::OrIOp::create(builder, loc, x[0], x[1]);
    case Function::kNot:
      return arith::XOrIOp::create(builder, loc, x[0],
                                   arith::ConstantIntOp::create(builder, loc, x[0].getType(), 1).getResult());
    case Function::kRandom:
      return ir::RandomOp::create(builder, loc, builder.getI64Type(), x[0], x.drop_front());
    default:
      return LowerReal(builder, loc, function, x, element);
  }
}

}  // namespace weft::lower
