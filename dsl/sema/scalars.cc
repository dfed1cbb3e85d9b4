// Run-time scalars: literals meet types, functions apply, facts are kept (R18-R20).

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

const char* Spelled(ElementType type) {
  switch (type) {
    case ElementType::kBool:
      return "bool";
    case ElementType::kInt:
      return "int";
    case ElementType::kI8:
      return "i8";
    case ElementType::kU8:
      return "u8";
    case ElementType::kI32:
      return "i32";
    case ElementType::kI64:
      return "i64";
    case ElementType::kF16:
      return "f16";
    case ElementType::kBf16:
      return "bf16";
    case ElementType::kF32:
      return "f32";
    case ElementType::kF64:
      return "f64";
  }
  return "";
}

namespace {

// The least and the largest number of a type; of floats and bool everything is let through.
std::pair<int64_t, int64_t> LimitsOf(ElementType type) {
  switch (type) {
    case ElementType::kI8:
      return {INT8_MIN, INT8_MAX};
    case ElementType::kU8:
      return {0, UINT8_MAX};
    case ElementType::kI32:
      return {INT32_MIN, INT32_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

Function FunctionOf(ast::BinaryOp op) {
  switch (op) {
    case ast::BinaryOp::kOr:
      return Function::kOr;
    case ast::BinaryOp::kAnd:
      return Function::kAnd;
    case ast::BinaryOp::kEq:
      return Function::kEq;
    case ast::BinaryOp::kNe:
      return Function::kNe;
    case ast::BinaryOp::kLt:
      return Function::kLt;
    case ast::BinaryOp::kLe:
      return Function::kLe;
    case ast::BinaryOp::kGt:
      return Function::kGt;
    case ast::BinaryOp::kGe:
      return Function::kGe;
    case ast::BinaryOp::kAdd:
      return Function::kAdd;
    case ast::BinaryOp::kSub:
      return Function::kSub;
    case ast::BinaryOp::kMul:
      return Function::kMul;
    case ast::BinaryOp::kDiv:
      return Function::kDiv;
    case ast::BinaryOp::kFloorDiv:
      return Function::kFloorDiv;
    case ast::BinaryOp::kMod:
      return Function::kMod;
    case ast::BinaryOp::kPow:
      return Function::kPow;
    default:
      return Function::kAdd;
  }
}

// What a comparison of ints says of their forms, given to the branch it rules.
void AddFacts(ast::BinaryOp op, const Size& a, const Size& b, std::vector<Fact>* if_true,
              std::vector<Fact>* if_false) {
  using Kind = Fact::Kind;
  Fact less{Kind::kNatural, b - a - Size(1)}, at_most{Kind::kNatural, b - a};
  Fact more{Kind::kNatural, a - b - Size(1)}, at_least{Kind::kNatural, a - b};
  Fact different{Kind::kNonzero, a - b};
  switch (op) {
    case ast::BinaryOp::kLt:
      *if_true = {less}, *if_false = {at_least};
      break;
    case ast::BinaryOp::kLe:
      *if_true = {at_most}, *if_false = {more};
      break;
    case ast::BinaryOp::kGt:
      *if_true = {more}, *if_false = {at_most};
      break;
    case ast::BinaryOp::kGe:
      *if_true = {at_least}, *if_false = {less};
      break;
    case ast::BinaryOp::kEq:
      *if_true = {at_most, at_least}, *if_false = {different};
      break;
    case ast::BinaryOp::kNe:
      *if_true = {different}, *if_false = {at_most, at_least};
      break;
    default:
      break;
  }
}

// Scalars that build on each other are opened into one expression, which is walked by recursion.
constexpr Count kMostDepth = 1000;

int DepthBelow(const decltype(Expr::node)& node) {
  int depth = 0;
  auto add = [&](const ExprPtr& child) { depth = std::max(depth, child ? child->depth : 0); };
  if (const auto* read = std::get_if<Read>(&node)) {
    for (const Subscript& subscript : read->subscripts) add(subscript.at);
    add(read->fill);
  } else if (const auto* apply = std::get_if<Apply>(&node)) {
    for (const ExprPtr& operand : apply->operands) add(operand);
  } else if (const auto* cast = std::get_if<Cast>(&node)) {
    add(cast->operand);
  } else if (const auto* reduce = std::get_if<Reduce>(&node)) {
    for (const Binder& binder : reduce->binders) add(binder.lower), add(binder.upper);
    add(reduce->condition);
    add(reduce->body);
    add(reduce->if_empty);
  }
  return depth;
}

void Join(std::vector<Fact>& to, const std::vector<Fact>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

ExprPtr Elaborator::Make(ElementType type, Span span, decltype(Expr::node) node) {
  ++work_;
  int depth = 1 + DepthBelow(node);
  if (depth > kMostDepth) {
    Report(span, kNestingTooDeep, kMostDepth);
    node = dsl::Literal{false};
    if (type != ElementType::kBool) node = IsFloat(type) ? dsl::Literal{0.0} : dsl::Literal{int64_t{0}};
    depth = 1;
  }
  return std::make_shared<const Expr>(Expr{type, span, std::move(node), depth});
}

Scalar Elaborator::Literal(ElementType type, double number, Span span) {
  Scalar scalar{.expr = nullptr, .type = type, .form = {}, .if_true = {}, .if_false = {}};
  if (type == ElementType::kBool) {
    scalar.expr = Make(type, span, dsl::Literal{number != 0});
  } else if (IsFloat(type)) {
    scalar.expr = Make(type, span, dsl::Literal{number});
  } else {
    scalar.expr = Make(type, span, dsl::Literal{static_cast<int64_t>(number)});
    if (type == ElementType::kInt) scalar.form = Size(static_cast<int64_t>(number));
  }
  return scalar;
}

Scalar Elaborator::SizeScalar(const Size& size, Span span) {
  if (std::optional<int64_t> number = size.AsInteger()) {
    Scalar scalar;
    scalar.type = ElementType::kInt;
    scalar.expr = Make(ElementType::kInt, span, dsl::Literal{*number});
    scalar.form = size;
    return scalar;
  }
  return {Make(ElementType::kInt, span, SizeValue{size}), ElementType::kInt, size, {}, {}};
}

Scalar Elaborator::IndexScalar(const Index& index, Span span) {
  ExprPtr place = Make(ElementType::kInt, span, IndexRef{index.id});
  Scalar scalar{place, ElementType::kInt, Size::Symbol(index.symbol, index.name), {}, {}};
  if (index.offset == Size(0)) return scalar;
  return Call2(Function::kAdd, scalar, SizeScalar(index.offset, span), ElementType::kInt, span);
}

Scalar Elaborator::Unknown(const std::string& name, ElementType type, ExprPtr expr, std::optional<Size> lo,
                           std::optional<Size> hi) {
  Scalar scalar{std::move(expr), type, std::nullopt, {}, {}};
  if (type != ElementType::kInt) return scalar;
  int symbol = next_symbol_++;
  if (lo && hi) ranges_[symbol] = {*lo, *hi};
  scalar.form = Size::Symbol(symbol, name);
  return scalar;
}

// A number takes the type it meets; without one it is `int`, or `f32` if it is not whole.
std::optional<Scalar> Elaborator::ToScalar(const Value& value, std::optional<ElementType> want, Span span) {
  if (const Scalar* scalar = value.As<Scalar>()) return *scalar;
  if (const bool* truth = value.As<bool>()) return Literal(ElementType::kBool, *truth, span);
  if (want == ElementType::kBool) want = std::nullopt;
  if (const Size* size = value.As<Size>()) {
    if (IsBeyond64Bits(*size)) {
      Report(span, kInvalidExpression, "this number is beyond 64 bits");
      return std::nullopt;
    }
    if (std::optional<Rational> number = size->AsRational()) {
      if (number->den == 1 && (!want || *want == ElementType::kInt)) return SizeScalar(*size, span);
      ElementType type = want && (number->den == 1 || IsFloat(*want)) ? *want : FloatType();
      if (auto [least, most] = LimitsOf(type); number->num < least || number->num > most) {
        Report(span, kTypeMismatch,
               absl::StrCat(size->ToString(), " does not fit ", Spelled(type), ", which holds ", least,
                            " to ", most));
        return std::nullopt;
      }
      if (!IsFloat(type)) {
        return Scalar{Make(type, span, dsl::Literal{number->num}), type, std::nullopt, {}, {}};
      }
      return Literal(type, static_cast<double>(number->num) / static_cast<double>(number->den), span);
    }
    if (size->IsWhole()) {
      Scalar whole = SizeScalar(*size, span);
      return want && *want != ElementType::kInt ? CastTo(whole, *want, span) : whole;
    }
    int64_t common = 1;
    for (const Size::Term& term : size->terms()) common *= term.coefficient.den;
    ElementType type = want && IsFloat(*want) ? *want : FloatType();
    Scalar whole = CastTo(SizeScalar(*size * Size(common), span), type, span);
    return Call2(Function::kDiv, whole, Literal(type, static_cast<double>(common), span), type, span);
  }
  if (const double* real = value.As<double>()) {
    return Literal(want && IsFloat(*want) ? *want : FloatType(), *real, span);
  }
  if (const RealSize* real = value.As<RealSize>()) {
    ElementType type = want && IsFloat(*want) ? *want : FloatType();
    std::optional<Scalar> size = ToScalar(Value(real->size), type, span);
    Scalar scaled =
        Call2(Function::kMul, CastTo(*size, type, span), Literal(type, real->real, span), type, span);
    return Call2(Function::kAdd, scaled, Literal(type, real->offset, span), type, span);
  }
  if (const TensorPtr* tensor = value.As<TensorPtr>(); tensor && (*tensor)->shape.empty()) {
    return ElementAt(**tensor, {}, span);
  }
  if (!value.IsPoison()) Report(span, kTypeMismatch, "a number is needed here, not " + Describe(value));
  return std::nullopt;
}

Scalar Elaborator::CastTo(const Scalar& value, ElementType type, Span span) {
  if (value.type == type) return value;
  if (const auto* literal = std::get_if<dsl::Literal>(&value.expr->node)) {
    if (const auto* whole = std::get_if<int64_t>(&literal->value); whole && IsFloat(type)) {
      return Literal(type, static_cast<double>(*whole), span);
    }
  }
  ExprPtr cast = Make(type, span, Cast{value.expr});
  if (type != ElementType::kInt) return {cast, type, std::nullopt, {}, {}};
  if (value.form) return {cast, type, value.form, {}, {}};
  if (value.type == ElementType::kU8) return Unknown("byte", type, cast, Size(0), Size(256));
  return Unknown("value", type, cast, std::nullopt, std::nullopt);
}

// The type in which two values meet; nothing if one needs a cast.
std::optional<ElementType> Elaborator::Meet(ElementType a, ElementType b) {
  if (a == b) return a;
  if (a == ElementType::kInt && IsFloat(b)) return b;
  if (b == ElementType::kInt && IsFloat(a)) return a;
  return std::nullopt;
}

// Brings two operands to one type; numbers adapt to the other side.
bool Elaborator::Unify(Value& a, Value& b, Span span, Scalar* x, Scalar* y) {
  const Scalar *sa = a.As<Scalar>(), *sb = b.As<Scalar>();
  std::optional<ElementType> want;
  if (sa && !sb) want = sa->type;
  if (sb && !sa) want = sb->type;
  auto is_real = [](const Value& v) {
    return v.As<double>() || v.As<RealSize>() || (v.As<Size>() && !v.As<Size>()->IsWhole());
  };
  if (want && *want == ElementType::kInt && wants_whole_) {
    for (Value* value : {&a, &b}) {
      if (!value->As<Size>() || !is_real(*value)) continue;
      std::optional<Size> whole = AsSize(*value, span, "a size in a subscript");
      if (!whole) return false;
      *value = *whole;
    }
  }
  if (want && *want == ElementType::kInt && (is_real(a) || is_real(b))) want = FloatType();
  if (!sa && !sb && (is_real(a) || is_real(b))) want = FloatType();
  std::optional<Scalar> left = ToScalar(a, want, span), right = ToScalar(b, want, span);
  if (!left || !right) return false;
  std::optional<ElementType> type = Meet(left->type, right->type);
  if (!type) {
    if (left->type == ElementType::kBool || right->type == ElementType::kBool) {
      Report(span, kTypeMismatch,
             std::string(Spelled(left->type)) + " and " + Spelled(right->type) + " do not meet")
          .Suggest("a condition becomes a number by `1 if ... else 0`, or is counted by `count`");
      return false;
    }
    Report(span, kTypeMismatch,
           std::string(Spelled(left->type)) + " and " + Spelled(right->type) +
               " do not meet; convert one of them, for example `" +
               (IsFloat(right->type) ? Spelled(right->type) : Spelled(left->type)) + "(...)`");
    return false;
  }
  *x = CastTo(*left, *type, span);
  *y = CastTo(*right, *type, span);
  return true;
}

Scalar Elaborator::Call1(Function function, const Scalar& x, Span span) {
  return {Make(x.type, span, Apply{function, {x.expr}}), x.type, std::nullopt, {}, {}};
}

Scalar Elaborator::Call2(Function function, const Scalar& x, const Scalar& y, ElementType result, Span span) {
  Scalar scalar{Make(result, span, Apply{function, {x.expr, y.expr}}), result, std::nullopt, {}, {}};
  if (result != ElementType::kInt || !x.form || !y.form) return scalar;
  switch (function) {
    case Function::kAdd:
      scalar.form = *x.form + *y.form;
      break;
    case Function::kSub:
      scalar.form = *x.form - *y.form;
      break;
    case Function::kMul:
      scalar.form = *x.form * *y.form;
      break;
    case Function::kFloorDiv:
      scalar.form = FloorDiv(*x.form, *y.form);
      break;
    case Function::kMod:
      scalar.form = Mod(*x.form, *y.form);
      break;
    case Function::kMinimum:
      scalar.form = Minimum(*x.form, *y.form);
      break;
    case Function::kMaximum:
      scalar.form = Maximum(*x.form, *y.form);
      break;
    default:
      return Unknown("value", result, scalar.expr, std::nullopt, std::nullopt);
  }
  return scalar;
}

Scalar Elaborator::Select(const Scalar& condition, const Scalar& then, const Scalar& otherwise, Span span) {
  Scalar result{Make(then.type, span, Apply{Function::kSelect, {condition.expr, then.expr, otherwise.expr}}),
                then.type,
                std::nullopt,
                {},
                {}};
  if (then.type != ElementType::kInt) return result;
  if (then.form && otherwise.form) {
    // Somewhere between the two: good enough for most proofs that need both to be inside.
    int symbol = next_symbol_++;
    ranges_[symbol] = {Minimum(*then.form, *otherwise.form), Maximum(*then.form, *otherwise.form) + Size(1)};
    result.form = Size::Symbol(symbol, "value");
    return result;
  }
  return Unknown("value", ElementType::kInt, result.expr, std::nullopt, std::nullopt);
}

Value Elaborator::ScalarBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span) {
  if (a.IsPoison() || b.IsPoison()) return Poison{};
  if (op == ast::BinaryOp::kAnd || op == ast::BinaryOp::kOr) {
    std::optional<Scalar> x = ToScalar(a, std::nullopt, span), y = ToScalar(b, std::nullopt, span);
    if (!x || !y) return Poison{};
    if (x->type != ElementType::kBool || y->type != ElementType::kBool) {
      Report(span, kTypeMismatch,
             std::string("`") + ast::Spelling(op) + "` joins conditions, not " +
                 Spelled(x->type == ElementType::kBool ? y->type : x->type));
      return Poison{};
    }
    Scalar result{Make(ElementType::kBool, span, Apply{FunctionOf(op), {x->expr, y->expr}}),
                  ElementType::kBool,
                  std::nullopt,
                  {},
                  {}};
    if (op == ast::BinaryOp::kAnd) {
      result.if_true = x->if_true;
      Join(result.if_true, y->if_true);
    } else {
      result.if_false = x->if_false;
      Join(result.if_false, y->if_false);
    }
    return result;
  }
  Value left = a, right = b;
  Scalar x, y;
  if (!Unify(left, right, span, &x, &y)) return Poison{};
  if (ast::IsComparison(op)) {
    if (x.type == ElementType::kBool && op != ast::BinaryOp::kEq && op != ast::BinaryOp::kNe) {
      Report(span, kTypeMismatch, "conditions have no order");
      return Poison{};
    }
    Scalar result{Make(ElementType::kBool, span, Apply{FunctionOf(op), {x.expr, y.expr}}),
                  ElementType::kBool,
                  std::nullopt,
                  {},
                  {}};
    if (x.form && y.form) AddFacts(op, *x.form, *y.form, &result.if_true, &result.if_false);
    return result;
  }
  if (x.type == ElementType::kBool) {
    Report(span, kTypeMismatch,
           std::string("`") + ast::Spelling(op) +
               "` needs numbers; a condition becomes one by `1 if ... else 0` or `count`");
    return Poison{};
  }
  if (op == ast::BinaryOp::kDiv && !IsFloat(x.type)) {
    if (x.type != ElementType::kInt) {
      Report(span, kTypeMismatch,
             std::string("`/` does not divide ") + Spelled(x.type) + "; use `div`, or convert to a float");
      return Poison{};
    }
    x = CastTo(x, FloatType(), span);
    y = CastTo(y, FloatType(), span);
  }
  if (op == ast::BinaryOp::kPow && x.type == ElementType::kInt) {
    const auto* literal = std::get_if<dsl::Literal>(&y.expr->node);
    const auto* whole = literal ? std::get_if<int64_t>(&literal->value) : nullptr;
    bool natural = whole ? *whole >= 0 : y.form && MakeProver({*y.form}, facts_).IsNatural(*y.form);
    if (!natural) {
      x = CastTo(x, FloatType(), span);
      y = CastTo(y, FloatType(), span);
    }
  }
  return Call2(FunctionOf(op), x, y, x.type, span);
}

}  // namespace weft::dsl::sema
