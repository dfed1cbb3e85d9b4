// Compile-time arithmetic on numbers and sizes: exact on whole numbers and fractions (R18, R25).

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"
#include "dsl/sema/suggestions.h"

namespace weft::dsl::sema {

namespace {

std::optional<double> AsReal(const Value& value) {
  if (const double* real = value.As<double>()) return *real;
  if (const Size* size = value.As<Size>()) {
    if (std::optional<Rational> number = size->AsRational()) {
      return static_cast<double>(number->num) / static_cast<double>(number->den);
    }
  }
  return std::nullopt;
}

std::optional<RealSize> AsRealSize(const Value& value) {
  if (const RealSize* real = value.As<RealSize>()) return *real;
  if (const Size* size = value.As<Size>()) return RealSize{1, *size, 0};
  return std::nullopt;
}

// -1, 0, 1 for numbers; nothing for sizes that only the input knows.
std::optional<int> Order(const Value& a, const Value& b) {
  if (a.As<Size>() && b.As<Size>()) {
    std::optional<Rational> difference = (*a.As<Size>() - *b.As<Size>()).AsRational();
    if (!difference) return std::nullopt;
    return difference->num < 0 ? -1 : difference->num > 0;
  }
  std::optional<double> x = AsReal(a), y = AsReal(b);
  if (!x || !y) return std::nullopt;
  return *x < *y ? -1 : *x > *y;
}

Value Power(const Value& a, const Value& b) {
  const Size *base = a.As<Size>(), *exponent = b.As<Size>();
  std::optional<int64_t> times = exponent ? exponent->AsInteger() : std::nullopt;
  if (base && times && *times >= 0 && *times <= 64) {
    Size product(1);
    for (int64_t i = 0; i < *times; ++i) product = product * *base;
    return product;
  }
  std::optional<double> x = AsReal(a), y = AsReal(b);
  if (x && y) return std::pow(*x, *y);
  return Absent{};
}

}  // namespace

bool IsBeyond64Bits(const Size& size) {
  return std::any_of(size.terms().begin(), size.terms().end(), [](const Size::Term& term) {
    return std::any_of(term.monomial.begin(), term.monomial.end(), [](const auto& factor) {
      const SizeAtom& atom = *factor.first;
      return atom.id < 0 || std::any_of(atom.operands.begin(), atom.operands.end(), IsBeyond64Bits);
    });
  });
}

// Nothing if an operand is no number, or the result is known only at run time.
std::optional<Value> Elaborator::NumberBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span) {
  std::optional<Value> value = ExactBinary(op, a, b, span);
  return value ? std::optional(WithinLimits(std::move(*value), span)) : std::nullopt;
}

Value Elaborator::WithinLimits(Value value, Span span) {
  const Size* size = value.As<Size>();
  if (!size || !size->IsTooLarge()) return value;
  Report(span, kNumberTooLarge, std::string(sources_.Text(span)),
         "what a size can be, 2^63 - 1 or a short formula");
  return Poison{};
}

