#ifndef WEFT_PASSES_MATH_SCALAR_BUILDER_H_
#define WEFT_PASSES_MATH_SCALAR_BUILDER_H_

#include <bit>
#include <cstdint>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace weft::passes {

// Builds scalar arithmetic at one place in words short enough to read a formula in. Floats are f32 or f64;
// their bits are i32 or i64.
class ScalarBuilder {
 public:
  using Value = mlir::Value;

  ScalarBuilder(mlir::OpBuilder& builder, mlir::Location loc) : b_(builder), loc_(loc) {}

  // Constants of the type of `like`, or of a named type.
  Value Like(Value like, double number) {
    return mlir::arith::ConstantOp::create(b_, loc_, b_.getFloatAttr(like.getType(), number));
  }
  Value I32(int64_t number) { return mlir::arith::ConstantIntOp::create(b_, loc_, b_.getI32Type(), number); }
  Value I64(int64_t number) { return mlir::arith::ConstantIntOp::create(b_, loc_, b_.getI64Type(), number); }
  Value FromBits(uint32_t bits) {
    llvm::APFloat value(llvm::APFloat::IEEEsingle(), llvm::APInt(32, bits));
    return mlir::arith::ConstantOp::create(b_, loc_, b_.getFloatAttr(b_.getF32Type(), value));
  }

  Value Add(Value a, Value b) { return mlir::arith::AddFOp::create(b_, loc_, a, b); }
  Value Add(Value a, double b) { return Add(a, Like(a, b)); }
  Value Sub(Value a, Value b) { return mlir::arith::SubFOp::create(b_, loc_, a, b); }
  Value Mul(Value a, Value b) { return mlir::arith::MulFOp::create(b_, loc_, a, b); }
  Value Mul(Value a, double b) { return Mul(a, Like(a, b)); }
  Value Div(Value a, Value b) { return mlir::arith::DivFOp::create(b_, loc_, a, b); }
  Value Fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(b_, loc_, a, b, c); }
  Value Fma(Value a, double b, Value c) { return Fma(a, Like(a, b), c); }
  Value Negate(Value a) { return mlir::arith::NegFOp::create(b_, loc_, a); }
  Value Abs(Value a) { return mlir::math::AbsFOp::create(b_, loc_, a); }
  Value CopySign(Value magnitude, Value sign) {
    return mlir::math::CopySignOp::create(b_, loc_, magnitude, sign);
  }
  Value Round(Value a) { return mlir::math::RoundEvenOp::create(b_, loc_, a); }

  // coefficients[0] * x^(n-1) + ... + coefficients[n-1].
  Value Polynomial(Value x, llvm::ArrayRef<double> coefficients) {
    Value sum = Like(x, coefficients.front());
    for (double coefficient : coefficients.drop_front()) sum = Fma(sum, x, Like(x, coefficient));
    return sum;
  }

  // Comparisons of numbers; false where one is NaN.
  Value Less(Value a, Value b) {
    return mlir::arith::CmpFOp::create(b_, loc_, mlir::arith::CmpFPredicate::OLT, a, b);
  }
  Value Equal(Value a, Value b) {
    return mlir::arith::CmpFOp::create(b_, loc_, mlir::arith::CmpFPredicate::OEQ, a, b);
  }
  Value Select(Value condition, Value a, Value b) {
    return mlir::arith::SelectOp::create(b_, loc_, condition, a, b);
  }
  // `a` bounded; NaN becomes `lo`.
  Value Clamp(Value a, double lo, double hi) {
    Value low = Like(a, lo), high = Like(a, hi);
    Value bounded = Select(Less(low, a), a, low);
    return Select(Less(bounded, high), bounded, high);
  }
  // NaN stays.
  Value AtMost(Value a, double bound) { return Select(Less(Like(a, bound), a), Like(a, bound), a); }
  Value AtLeast(Value a, double bound) { return Select(Less(a, Like(a, bound)), Like(a, bound), a); }

  Value ToF64(Value a) { return mlir::arith::ExtFOp::create(b_, loc_, b_.getF64Type(), a); }
  Value ToF32(Value a) { return mlir::arith::TruncFOp::create(b_, loc_, b_.getF32Type(), a); }
  Value ToI32(Value whole) { return mlir::arith::FPToSIOp::create(b_, loc_, b_.getI32Type(), whole); }
  Value ToFloat(Value integer, mlir::Type type) {
    return mlir::arith::SIToFPOp::create(b_, loc_, type, integer);
  }
  Value Widen(Value i32) { return mlir::arith::ExtSIOp::create(b_, loc_, b_.getI64Type(), i32); }
  Value Bits(Value a) {
    mlir::Type type = a.getType().isF64() ? b_.getI64Type() : b_.getI32Type();
    return mlir::arith::BitcastOp::create(b_, loc_, type, a);
  }
  Value FromBits(Value bits) {
    mlir::Type type =
        bits.getType().isInteger(64) ? mlir::Type(b_.getF64Type()) : mlir::Type(b_.getF32Type());
    return mlir::arith::BitcastOp::create(b_, loc_, type, bits);
  }

  Value AddI(Value a, Value b) { return mlir::arith::AddIOp::create(b_, loc_, a, b); }
  Value SubI(Value a, Value b) { return mlir::arith::SubIOp::create(b_, loc_, a, b); }
  Value MulI(Value a, Value b) { return mlir::arith::MulIOp::create(b_, loc_, a, b); }
  Value And(Value a, Value b) { return mlir::arith::AndIOp::create(b_, loc_, a, b); }
  Value Or(Value a, Value b) { return mlir::arith::OrIOp::create(b_, loc_, a, b); }
  Value Xor(Value a, Value b) { return mlir::arith::XOrIOp::create(b_, loc_, a, b); }
  Value Not(Value a) { return Xor(a, mlir::arith::ConstantOp::create(b_, loc_, b_.getBoolAttr(true))); }
  Value ShiftLeft(Value a, Value b) { return mlir::arith::ShLIOp::create(b_, loc_, a, b); }
  Value ShiftRight(Value a, Value b) { return mlir::arith::ShRSIOp::create(b_, loc_, a, b); }
  Value CompareI(mlir::arith::CmpIPredicate predicate, Value a, Value b) {
    return mlir::arith::CmpIOp::create(b_, loc_, predicate, a, b);
  }

  // Tests of f32 by their bits.
  Value IsNan(Value a) {
    return CompareI(mlir::arith::CmpIPredicate::sgt, And(Bits(a), I32(0x7fffffff)), I32(0x7f800000));
  }
  Value IsInfinite(Value a) {
    return CompareI(mlir::arith::CmpIPredicate::eq, And(Bits(a), I32(0x7fffffff)), I32(0x7f800000));
  }
  Value IsNegative(Value a) { return CompareI(mlir::arith::CmpIPredicate::slt, Bits(a), I32(0)); }

 private:
  mlir::OpBuilder& b_;
  mlir::Location loc_;
};

}  // namespace weft::passes

#endif  // WEFT_PASSES_MATH_SCALAR_BUILDER_H_
