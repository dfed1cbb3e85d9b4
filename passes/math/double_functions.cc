// Trigonometry and powers of f32 by way of f64: one rounding at the end, and room for the reduction of large
// arguments.

#include <array>

#include "passes/math/real_functions.h"

namespace weft::passes {

using mlir::Value;
using P = mlir::arith::CmpIPredicate;

namespace {

// x in quarters of a turn: x = (quarters + rest) * pi/2, rest in -1/2..1/2.
struct Reduced {
  Value quarters;  // i32, modulo 4
  Value angle;     // rest * pi/2, f64
};

// x / (2 pi), without the whole turns. 1/(2 pi) comes in pieces of 28 bits, so that each product with the 24
// bits of x is exact, and whole turns leave the sum after each piece. What the sums round off is carried
// along in `low`.
Reduced ReduceAngle(ScalarBuilder& m, Value x) {
  constexpr std::array<double, 7> kPieces = {0x28be60d.0p-28,  0xb939105.0p-56,  0x4a7f09d.0p-84,
                                             0x5f47d4d.0p-112, 0x377036d.0p-140, 0x8a5664f.0p-168,
                                             0x10e4107.0p-196};
  Value wide = m.ToF64(x);
  Value turns = m.Mul(wide, kPieces[0]);
  turns = m.Sub(turns, m.Round(turns));
  Value low = m.Like(wide, 0.0);
  for (size_t i = 1; i < kPieces.size(); ++i) {
    Value piece = m.Mul(wide, kPieces[i]);
    Value sum = m.Add(turns, piece);
    low = m.Add(low, m.Sub(piece, m.Sub(sum, turns)));
    turns = m.Sub(sum, m.Round(sum));
  }
  Value quarters = m.Mul(turns, 4.0);
  Value whole = m.Round(quarters);
  Value rest = m.Fma(low, 4.0, m.Sub(quarters, whole));
  // NaN (also of infinities) goes on in the angle; the quarter must be a number.
  return {m.And(m.ToI32(m.Clamp(whole, -4.0, 4.0)), m.I32(3)), m.Mul(rest, 1.57079632679489661923)};
}

// For angles in -pi/4..pi/4, errors below 2^-37 (the polynomials of FreeBSD's k_sinf.c and k_cosf.c).
Value SinOfReduced(ScalarBuilder& m, Value a) {
  Value z = m.Mul(a, a);
  Value p = m.Polynomial(
      z, {0x16cd878c3b46a7.0p-71, -0x1a00f9e2cae774.0p-65, 0x111110896efbb2.0p-59, -0x15555554cbac77.0p-55});
  return m.Fma(m.Mul(p, z), a, a);
}
Value CosOfReduced(ScalarBuilder& m, Value a) {
  Value z = m.Mul(a, a);
  return m.Polynomial(z, {0x199342e0ee5069.0p-68, -0x16c087e80f1e27.0p-62, 0x155553e1053a42.0p-57,
                          -0x1ffffffd0c5e81.0p-54, 1.0});
}

Value IsOdd(ScalarBuilder& m, Value i32) { return m.CompareI(P::ne, m.And(i32, m.I32(1)), m.I32(0)); }

// The sine of the angle `shift` quarters further.
Value SinShifted(ScalarBuilder& m, Value x, int64_t shift) {
  Reduced reduced = ReduceAngle(m, x);
  Value quarter = m.AddI(reduced.quarters, m.I32(shift));
  Value value = m.Select(IsOdd(m, quarter), CosOfReduced(m, reduced.angle), SinOfReduced(m, reduced.angle));
  Value flips = m.CompareI(P::ne, m.And(quarter, m.I32(2)), m.I32(0));
  return m.ToF32(m.Select(flips, m.Negate(value), value));
}

// log2(x) of a positive number that is normal in f64.
Value Log2(ScalarBuilder& m, Value x) {
  constexpr int64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  Value bits = m.AddI(m.Bits(x), m.I64(kOne - kRootHalf));
  Value exponent = m.SubI(m.ShiftRight(bits, m.I64(52)), m.I64(1023));
  Value fraction = m.AddI(m.And(bits, m.I64((int64_t{1} << 52) - 1)), m.I64(kRootHalf));
  Value f = m.FromBits(fraction);
  Value s = m.Div(m.Add(f, -1.0), m.Add(f, 1.0));
  Value z = m.Mul(s, s);
  Value p = m.Polynomial(
      z, {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1.0});
  Value log = m.Mul(m.Mul(s, 2.0 * 1.44269504088896340736), p);
  return m.Add(log, m.ToFloat(exponent, x.getType()));
}

// 2^t for t in -1000..1000.
Value Exp2(ScalarBuilder& m, Value t) {
  Value n = m.Round(t);
  Value r = m.Mul(m.Sub(t, n), 0.693147180559945309417);
  Value p = m.Polynomial(r, {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                             1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0});
  Value exponent = m.AddI(m.Widen(m.ToI32(n)), m.I64(1023));
  return m.Mul(p, m.FromBits(m.ShiftLeft(exponent, m.I64(52))));
}

// atan(t) for t in 0..1: beyond tan(pi/8) by the difference to pi/4.
Value AtanOfUnit(ScalarBuilder& m, Value t) {
  Value is_large = m.Less(m.Like(t, 0.41421356237309504880), t);
  Value one = m.Like(t, 1.0);
  Value u = m.Div(m.Select(is_large, m.Sub(t, one), t), m.Select(is_large, m.Add(t, one), one));
  Value z = m.Mul(u, u);
  llvm::SmallVector<double> taylor;
  for (int k = 14; k >= 0; --k) taylor.push_back((k % 2 == 0 ? 1.0 : -1.0) / (2 * k + 1));
  Value value = m.Mul(m.Polynomial(z, taylor), u);
  return m.Add(value, m.Select(is_large, m.Like(t, 0.78539816339744830962), m.Like(t, 0.0)));
}

}  // namespace

Value BuildSin(ScalarBuilder& m, Value x) {
  Value is_zero = m.CompareI(P::eq, m.And(m.Bits(x), m.I32(0x7fffffff)), m.I32(0));
  return m.Select(is_zero, x, SinShifted(m, x, 0));  // keeps the sign of zero
}

Value BuildCos(ScalarBuilder& m, Value x) { return SinShifted(m, x, 1); }

Value BuildTan(ScalarBuilder& m, Value x) {
  Reduced reduced = ReduceAngle(m, x);
  Value sin = SinOfReduced(m, reduced.angle), cos = CosOfReduced(m, reduced.angle);
  Value odd = IsOdd(m, reduced.quarters);
  Value value = m.ToF32(m.Div(m.Select(odd, m.Negate(cos), sin), m.Select(odd, sin, cos)));
  Value is_zero = m.CompareI(P::eq, m.And(m.Bits(x), m.I32(0x7fffffff)), m.I32(0));
  return m.Select(is_zero, x, value);
}

Value BuildAtan2(ScalarBuilder& m, Value y, Value x) {
  // In f64 a huge number stands for infinity, so that quotients of infinities are what C says.
  auto magnitude = [&](Value v) {
    Value wide = m.ToF64(m.Abs(v));
    return m.Select(m.IsInfinite(v), m.Like(wide, 1e300), wide);
  };
  Value ax = magnitude(x), ay = magnitude(y);
  Value swaps = m.Less(ax, ay);
  Value numerator = m.Select(swaps, ax, ay), denominator = m.Select(swaps, ay, ax);
  Value zero = m.Like(ax, 0.0);
  Value safe = m.Select(m.Equal(denominator, zero), m.Like(ax, 1.0), denominator);
  Value angle = AtanOfUnit(m, m.Div(numerator, safe));
  angle = m.Select(swaps, m.Sub(m.Like(angle, 1.57079632679489661923), angle), angle);
  angle = m.Select(m.IsNegative(x), m.Sub(m.Like(angle, 3.14159265358979323846), angle), angle);
  Value result = m.CopySign(m.ToF32(angle), y);
  return m.Select(m.Or(m.IsNan(x), m.IsNan(y)), m.FromBits(0x7fc00000), result);
}

// x^y = 2^(y log2 |x|) with the sign of x for odd y. Zeros and infinities are finite numbers on the way:
// logarithms of
// +-1e60, exponents bounded by 1e60, so that no product is undefined; |x| = 1 has the logarithm 0, whatever y
// is.
Value BuildPow(ScalarBuilder& m, Value x, Value y) {
  Value a = m.ToF64(m.Abs(x));
  Value zero = m.Like(a, 0.0);
  Value is_zero = m.Equal(a, zero);
  Value is_infinite = m.IsInfinite(x);
  Value normal = m.Select(m.Or(is_zero, m.Or(is_infinite, m.IsNan(x))), m.Like(a, 1.0), a);
  Value log = Log2(m, normal);
  log = m.Select(is_zero, m.Like(a, -1e60), m.Select(is_infinite, m.Like(a, 1e60), log));
  Value exponent = m.Clamp(m.ToF64(y), -1e60, 1e60);
  Value power = m.ToF32(Exp2(m, m.Clamp(m.Mul(exponent, log), -1000.0, 1000.0)));

  // Whole numbers: from 2^24 on all are even.
  Value is_huge = m.Not(m.Less(m.Abs(y), m.Like(y, 16777216.0)));
  Value small = m.Select(is_huge, m.Like(y, 0.0), y);
  Value rounded = m.Round(small);
  Value is_whole = m.Equal(rounded, small);
  Value is_odd = m.And(is_whole, IsOdd(m, m.ToI32(rounded)));
  Value is_negative = m.IsNegative(x);
  power = m.Select(m.And(is_negative, is_odd), m.Negate(power), power);
  Value undefined = m.And(m.And(is_negative, m.Not(is_whole)), m.Not(m.Or(is_zero, is_infinite)));
  undefined = m.Or(undefined, m.Or(m.IsNan(x), m.IsNan(y)));
  power = m.Select(undefined, m.FromBits(0x7fc00000), power);
  Value is_one = m.Or(m.Equal(x, m.Like(x, 1.0)), m.Equal(y, m.Like(y, 0.0)));
  return m.Select(is_one, m.Like(x, 1.0), power);
}

Value BuildIntegerPow(ScalarBuilder& m, mlir::OpBuilder& builder, mlir::Location loc, Value x, Value y) {
  auto number = [&](int64_t value) -> Value {
    return mlir::arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(x.getType(), value));
  };
  Value one = number(1), zero = number(0), minus_one = number(-1);
  unsigned bits = x.getType().getIntOrFloatBitWidth();
  Value result = one, square = x;
  // Every bit of the exponent counts, since odd numbers keep changing modulo 2^bits.
  for (unsigned bit = 0; bit + 1 < bits; ++bit) {
    Value is_set = m.CompareI(P::ne, m.And(y, number(int64_t{1} << bit)), zero);
    result = m.Select(is_set, m.MulI(result, square), result);
    square = m.MulI(square, square);
  }
  Value is_odd = m.CompareI(P::ne, m.And(y, one), zero);
  Value inverse = m.Select(m.CompareI(P::eq, x, one), one,
                           m.Select(m.CompareI(P::eq, x, minus_one), m.Select(is_odd, minus_one, one), zero));
  return m.Select(m.CompareI(P::slt, y, zero), inverse, result);
}

}  // namespace weft::passes