// Nothing if an operand is no number, or the result is known only at run time.
std::optional<Value> Elaborator::ExactBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span) {
  using Op = ast::BinaryOp;
  if (const bool *x = a.As<bool>(), *y = b.As<bool>(); x && y) {
    if (op == Op::kAnd) return Value(*x && *y);
    if (op == Op::kOr) return Value(*x || *y);
    if (op == Op::kEq) return Value(*x == *y);
    if (op == Op::kNe) return Value(*x != *y);
    return std::nullopt;
  }
  // One side may decide alone: the other need not be a number.
  if (const bool* x = a.As<bool>(); x && ((op == Op::kAnd && !*x) || (op == Op::kOr && *x))) return Value(*x);
  if (a.As<bool>() != nullptr && (op == Op::kAnd || op == Op::kOr)) return b;
  if (const bool* y = b.As<bool>(); y && ((op == Op::kAnd && !*y) || (op == Op::kOr && *y))) return Value(*y);
  if (b.As<bool>() != nullptr && (op == Op::kAnd || op == Op::kOr)) return a;
  if (const std::string *x = a.As<std::string>(), *y = b.As<std::string>(); x && y) {
    if (op == Op::kEq) return Value(*x == *y);
    if (op == Op::kNe) return Value(*x != *y);
  }
  if (!a.IsNumber() || !b.IsNumber() || a.As<bool>() || b.As<bool>() || a.As<std::string>() ||
      b.As<std::string>()) {
    return std::nullopt;
  }
  if (ast::IsComparison(op)) {
    std::optional<int> order = Order(a, b);
    if (!order) return std::nullopt;
    switch (op) {
      case Op::kEq:
        return Value(*order == 0);
      case Op::kNe:
        return Value(*order != 0);
      case Op::kLt:
        return Value(*order < 0);
      case Op::kLe:
        return Value(*order <= 0);
      case Op::kGt:
        return Value(*order > 0);
      default:
        return Value(*order >= 0);
    }
  }
  const Size *x = a.As<Size>(), *y = b.As<Size>();
  if (x && y) {
    switch (op) {
      case Op::kAdd:
        return Value(*x + *y);
      case Op::kSub:
        return Value(*x - *y);
      case Op::kMul:
        return Value(*x * *y);
      case Op::kFloorDiv:
        return Value(FloorDiv(*x, *y));
      case Op::kMod:
        return Value(Mod(*x, *y));
      case Op::kDiv: {
        if (y->AsRational() && y->AsRational()->num == 0) {
          Report(span, kInvalidExpression, "division by zero");
          return Value(Poison{});
        }
        if (std::optional<Size> exact = ExactDiv(*x, *y)) return Value(*exact);
        // A declaration on its own assumes that the division comes out even; an instance knows.
        if (generic_) return Value(FloorDiv(*x, *y));
        return std::nullopt;
      }
      default:
        break;
    }
  }
  if (op == Op::kPow) {
    Value power = Power(a, b);
    if (power.IsAbsent() && generic_ && x && y) power = OpenPower(*x, *y);
    return power.IsAbsent() ? std::nullopt : std::optional<Value>(power);
  }
  if (std::optional<double> p = AsReal(a), q = AsReal(b); p && q) {
    switch (op) {
      case Op::kAdd:
        return Value(*p + *q);
      case Op::kSub:
        return Value(*p - *q);
      case Op::kMul:
        return Value(*p * *q);
      case Op::kDiv:
        return Value(*p / *q);
      case Op::kFloorDiv:
        return Value(*q == 0 ? 0.0 : std::floor(*p / *q));
      case Op::kMod:
        return Value(*q == 0 ? 0.0 : *p - std::floor(*p / *q) * *q);
      default:
        return std::nullopt;
    }
  }
  // real * size + offset stays a number, so that floor(H*scale) + 1 is a size.
  std::optional<RealSize> p = AsRealSize(a), q = AsRealSize(b);
  std::optional<double> c = AsReal(a), d = AsReal(b);
  if (p && !c && d) {
    if (op == Op::kAdd) return Value(RealSize{p->real, p->size, p->offset + *d});
    if (op == Op::kSub) return Value(RealSize{p->real, p->size, p->offset - *d});
    if (op == Op::kMul) return Value(RealSize{p->real * *d, p->size, p->offset * *d});
    if (op == Op::kDiv) return Value(RealSize{p->real / *d, p->size, p->offset / *d});
  }
  if (q && !d && c) {
    if (op == Op::kAdd) return Value(RealSize{q->real, q->size, q->offset + *c});
    if (op == Op::kSub) return Value(RealSize{-q->real, q->size, *c - q->offset});
    if (op == Op::kMul) return Value(RealSize{q->real * *c, q->size, q->offset * *c});
  }
  return std::nullopt;
}

// In a declaration on its own: a power whose exponent only an instance knows is a whole number of its own,
// the same for the same operands.
Value Elaborator::OpenPower(const Size& base, const Size& exponent) {
  Prover prover = MakeProver({base, exponent}, facts_);
  if (!prover.IsNatural(exponent) || !prover.IsPositive(base)) return Absent{};
  std::string text = absl::StrCat("(", base.ToString(), ")^(", exponent.ToString(), ")");
  auto [known, is_new] = open_powers_.try_emplace(text);
  if (is_new) known->second = Size::Symbol(next_symbol_++, text, 1);
  return known->second;
}

std::optional<Size> Elaborator::AsSize(const Value& value, Span span, const char* what) {
  if (value.IsPoison()) return std::nullopt;
  if (const Size* size = value.As<Size>()) {
    if (IsBeyond64Bits(*size)) {
      Report(span, kInvalidExpression, absl::StrCat(what, " is beyond 64 bits"));
      return std::nullopt;
    }
    if (size->IsWhole()) return *size;
    std::optional<Rational> number = size->AsRational();
    if (number) {
      if (!IsToldFirst(absl::StrCat(sources_.Text(span), " is ", size->ToString()))) return std::nullopt;
      Report(span, kNotDivisible, std::string(what), size->ToString())
          .Suggest("`div` divides and rounds down");
      return std::nullopt;
    }
    // Fractions remain: one check at the boundary that they cancel.
    int64_t common = 1;
    for (const Size::Term& term : size->terms()) common *= term.coefficient.den;
    CheckDivisible(*size * Size(common), Size(common), span);
    return FloorDiv(*size * Size(common), Size(common));
  }
  if (const double* real = value.As<double>(); real && *real == std::floor(*real) && std::abs(*real) < 1e15) {
    return Size(static_cast<int64_t>(*real));
  }
  if (value.As<double>() || value.As<RealSize>()) {
    const double* real = value.As<double>();
    Report(span, kNotDivisible, std::string(what), real ? absl::StrCat(*real) : "a real one")
        .Suggest("`floor`, `ceil` and `round` make it one");
    return std::nullopt;
  }
  if (!value.As<Scalar>() && !value.As<TensorPtr>()) {
    Report(span, kStage, std::string(what),
           absl::StrCat("known when the program meets its inputs, not ", Describe(value)))
        .Note("numbers and sizes steer shapes, ranges and lists; values are computed");
    return std::nullopt;
  }
  Report(span, kValueAsSize, std::string(what), Describe(value)).Suggest(kSuggestPadding);
  return std::nullopt;
}

