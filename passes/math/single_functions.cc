// Exp, log, tanh and erf in f32: the functions of activations and softmax, where width of vectors counts.

#include <limits>

#include "passes/math/real_functions.h"

namespace weft::passes {

using mlir::Value;
using P = mlir::arith::CmpIPredicate;

namespace {

constexpr uint32_t kNan = 0x7fc00000;
constexpr uint32_t kInfinity = 0x7f800000;

// Where exp has long been 0: n is -150 there.
constexpr double kLeastOfExp = -104.0;

// exp(x) = y 2^n. The last bits of `shifted` are those of n + bias.
struct ScaledExp {
  Value y, shifted;
};

ScaledExp BuildScaledExp(ScalarBuilder& m, Value x, int bias) {
  // Where numbers are as large as `origin` they are whole: the sum is rounded to one.
  Value origin = m.Like(x, 0x1.8p23 + bias);
  Value shifted = m.Fma(x, 1.44269504088896341, origin);
  Value n = m.Sub(shifted, origin);
  // x = n ln 2 + r. The first part of ln 2 has so few bits that its product with n is exact, with or without
  // fma.
  Value r = m.Fma(n, -0.693359375, x);
  r = m.Fma(n, 2.12194440054690583e-4, r);
  // One step more than an error of an ulp needs: recurrences of hundreds of steps carry it along.
  Value p = m.Polynomial(r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                             1.6666665459e-1, 5.0000001201e-1});
  return {m.Add(m.Fma(p, m.Mul(r, r), r), 1.0), shifted};
}

// 2^n of a sum n + 127, by its last bits.
Value PowerOfTwo(ScalarBuilder& m, Value exponent) { return m.ShiftLeft(m.Bits(exponent), m.I32(23)); }

// exp(x) of a number in -86..87, where the result and the power of two are normal.
Value ExpWithin(ScalarBuilder& m, Value x) {
  auto [y, shifted] = BuildScaledExp(m, x, 127);
  return m.Mul(y, m.FromBits(PowerOfTwo(m, shifted)));
}

// exp(x) of a number in -20..-1 that is added to a larger one: with a relative error of an ulp, and that of
// ln 2 times n.
Value ExpOfShare(ScalarBuilder& m, Value x) {
  Value origin = m.Like(x, 0x1.8p23 + 127);
  Value shifted = m.Fma(x, 1.44269504088896341, origin);
  Value r = m.Fma(m.Sub(shifted, origin), -0.693147180559945309, x);
  Value y = m.Polynomial(r, {8.3125010132789612e-3, 4.1890330612659454e-2, 1.6667115688323975e-1,
                             4.99992311000824e-1, 1.0, 1.0});
  return m.Mul(y, m.FromBits(PowerOfTwo(m, shifted)));
}

}  // namespace

// The argument is bounded where the result has long been 0 or infinity; NaN stays. The power of two is one of
// 2^(n + 23) 2^-23, for x < 0, and 2^(n - 105) 2^105, so that only the last product rounds, into a denormal
// or infinity. Products that round to 0 take processors a hundred times as long as others, and a masked
// softmax is full of them: at the least argument the first power has no bits at all and is 0.
Value BuildExp(ScalarBuilder& m, Value x) {
  constexpr double kMost = 90.0;
  constexpr int64_t kOne = int64_t{1} << 23;  // in the exponent
  auto [y, shifted] = BuildScaledExp(m, m.AtMost(m.AtLeast(x, kLeastOfExp), kMost), 127 - 105);
  Value lift = m.And(m.ShiftRight(m.Bits(x), m.I32(1)), m.I32(128 * kOne));
  Value power = m.AddI(PowerOfTwo(m, shifted), lift);
  Value rest = m.SubI(m.I32((127 + 105) * kOne), lift);
  return m.Mul(m.Mul(y, m.FromBits(power)), m.FromBits(rest));
}

// With the argument's sign known one constant does for the second power: 2^(n + 23) 2^-23.
Value BuildExpOfNeverPositive(ScalarBuilder& m, Value x) {
  auto [y, shifted] = BuildScaledExp(m, m.AtLeast(x, kLeastOfExp), 127 + 23);
  return m.Mul(m.Mul(y, m.FromBits(PowerOfTwo(m, shifted))), 0x1p-23);
}

