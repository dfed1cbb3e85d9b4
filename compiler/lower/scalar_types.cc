#include "compiler/lower/scalar_types.h"

#include <cmath>
#include <limits>

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::lower {

namespace arith = mlir::arith;
using dsl::ElementType;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

mlir::Type StorageType(mlir::Builder& builder, ElementType element) {
  switch (element) {
    case ElementType::kBool:
      return builder.getI1Type();
    case ElementType::kI8:
    case ElementType::kU8:
      return builder.getI8Type();
    case ElementType::kI32:
      return builder.getI32Type();
    case ElementType::kInt:
    case ElementType::kI64:
      return builder.getI64Type();
    case ElementType::kF16:
      return builder.getF16Type();
    case ElementType::kBf16:
      return builder.getBF16Type();
    case ElementType::kF32:
      return builder.getF32Type();
    case ElementType::kF64:
      return builder.getF64Type();
  }
  return {};
}

mlir::Type ScalarType(mlir::Builder& builder, ElementType element) {
  return element == ElementType::kInt ? builder.getIndexType() : StorageType(builder, element);
}

bool IsUnsigned(ElementType element) { return element == ElementType::kU8; }

Value ToStorage(OpBuilder& builder, Location loc, Value scalar) {
  if (!scalar.getType().isIndex()) return scalar;
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), scalar);
}

Value FromStorage(OpBuilder& builder, Location loc, Value stored, ElementType element) {
  if (element != ElementType::kInt) return stored;
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), stored);
}

namespace {

Value FloatToFloat(OpBuilder& builder, Location loc, Value value, mlir::FloatType to) {
  auto from = mlir::cast<mlir::FloatType>(value.getType());
  if (from == to) return value;
  if (from.getWidth() < to.getWidth()) return arith::ExtFOp::create(builder, loc, to, value);
  if (from.getWidth() > to.getWidth()) return arith::TruncFOp::create(builder, loc, to, value);
  // f16 and bf16 have one width and no order between them.
  Value wide = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  return arith::TruncFOp::create(builder, loc, to, wide);
}

// Truncates toward zero; values outside the target's range give its nearest end, NaN gives 0.
Value FloatToInteger(OpBuilder& builder, Location loc, Value value, mlir::IntegerType to, bool is_unsigned) {
  if (mlir::cast<mlir::FloatType>(value.getType()).getWidth() < 32) {
    value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);  // f16 has no 2^31
  }
  auto type = mlir::cast<mlir::FloatType>(value.getType());
  auto real = [&](double number) -> Value {
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, number));
  };
  int bits = static_cast<int>(to.getWidth());
  double lowest = is_unsigned ? 0.0 : -std::ldexp(1.0, bits - 1);
  double beyond = std::ldexp(1.0, is_unsigned ? bits : bits - 1);
  int64_t largest =
      is_unsigned ? (int64_t{1} << bits) - 1 : std::numeric_limits<int64_t>::max() >> (64 - bits);

  Value is_nan = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, value, value);
  Value number = arith::SelectOp::create(builder, loc, is_nan, real(0), value);
  Value bounded = arith::MaximumFOp::create(builder, loc, number, real(lowest));
  Value is_beyond = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, bounded, real(beyond));
  Value inside = arith::SelectOp::create(builder, loc, is_beyond, real(0), bounded);
  mlir::IntegerType wide = bits < 32 ? builder.getI32Type() : to;
  Value whole = arith::FPToSIOp::create(builder, loc, wide, inside);
  Value end = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(wide, largest));
  Value result = arith::SelectOp::create(builder, loc, is_beyond, end, whole);
  return wide == to ? result : arith::TruncIOp::create(builder, loc, to, result).getResult();
}

Value IntegerToInteger(OpBuilder& builder, Location loc, Value value, mlir::IntegerType to,
                       bool is_unsigned) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  if (from == to.getWidth()) return value;
  if (from > to.getWidth()) return arith::TruncIOp::create(builder, loc, to, value);
  if (is_unsigned) return arith::ExtUIOp::create(builder, loc, to, value);
  return arith::ExtSIOp::create(builder, loc, to, value);
}

}  // namespace

Value CastScalar(OpBuilder& builder, Location loc, Value value, ElementType from, ElementType to) {
  if (from == to) return value;
  mlir::Type target = StorageType(builder, to);
  Value stored = ToStorage(builder, loc, value);
  Value result;
  if (IsFloat(from) && IsFloat(to)) {
    result = FloatToFloat(builder, loc, stored, mlir::cast<mlir::FloatType>(target));
  } else if (IsFloat(from)) {
    result = FloatToInteger(builder, loc, stored, mlir::cast<mlir::IntegerType>(target), IsUnsigned(to));
  } else if (IsFloat(to)) {
    result = IsUnsigned(from) ? arith::UIToFPOp::create(builder, loc, target, stored).getResult()
                              : arith::SIToFPOp::create(builder, loc, target, stored).getResult();
  } else {
    result = IntegerToInteger(builder, loc, stored, mlir::cast<mlir::IntegerType>(target), IsUnsigned(from));
  }
  return FromStorage(builder, loc, result, to);
}

}  // namespace weft::lower