std::optional<int64_t> Elaborator::AsWholeNumber(const Value& value, Span span, const char* what) {
  std::optional<Size> size = AsSize(value, span, what);
  if (!size) return std::nullopt;
  if (std::optional<int64_t> number = size->AsInteger()) return number;
  if (!generic_)
    Report(span, kStage, std::string(what),
           absl::StrCat("a number known when compiling, not the size ", size->ToString()));
  return std::nullopt;
}

Value Elaborator::NumberFunction(const std::string& name, const std::vector<Value>& args, Span span,
                                 bool* known) {
  *known = false;
  for (const Value& arg : args) {
    if (!arg.IsNumber() || arg.As<bool>() || arg.As<std::string>()) return Absent{};
  }
  auto yes = [&](Value value) {
    *known = true;
    return WithinLimits(std::move(value), span);
  };
  if (args.size() == 1) {
    const Size* size = args[0].As<Size>();
    if (size && (name == "floor" || name == "ceil" || name == "round" || name == "trunc")) {
      if (size->IsWhole()) return yes(*size);
      if (name == "floor") return yes(Floor(*size));
      if (name == "ceil") return yes(Size(0) - Floor(Size(0) - *size));
    }
    if (const RealSize* real = args[0].As<RealSize>()) {
      if (name == "floor") return yes(Size::FloorReal(real->real, real->size, real->offset));
      if (name == "ceil") return yes(Size(0) - Size::FloorReal(-real->real, real->size, -real->offset));
      return Absent{};
    }
    std::optional<double> x = AsReal(args[0]);
    if (!x) return Absent{};
    auto whole = [&](double value) {
      return std::abs(value) < 9e15 ? Value(Size(static_cast<int64_t>(value))) : Value(value);
    };
    if (name == "floor") return yes(whole(std::floor(*x)));
    if (name == "ceil") return yes(whole(std::ceil(*x)));
    if (name == "round") return yes(whole(std::nearbyint(*x)));
    if (name == "trunc") return yes(whole(std::trunc(*x)));
    if (name == "abs") return yes(size ? Value(x < 0 ? Size(0) - *size : *size) : Value(std::abs(*x)));
    if (name == "sign") return yes(Size(*x > 0 ? 1 : *x < 0 ? -1 : 0));
    if (name == "exp") return yes(std::exp(*x));
    if (name == "log") return yes(std::log(*x));
    if (name == "sqrt") return yes(std::sqrt(*x));
    if (name == "sin") return yes(std::sin(*x));
    if (name == "cos") return yes(std::cos(*x));
    if (name == "tan") return yes(std::tan(*x));
    if (name == "tanh") return yes(std::tanh(*x));
    if (name == "erf") return yes(std::erf(*x));
    if (name == "int" && *x == std::floor(*x)) return yes(whole(*x));
    return Absent{};
  }
  if (args.size() == 2 && (name == "minimum" || name == "maximum")) {
    const Size *a = args[0].As<Size>(), *b = args[1].As<Size>();
    if (a && b) return yes(name == "minimum" ? Minimum(*a, *b) : Maximum(*a, *b));
    std::optional<double> x = AsReal(args[0]), y = AsReal(args[1]);
    if (x && y) return yes((*x < *y) == (name == "minimum") ? args[0] : args[1]);
  }
  if (args.size() == 2 && name == "ceil_div" && args[0].As<Size>() && args[1].As<Size>()) {
    return yes(Size(0) - FloorDiv(Size(0) - *args[0].As<Size>(), *args[1].As<Size>()));
  }
  if (args.size() == 2 && name == "atan2" && AsReal(args[0]) && AsReal(args[1])) {
    return yes(std::atan2(*AsReal(args[0]), *AsReal(args[1])));
  }
  if (args.size() == 3 && name == "clip") {
    std::optional<double> x = AsReal(args[0]), lo = AsReal(args[1]), hi = AsReal(args[2]);
    if (x && lo && hi) return yes(*x < *lo ? args[1] : *x > *hi ? args[2] : args[0]);
    if (args[0].As<Size>() && args[1].As<Size>() && args[2].As<Size>()) {
      return yes(Minimum(Maximum(*args[0].As<Size>(), *args[1].As<Size>()), *args[2].As<Size>()));
    }
  }
  return Absent{};
}

}  // namespace weft::dsl::sema