// As in FreeBSD's e_logf.c: x = 2^k (1 + f) with 1 + f in sqrt(1/2)..sqrt(2), log(1 + f) by s = f / (2 + f).
Value BuildLog(ScalarBuilder& m, Value x) {
  Value is_small = m.CompareI(P::slt, m.And(m.Bits(x), m.I32(0x7fffffff)), m.I32(0x00800000));
  Value scaled = m.Select(is_small, m.Mul(x, 33554432.0), x);  // 2^25: denormals become normal
  Value bits = m.AddI(m.Bits(scaled), m.I32(0x3f800000 - 0x3f3504f3));
  Value exponent = m.SubI(m.ShiftRight(bits, m.I32(23)), m.Select(is_small, m.I32(127 + 25), m.I32(127)));
  Value fraction = m.AddI(m.And(bits, m.I32(0x007fffff)), m.I32(0x3f3504f3));
  Value f = m.Add(m.FromBits(fraction), -1.0);
  Value k = m.ToFloat(exponent, x.getType());

  Value s = m.Div(f, m.Add(f, 2.0));
  Value z = m.Mul(s, s);
  Value r = m.Mul(z, m.Polynomial(z, {0xf89e26.0p-26, 0x91e9ee.0p-25, 0xccce13.0p-25, 0xaaaaaa.0p-24}));
  Value half_square = m.Mul(m.Mul(f, f), 0.5);
  Value low = m.Fma(s, m.Add(half_square, r), m.Mul(k, 9.0580006145e-06));
  Value result = m.Fma(k, 6.9313812256e-01, m.Add(m.Sub(low, half_square), f));

  Value is_zero = m.CompareI(P::eq, m.And(m.Bits(x), m.I32(0x7fffffff)), m.I32(0));
  Value is_infinity = m.CompareI(P::eq, m.Bits(x), m.I32(kInfinity));
  result = m.Select(m.Or(is_infinity, m.IsNan(x)), x, result);
  Value outside = m.And(m.IsNegative(x), m.Not(m.IsNan(x)));
  result = m.Select(outside, m.FromBits(kNan), result);
  return m.Select(is_zero, m.FromBits(0xff800000u), result);
}

// Near 0 a polynomial in x^2, else 1 - 2 / (exp(2|x|) + 1).
Value BuildTanh(ScalarBuilder& m, Value x) {
  Value a = m.Abs(x);
  Value z = m.Mul(x, x);
  Value p = m.Polynomial(
      z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  Value near = m.Fma(m.Mul(p, z), x, x);
  Value e = ExpWithin(m, m.Mul(m.AtMost(a, 20.0), 2.0));
  Value far = m.Sub(m.Like(x, 1.0), m.Div(m.Like(x, 2.0), m.Add(e, 1.0)));
  return m.CopySign(m.Select(m.Less(a, m.Like(x, 0.625)), near, far), x);
}

// Near 0 a polynomial in x^2, else 1 - exp(q(|x|)).
Value BuildErf(ScalarBuilder& m, Value x) {
  Value a = m.AtMost(m.Abs(x), 4.0);  // erf(4) rounds to 1
  Value s = m.Mul(a, a);
  Value q = m.Fma(a, -1.72853470e-5, m.Like(x, 3.83197126e-4));
  Value u = m.Fma(a, -3.88396438e-3, m.Like(x, 2.42546219e-2));
  q = m.Fma(q, s, u);
  q = m.Fma(q, a, m.Like(x, -1.06777877e-1));
  q = m.Fma(q, a, m.Like(x, -6.34846687e-1));
  q = m.Fma(q, a, m.Like(x, -1.28717512e-1));
  q = m.Fma(q, a, m.Negate(a));
  Value far = m.CopySign(m.Sub(m.Like(x, 1.0), ExpOfShare(m, q)), x);

  Value p = m.Polynomial(
      s, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  Value near = m.Fma(p, x, x);
  return m.Select(m.Less(m.Like(x, 0.927734375), a), far, near);
}

}  // namespace weft::passes
