#include "backends/halide/scalar_ops.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/halide/emit_object.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {
namespace {

using Halide::cast;
using Halide::Expr;
using Halide::reinterpret;
using Halide::select;
using Halide::Type;
using Halide::Internal::Call;
namespace arith = mlir::arith;
namespace math = mlir::math;

constexpr int64_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();

Expr Strict(Call::IntrinsicOp op, Type type, const Expr& a, const Expr& b) {
  return Call::make(type, op, {a, b}, Call::PureIntrinsic);
}

bool IsIndexLike(mlir::Type type) { return type.isIndex() || type.isInteger(64); }

bool Fits(int64_t low, int64_t high) { return low >= kInt32Min && high <= kInt32Max; }

int64_t Saturate(__int128 value) {
  if (value < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
  if (value > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(value);
}

// Whole numbers of any width as signed expressions; a narrow one is widened to 64 bits.
Expr Wide(const Scalar& s) { return s.narrow ? cast<int64_t>(s.e) : s.e; }

Expr AsUnsigned(const Expr& e) { return cast(e.type().with_code(halide_type_uint), e); }
Expr AsSigned(const Expr& e) { return cast(e.type().with_code(halide_type_int), e); }

// Halide drops the signed step from a cast to unsigned of a cast from float, and negative numbers are lost.
// Something that its simplifier does not see through, and LLVM removes, keeps the two apart.
Expr WholeOfFloat(Type type, const Expr& f) {
  Expr one = Halide::Internal::make_one(type);
  return (cast(type, f) ^ one) ^ one;
}

Expr RoundToBf16(const Expr& f) {
  Expr bits = reinterpret<uint32_t>(f);
  auto word = [](uint32_t value) { return Expr(value); };
  Expr rounded = (bits + (((bits >> word(16)) & word(1)) + word(0x7fff))) & word(0xffff0000u);
  // A NaN keeps its sign and becomes quiet; rounding could carry it into infinity.
  Expr nan = (bits | word(0x00400000u)) & word(0xffff0000u);
  return reinterpret<float>(select(IsNan(f), nan, rounded));
}

Expr RoundTo(const Expr& f, mlir::Type type) {
  if (type.isF16()) return cast<float>(cast(Halide::Float(16), f));
  if (type.isBF16()) return RoundToBf16(f);
  return f;
}

Scalar Rounded(const Expr& e, mlir::Type type) { return Scalar::Of(RoundTo(e, type)); }

Expr FloatBits(const Expr& f) { return reinterpret(Halide::UInt(f.type().bits()), f); }

Expr Absolute(const Expr& f) {
  Type bits = Halide::UInt(f.type().bits());
  return reinterpret(
      f.type(), FloatBits(f) & Halide::Internal::make_const(bits, bits.bits() == 64 ? INT64_MAX : INT32_MAX));
}

Expr SignBit(const Expr& f) {
  Type bits = Halide::UInt(f.type().bits());
  return FloatBits(f) & (Halide::Internal::make_const(bits, 1) << (bits.bits() - 1));
}

Expr Negate(const Expr& f) {
  Type bits = Halide::UInt(f.type().bits());
  return reinterpret(f.type(), FloatBits(f) ^ (Halide::Internal::make_const(bits, 1) << (bits.bits() - 1)));
}

Expr Subtract(const Expr& a, const Expr& b) { return Strict(Call::strict_sub, a.type(), a, b); }
Expr Divide(const Expr& a, const Expr& b) { return Strict(Call::strict_div, a.type(), a, b); }
// Halide takes x == x for true where it splits a loop, which NaN is not.
Expr Equal(const Expr& a, const Expr& b) {
  return Strict(Call::strict_eq, Halide::Bool(), a, Halide::Internal::equal(a, b) ? Opaque(b) : b);
}
// Halide's own strict_le holds for NaN.
Expr LessEqual(const Expr& a, const Expr& b) { return Less(a, b) || Equal(a, b); }

Expr Compare(arith::CmpFPredicate predicate, const Expr& a, const Expr& b) {
  using P = arith::CmpFPredicate;
  switch (predicate) {
    case P::AlwaysFalse:
      return Halide::Internal::const_false();
    case P::AlwaysTrue:
      return Halide::Internal::const_true();
    case P::OEQ:
      return Equal(a, b);
    case P::OGT:
      return Less(b, a);
    case P::OGE:
      return LessEqual(b, a);
    case P::OLT:
      return Less(a, b);
    case P::OLE:
      return LessEqual(a, b);
    case P::ONE:
      return Less(a, b) || Less(b, a);
    case P::ORD:
      return Equal(a, a) && Equal(b, b);
    case P::UEQ:
      return !(Less(a, b) || Less(b, a));
    case P::UGT:
      return !LessEqual(a, b);
    case P::UGE:
      return !Less(a, b);
    case P::ULT:
      return !LessEqual(b, a);
    case P::ULE:
      return !Less(b, a);
    case P::UNE:
      return !Equal(a, b);
    case P::UNO:
      return !(Equal(a, a) && Equal(b, b));
  }
  return {};
}

Expr Compare(arith::CmpIPredicate predicate, Expr a, Expr b) {
  using P = arith::CmpIPredicate;
  // Of comparisons with one number after the other Halide makes a `switch` over 32 bits, which LLVM refuses
  // for wider values: those are compared so that it sees none.
  if (a.type().bits() == 64 && (predicate == P::eq || predicate == P::ne)) {
    a = a ^ b;
    b = Halide::Internal::make_zero(a.type());
  }
  switch (predicate) {
    case P::eq:
      return a == b;
    case P::ne:
      return a != b;
    case P::slt:
      return a < b;
    case P::sle:
      return a <= b;
    case P::sgt:
      return a > b;
    case P::sge:
      return a >= b;
    default:
      break;
  }
  a = AsUnsigned(a), b = AsUnsigned(b);
  switch (predicate) {
    case P::ult:
      return a < b;
    case P::ule:
      return a <= b;
    case P::ugt:
      return a > b;
    default:
      return a >= b;
  }
}

// Truncating division. Halide's own `/` rounds so that remainders are not negative.
Expr TruncDivide(const Expr& a, const Expr& b) {
  if (Halide::Internal::is_const(b) && !Halide::Internal::is_const_zero(b))
    return Halide::div_round_to_zero(a, b);
  std::string name = absl::StrCat(kQuotientPrefix, a.type().is_uint() ? "u" : "s", a.type().bits());
  return Call::make(a.type(), name, {a, b}, Call::PureExtern);
}
Expr TruncModulo(const Expr& a, const Expr& b) {
  if (Halide::Internal::is_const(b) && !Halide::Internal::is_const_zero(b))
    return Halide::mod_round_to_zero(a, b);
  Expr rest = AsUnsigned(a) - AsUnsigned(TruncDivide(a, b)) * AsUnsigned(b);
  return cast(a.type(), rest);
}
// Halide understands these in subscripts. 0 for a zero divisor.
Expr DivideNaturals(const Expr& a, const Expr& b) {
  return ReadsElements(a) || ReadsElements(b) ? TruncDivide(a, b) : a / b;
}
Expr ModuloNaturals(const Expr& a, const Expr& b) {
  return ReadsElements(a) || ReadsElements(b) ? TruncModulo(a, b) : a % b;
}
Expr FloorDivide(const Expr& a, const Expr& b) {
  if (Halide::Internal::is_positive_const(b)) return a / b;
  Expr quotient = TruncDivide(a, b), rest = TruncModulo(a, b);
  return select(rest != 0 && ((rest < 0) != (b < 0)), quotient - 1, quotient);
}
Expr CeilDivide(const Expr& a, const Expr& b) {
  Expr quotient = TruncDivide(a, b), rest = TruncModulo(a, b);
  return select(rest != 0 && ((rest < 0) == (b < 0)), quotient + 1, quotient);
}

// c > 0 where b is (a / c) * c, so that a - b is a % c; else nothing.
Expr RemainderBy(const Expr& a, const Expr& b) {
  const auto* product = b.as<Halide::Internal::Mul>();
  const auto* quotient = product ? product->a.as<Halide::Internal::Div>() : nullptr;
  bool remainder = quotient && Halide::Internal::is_positive_const(quotient->b) &&
                   Halide::Internal::equal(quotient->b, product->b) &&
                   Halide::Internal::equal(quotient->a, a);
  return remainder ? quotient->b : Expr();
}

enum class Whole {
  kAdd,
  kSub,
  kMul,
  kDivS,
  kRemS,
  kFloorDiv,
  kCeilDiv,
  kDivU,
  kRemU,
  kMaxS,
  kMinS,
  kMaxU,
  kMinU
};

// The range of a result, from those of its operands; everything where nothing is known.
void Range(Whole op, const Scalar& a, const Scalar& b, int64_t* low, int64_t* high) {
  __int128 al = a.low, ah = a.high, bl = b.low, bh = b.high;
  __int128 l = std::numeric_limits<int64_t>::min(), h = std::numeric_limits<int64_t>::max();
  switch (op) {
    case Whole::kAdd:
      l = al + bl, h = ah + bh;
      break;
    case Whole::kSub:
      l = al - bh, h = ah - bl;
      break;
    case Whole::kMul: {
      __int128 c[] = {al * bl, al * bh, ah * bl, ah * bh};
      l = *std::min_element(c, c + 4), h = *std::max_element(c, c + 4);
      break;
    }
    case Whole::kDivS:
    case Whole::kDivU:
    case Whole::kFloorDiv:
    case Whole::kCeilDiv:
      // Magnitudes never grow; floor and ceiling move by one at most.
      if (a.narrow) l = std::min<__int128>(al, -ah) - 1, h = std::max<__int128>(ah, -al) + 1;
      if (al >= 0 && bl > 0) l = al / bh, h = op == Whole::kCeilDiv ? (ah + bl - 1) / bl : ah / bl;
      break;
    case Whole::kRemS:
    case Whole::kRemU:
      if (a.narrow) l = al < 0 ? std::min<__int128>(al, -ah) : 0, h = std::max<__int128>(ah, -al);
      if (al >= 0 && bl > 0) l = 0, h = std::min<__int128>(ah, bh - 1);
      break;
    case Whole::kMaxS:
    case Whole::kMaxU:
      l = std::max(al, bl), h = std::max(ah, bh);
      break;
    case Whole::kMinS:
    case Whole::kMinU:
      l = std::min(al, bl), h = std::min(ah, bh);
      break;
  }
  *low = Saturate(l), *high = Saturate(h);
}

Scalar WholeOp(Whole op, mlir::Type type, const Scalar& a, const Scalar& b) {
  Scalar result;
  Expr x = a.e, y = b.e;
  bool narrow = false;
  if (IsIndexLike(type)) {
    Range(op, a, b, &result.low, &result.high);
    bool unsigned_op = op == Whole::kDivU || op == Whole::kRemU || op == Whole::kMaxU || op == Whole::kMinU;
    narrow =
        a.narrow && b.narrow && Fits(result.low, result.high) && !(unsigned_op && (a.low < 0 || b.low < 0));
    if (!narrow) x = Wide(a), y = Wide(b);
    result.narrow = narrow;
  }
  bool boolean = x.type().is_bool();
  // Overflow wraps, which Halide defines for unsigned types only.
  bool wraps = !narrow && !boolean;
  switch (op) {
    case Whole::kAdd:
      result.e = boolean ? x != y : wraps ? AsSigned(AsUnsigned(x) + AsUnsigned(y)) : x + y;
      break;
    case Whole::kSub:
      result.e = boolean ? x != y : wraps ? AsSigned(AsUnsigned(x) - AsUnsigned(y)) : x - y;
      // Written out, Halide solves a condition on it for a loop that cancels, dividing by that loop's
      // coefficient 0.
      if (Expr divisor = narrow ? RemainderBy(x, y) : Expr(); divisor.defined()) result.e = x % divisor;
      break;
    case Whole::kMul:
      result.e = boolean ? x && y : wraps ? AsSigned(AsUnsigned(x) * AsUnsigned(y)) : x * y;
      break;
    case Whole::kDivS:
      result.e = narrow && a.low >= 0 && b.low >= 0 ? DivideNaturals(x, y) : TruncDivide(x, y);
      break;
    case Whole::kRemS:
      result.e = narrow && a.low >= 0 && b.low >= 0 ? ModuloNaturals(x, y) : TruncModulo(x, y);
      break;
    case Whole::kFloorDiv:
      result.e = FloorDivide(x, y);
      break;
    case Whole::kCeilDiv:
      result.e = CeilDivide(x, y);
      break;
    case Whole::kDivU:
      result.e = narrow ? DivideNaturals(x, y) : AsSigned(TruncDivide(AsUnsigned(x), AsUnsigned(y)));
      break;
    case Whole::kRemU:
      result.e = narrow ? ModuloNaturals(x, y) : AsSigned(TruncModulo(AsUnsigned(x), AsUnsigned(y)));
      break;
    case Whole::kMaxS:
      result.e = Halide::max(x, y);
      break;
    case Whole::kMinS:
      result.e = Halide::min(x, y);
      break;
    case Whole::kMaxU:
      result.e = narrow ? Halide::max(x, y) : AsSigned(Halide::max(AsUnsigned(x), AsUnsigned(y)));
      break;
    case Whole::kMinU:
      result.e = narrow ? Halide::min(x, y) : AsSigned(Halide::min(AsUnsigned(x), AsUnsigned(y)));
      break;
  }
  return result;
}

absl::StatusOr<Scalar> ConstantScalar(arith::ConstantOp op) {
  mlir::Attribute value = op.getValue();
  if (auto dense = mlir::dyn_cast<mlir::DenseElementsAttr>(value)) {
    if (!dense.isSplat()) return absl::UnimplementedError("a tensor constant inside an equation's body");
    value = dense.getSplatValue<mlir::Attribute>();
  }
  if (auto real = mlir::dyn_cast<mlir::FloatAttr>(value)) {
    // NaN and infinity do not survive Halide's own constants everywhere: they are given as bits.
    double number = real.getValueAsDouble();
    if (real.getType().isF64()) {
      if (std::isfinite(number)) return Scalar::Of(Expr(number));
      uint64_t bits = real.getValue().bitcastToAPInt().getZExtValue();
      return Scalar::Of(
          reinterpret<double>(Halide::Internal::make_const(Halide::UInt(64), static_cast<int64_t>(bits))));
    }
    float narrow = static_cast<float>(number);
    if (std::isfinite(narrow)) return Scalar::Of(Expr(narrow));
    if (std::isinf(narrow)) return Scalar::Of(Infinity(Halide::Float(32), narrow < 0));
    return Scalar::Of(reinterpret<float>(Expr(static_cast<uint32_t>(0x7fc00000))));
  }
  if (auto whole = mlir::dyn_cast<mlir::IntegerAttr>(value)) {
    if (whole.getType().isInteger(1))
      return Scalar::Of(Halide::Internal::make_bool(!whole.getValue().isZero()));
    int64_t number = whole.getValue().getSExtValue();
    if (IsIndexLike(whole.getType()) && Fits(number, number)) {
      return Scalar::Index(Expr(static_cast<int32_t>(number)), number, number);
    }
    return Scalar::Of(Halide::Internal::make_const(ComputeType(whole.getType()), number));
  }
  return absl::UnimplementedError("a constant that is no number");
}

// Real functions of f64 are the C library's, as in the loops.
Expr CallLibrary(mlir::Operation* op, const std::vector<Scalar>& in) {
  std::string name = op->getName().stripDialect().str();
  std::vector<Expr> arguments;
  for (const Scalar& argument : in) arguments.push_back(argument.e);
  return Call::make(Halide::Float(64), name == "powf" ? "pow" : name, arguments, Call::PureExtern);
}

// Rounding functions leave NaN and infinity as they are.
Expr RoundWith(Expr (*function)(Expr), const Expr& f) { return function(f); }

}  // namespace

absl::StatusOr<Type> StorageType(mlir::Type type) {
  if (type.isF32()) return Halide::Float(32);
  if (type.isF64()) return Halide::Float(64);
  if (type.isF16()) return Halide::Float(16);
  if (type.isBF16()) return Halide::UInt(16);
  if (type.isInteger(1)) return Halide::UInt(8);
  for (int bits : {8, 16, 32, 64}) {
    if (type.isInteger(bits)) return Halide::Int(bits);
  }
  if (type.isIndex()) return Halide::Int(64);
  return absl::UnimplementedError("an element type that kernels do not hold");
}

Type ComputeType(mlir::Type type) {
  if (type.isF64()) return Halide::Float(64);
  if (mlir::isa<mlir::FloatType>(type)) return Halide::Float(32);
  if (type.isInteger(1)) return Halide::Bool();
  if (type.isIndex()) return Halide::Int(64);
  return Halide::Int(type.getIntOrFloatBitWidth());
}

Scalar FromStorage(const Expr& stored, mlir::Type type) {
  if (type.isBF16()) return Scalar::Of(reinterpret<float>(cast<uint32_t>(stored) << 16));
  if (type.isF16()) return Scalar::Of(cast<float>(stored));
  if (type.isInteger(1)) return Scalar::Of(stored != cast<uint8_t>(0));
  return Scalar::Of(stored);
}

Scalar FloorRemainder(const Scalar& value, int64_t divisor) {
  bool fits = divisor <= std::numeric_limits<int32_t>::max();
  if (value.narrow && fits) return Scalar::Index(value.e % static_cast<int32_t>(divisor), 0, divisor - 1);
  Expr rest = Wide(value) % Halide::Internal::make_const(Halide::Int(64), divisor);
  return fits ? Scalar::Index(cast<int32_t>(rest), 0, divisor - 1) : Scalar::Of(rest);
}

Expr ToCompute(const Scalar& value, mlir::Type type) { return IsIndexLike(type) ? Wide(value) : value.e; }

Expr ToStorage(const Scalar& value, mlir::Type type) {
  if (type.isBF16()) return cast<uint16_t>(reinterpret<uint32_t>(value.e) >> 16);
  if (type.isF16()) return cast(Halide::Float(16), value.e);
  if (type.isInteger(1)) return select(value.e, cast<uint8_t>(1), cast<uint8_t>(0));
  return ToCompute(value, type);
}

Scalar RoundedToBf16(const Expr& value) { return Scalar::Of(RoundToBf16(value)); }

Expr ToIndex(const Scalar& value) { return value.narrow ? value.e : cast<int32_t>(value.e); }

bool ReadsElements(const Expr& e) {
  class Finder : public Halide::Internal::IRGraphVisitor {
   public:
    bool found = false;
    using IRGraphVisitor::visit;
    void visit(const Call* op) override {
      found |= op->call_type == Call::Halide || op->call_type == Call::Image;
      IRGraphVisitor::visit(op);
    }
  } finder;
  e.accept(&finder);
  return finder.found;
}

Expr Opaque(const Expr& e) {
  if (!e.type().is_float()) return e;
  Expr one = Halide::Internal::make_one(Halide::UInt(e.type().bits()));
  return reinterpret(e.type(), (FloatBits(e) ^ one) ^ one);
}

Expr Add(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Strict(Call::strict_add, a.type(), a, b)
                             : AsSigned(AsUnsigned(a) + AsUnsigned(b));
}
Expr Multiply(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Strict(Call::strict_mul, a.type(), a, b)
                             : AsSigned(AsUnsigned(a) * AsUnsigned(b));
}
Expr Less(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Strict(Call::strict_lt, Halide::Bool(), a, b) : a < b;
}
Expr IsNan(const Expr& a) { return a.type().is_float() ? !Equal(a, a) : Halide::Internal::const_false(); }

// One comparison where the other operand is a number: it then cannot be NaN. Of equal zeros the right one is
// kept for the constant +0 of a ReLU.
Expr Maximum(const Expr& a, const Expr& b) {
  if (!a.type().is_float()) return Halide::max(a, b);
  if (Halide::Internal::is_const(b)) return select(LessEqual(a, b), b, a);
  if (Halide::Internal::is_const(a)) return select(LessEqual(b, a), a, b);
  return select(Less(b, a) || IsNan(a), a, b);
}
Expr Minimum(const Expr& a, const Expr& b) {
  if (!a.type().is_float()) return Halide::min(a, b);
  if (Halide::Internal::is_const(b)) return select(LessEqual(b, a), b, a);
  if (Halide::Internal::is_const(a)) return select(LessEqual(a, b), a, b);
  return select(Less(a, b) || IsNan(a), a, b);
}

Expr Infinity(Type type, bool negative) {
  if (type.bits() == 64) {
    return reinterpret<double>(Halide::Internal::make_const(
        Halide::UInt(64), static_cast<int64_t>(negative ? 0xfff0000000000000ull : 0x7ff0000000000000ull)));
  }
  return reinterpret<float>(Expr(static_cast<uint32_t>(negative ? 0xff800000u : 0x7f800000u)));
}

absl::StatusOr<Scalar> TranslateScalarOp(mlir::Operation* op, const std::vector<Scalar>& in) {
  mlir::Type type = op->getResult(0).getType();
  mlir::Type from = op->getNumOperands() > 0 ? op->getOperand(0).getType() : type;
  auto whole = [&](Whole kind) { return WholeOp(kind, type, in[0], in[1]); };
  auto real = [&](const Expr& e) { return Rounded(e, type); };
  auto bits = [&](auto combine) -> Scalar {
    if (type.isInteger(1)) return Scalar::Of(combine(in[0].e, in[1].e));
    return Scalar::Of(combine(Wide(in[0]), Wide(in[1])));
  };
  return llvm::TypeSwitch<mlir::Operation*, absl::StatusOr<Scalar>>(op)
      .Case([&](arith::ConstantOp c) { return ConstantScalar(c); })
      .Case([&](arith::AddFOp) { return real(Add(in[0].e, in[1].e)); })
      .Case([&](arith::SubFOp) { return real(Subtract(in[0].e, in[1].e)); })
      .Case([&](arith::MulFOp) { return real(Multiply(in[0].e, in[1].e)); })
      .Case([&](arith::DivFOp) { return real(Divide(in[0].e, in[1].e)); })
      .Case([&](arith::NegFOp) { return Scalar::Of(Negate(in[0].e)); })
      .Case([&](arith::MaximumFOp) { return Scalar::Of(Maximum(in[0].e, in[1].e)); })
      .Case([&](arith::MinimumFOp) { return Scalar::Of(Minimum(in[0].e, in[1].e)); })
      .Case([&](arith::MaxNumFOp) {
        return Scalar::Of(select(IsNan(in[0].e) || Less(in[0].e, in[1].e), in[1].e, in[0].e));
      })
      .Case([&](arith::MinNumFOp) {
        return Scalar::Of(select(IsNan(in[0].e) || Less(in[1].e, in[0].e), in[1].e, in[0].e));
      })
      .Case([&](arith::CmpFOp c) { return Scalar::Of(Compare(c.getPredicate(), in[0].e, in[1].e)); })
      .Case([&](arith::CmpIOp c) {
        if (from.isInteger(1)) {
          auto byte = [](const Expr& e) {
            return select(e, Expr(static_cast<int8_t>(-1)), Expr(static_cast<int8_t>(0)));
          };
          return Scalar::Of(Compare(c.getPredicate(), byte(in[0].e), byte(in[1].e)));
        }
        bool narrow = in[0].narrow && in[1].narrow;
        return Scalar::Of(narrow ? Compare(c.getPredicate(), in[0].e, in[1].e)
                                 : Compare(c.getPredicate(), Wide(in[0]), Wide(in[1])));
      })
      .Case([&](arith::SelectOp) {
        Scalar result;
        if (IsIndexLike(type)) {
          result.narrow = in[1].narrow && in[2].narrow;
          result.low = std::min(in[1].low, in[2].low), result.high = std::max(in[1].high, in[2].high);
          result.e =
              result.narrow ? select(in[0].e, in[1].e, in[2].e) : select(in[0].e, Wide(in[1]), Wide(in[2]));
        } else if (type.isInteger(1)) {
          result.e = (in[0].e && in[1].e) || (!in[0].e && in[2].e);
        } else {
          result.e = select(in[0].e, in[1].e, in[2].e);
        }
        return result;
      })
      .Case([&](arith::AddIOp) { return whole(Whole::kAdd); })
      .Case([&](arith::SubIOp) { return whole(Whole::kSub); })
      .Case([&](arith::MulIOp) { return whole(Whole::kMul); })
      .Case([&](arith::DivSIOp) { return whole(Whole::kDivS); })
      .Case([&](arith::RemSIOp) { return whole(Whole::kRemS); })
      .Case([&](arith::FloorDivSIOp) { return whole(Whole::kFloorDiv); })
      .Case([&](arith::CeilDivSIOp) { return whole(Whole::kCeilDiv); })
      .Case([&](arith::DivUIOp) { return whole(Whole::kDivU); })
      .Case([&](arith::RemUIOp) { return whole(Whole::kRemU); })
      .Case([&](arith::MaxSIOp) { return whole(Whole::kMaxS); })
      .Case([&](arith::MinSIOp) { return whole(Whole::kMinS); })
      .Case([&](arith::MaxUIOp) { return whole(Whole::kMaxU); })
      .Case([&](arith::MinUIOp) { return whole(Whole::kMinU); })
      .Case([&](arith::AndIOp) {
        return bits([](const Expr& a, const Expr& b) { return a.type().is_bool() ? a && b : a & b; });
      })
      .Case([&](arith::OrIOp) {
        return bits([](const Expr& a, const Expr& b) { return a.type().is_bool() ? a || b : a | b; });
      })
      .Case([&](arith::XOrIOp) {
        return bits(
            [](const Expr& a, const Expr& b) { return a.type().is_bool() ? (a && !b) || (!a && b) : a ^ b; });
      })
      .Case([&](arith::ShLIOp) {
        return bits([](const Expr& a, const Expr& b) { return AsSigned(AsUnsigned(a) << AsUnsigned(b)); });
      })
      .Case([&](arith::ShRSIOp) {
        return bits([](const Expr& a, const Expr& b) { return a >> AsUnsigned(b); });
      })
      .Case([&](arith::ShRUIOp) {
        return bits([](const Expr& a, const Expr& b) { return AsSigned(AsUnsigned(a) >> AsUnsigned(b)); });
      })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp>([&](auto) -> Scalar {
        if (IsIndexLike(from) && IsIndexLike(type)) return in[0];
        if (IsIndexLike(from)) return Scalar::Of(cast(ComputeType(type), in[0].e));
        Expr source = in[0].e;
        if (mlir::isa<arith::IndexCastUIOp>(op) || from.isInteger(1))
          source = AsUnsigned(cast(source.type().is_bool() ? Halide::UInt(8) : source.type(), source));
        int bits = from.getIntOrFloatBitWidth();
        bool sign = !source.type().is_uint();
        if (bits < 32 || (bits == 32 && sign)) {
          int64_t high = sign ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
          return Scalar::Index(cast<int32_t>(source), sign ? -high - 1 : 0, high);
        }
        return Scalar::Of(cast<int64_t>(source));
      })
      .Case([&](arith::ExtSIOp) -> Scalar {
        Expr source = in[0].e;
        if (from.isInteger(1))
          source = select(source, Expr(static_cast<int8_t>(-1)), Expr(static_cast<int8_t>(0)));
        if (IsIndexLike(type)) {
          int bits = source.type().bits();
          int64_t high = (int64_t{1} << (bits - 1)) - 1;
          return Scalar::Index(cast<int32_t>(source), -high - 1, high);
        }
        return Scalar::Of(cast(ComputeType(type), source));
      })
      .Case([&](arith::ExtUIOp) -> Scalar {
        Expr source =
            from.isInteger(1) ? select(in[0].e, cast<uint8_t>(1), cast<uint8_t>(0)) : AsUnsigned(in[0].e);
        int bits = from.getIntOrFloatBitWidth();
        if (IsIndexLike(type) && bits < 32) {
          return Scalar::Index(cast<int32_t>(source), 0, (int64_t{1} << bits) - 1);
        }
        return Scalar::Of(cast(ComputeType(type), source));
      })
      .Case([&](arith::TruncIOp) -> Scalar {
        if (type.isInteger(1))
          return Scalar::Of((Wide(in[0]) & Halide::Internal::make_one(Wide(in[0]).type())) != 0);
        return Scalar::Of(cast(ComputeType(type), in[0].e));
      })
      .Case([&](arith::SIToFPOp) {
        Expr source = from.isInteger(1)
                          ? select(in[0].e, Expr(static_cast<int8_t>(-1)), Expr(static_cast<int8_t>(0)))
                          : in[0].e;
        return real(cast(ComputeType(type), source));
      })
      .Case([&](arith::UIToFPOp) {
        Expr source =
            from.isInteger(1) ? select(in[0].e, cast<uint8_t>(1), cast<uint8_t>(0)) : AsUnsigned(Wide(in[0]));
        return real(cast(ComputeType(type), source));
      })
      .Case([&](arith::FPToSIOp) -> Scalar {
        if (type.isInteger(1)) return Scalar::Of(cast<int32_t>(in[0].e) != 0);
        return Scalar::Of(WholeOfFloat(ComputeType(type), in[0].e));
      })
      .Case([&](arith::FPToUIOp) -> Scalar {
        if (type.isInteger(1)) return Scalar::Of(cast<int32_t>(in[0].e) != 0);
        return Scalar::Of(AsSigned(WholeOfFloat(ComputeType(type).with_code(halide_type_uint), in[0].e)));
      })
      .Case([&](arith::ExtFOp) { return Scalar::Of(cast(ComputeType(type), in[0].e)); })
      .Case([&](arith::TruncFOp) { return real(cast(ComputeType(type), in[0].e)); })
      .Case([&](arith::BitcastOp) -> Scalar {
        Expr source = ToStorage(in[0], from);
        auto stored = StorageType(type);
        if (!stored.ok() || from.isInteger(1) || type.isInteger(1)) return Scalar::Of(in[0].e);
        return FromStorage(reinterpret(*stored, source), type);
      })
      .Case([&](math::AbsFOp) { return Scalar::Of(Absolute(in[0].e)); })
      .Case([&](math::AbsIOp) {
        Expr x = Wide(in[0]);
        return Scalar::Of(
            select(x < 0, AsSigned(AsUnsigned(Halide::Internal::make_zero(x.type())) - AsUnsigned(x)), x));
      })
      .Case([&](math::SqrtOp) { return real(Halide::sqrt(in[0].e)); })
      .Case([&](math::RsqrtOp) {
        return real(Divide(Halide::Internal::make_one(in[0].e.type()), Halide::sqrt(in[0].e)));
      })
      .Case([&](math::FloorOp) { return real(RoundWith(Halide::floor, in[0].e)); })
      .Case([&](math::CeilOp) { return real(RoundWith(Halide::ceil, in[0].e)); })
      .Case([&](math::TruncOp) { return real(RoundWith(Halide::trunc, in[0].e)); })
      .Case([&](math::RoundEvenOp) { return real(RoundWith(Halide::round, in[0].e)); })
      .Case([&](math::FmaOp) { return real(Add(Multiply(in[0].e, in[1].e), in[2].e)); })
      .Case([&](math::CopySignOp) {
        return Scalar::Of(reinterpret(in[0].e.type(), FloatBits(Absolute(in[0].e)) | SignBit(in[1].e)));
      })
      .Case([&](math::IsNaNOp) { return Scalar::Of(IsNan(in[0].e)); })
      .Case([&](math::IsInfOp) {
        return Scalar::Of(Equal(Absolute(in[0].e), Infinity(in[0].e.type(), false)));
      })
      .Case([&](math::IsFiniteOp) {
        return Scalar::Of(Less(Absolute(in[0].e), Infinity(in[0].e.type(), false)));
      })
      .Case<math::ExpOp, math::LogOp, math::TanhOp, math::ErfOp, math::SinOp, math::CosOp, math::TanOp,
            math::Atan2Op, math::PowFOp>([&](mlir::Operation*) -> absl::StatusOr<Scalar> {
        if (!type.isF64()) return absl::UnimplementedError("a real function that passes/math expands");
        return Scalar::Of(CallLibrary(op, in));
      })
      .Default([&](mlir::Operation* other) -> absl::StatusOr<Scalar> {
        return absl::UnimplementedError(
            absl::StrCat("the operation ", other->getName().getStringRef().str(), " in an equation's body"));
      });
}

}  // namespace weft::backends
