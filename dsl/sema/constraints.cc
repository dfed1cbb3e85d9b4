// What must hold of sizes: proved, refuted, or checked when the program meets its inputs (R18, `where`).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

// ", because of `(H/win)` in model.weft:12:7"
std::string Elaborator::Because(Span span) {
  std::string text(sources_.Text(span));
  bool short_enough = text.size() <= 60 && text.find('\n') == std::string::npos;
  return absl::StrCat(", because of ", short_enough ? absl::StrCat("`", text, "` in ") : "",
                      sources_.Place(span));
}

// Demands that `divisor` divides `size` when the program meets its inputs.
void Elaborator::CheckDivisible(const Size& size, const Size& divisor, Span span) {
  if (generic_ || !statements_) return;
  std::string message =
      absl::StrCat(size.ToString(), " must be divisible by ", divisor.ToString(), ", not {0}", Because(span));
  Emit(span, "", Check{Check::Relation::kDivisible, size, divisor, std::move(message), {size}});
}

// A message of the file, what stands in braces filled in: numbers now, sizes as {0}, {1} when they are known.
std::string Elaborator::FilledIn(const std::string& message, std::vector<Size>* values) {
  std::string text;
  for (size_t at = 0; at < message.size(); ++at) {
    size_t close = message[at] == '{' ? message.find('}', at) : std::string::npos;
    std::optional<Size> size;
    if (close != std::string::npos) size = SizeNamed(message.substr(at + 1, close - at - 1));
    if (!size) {
      text += message[at];
      continue;
    }
    if (size->AsRational()) {
      absl::StrAppend(&text, size->ToString());
    } else {
      absl::StrAppend(&text, "{", values->size(), "}");
      values->push_back(*size);
    }
    at = close;
  }
  return text;
}

std::optional<Size> Elaborator::SizeNamed(const std::string& name) {
  const Value* value = nullptr;
  if (Binding* binding = Find(name)) {
    value = &binding->value;
  } else if (frame_->self) {
    auto member = frame_->self->members.find(name);
    if (member != frame_->self->members.end()) value = &member->second;
  }
  const Size* size = value ? value->As<Size>() : nullptr;
  return size ? std::optional(*size) : std::nullopt;
}

// One comparison of sizes that only the inputs know; false if it is none.
bool Elaborator::CheckComparison(const ast::Binary& compare, const std::string& message,
                                 const std::vector<Size>& values, Span span) {
  using Op = ast::BinaryOp;
  using Relation = Check::Relation;
  Value a = Eval(*compare.lhs), b = Eval(*compare.rhs);
  if (a.IsPoison() || b.IsPoison()) return true;
  const Size *x = a.As<Size>(), *y = b.As<Size>();
  if (!x || !y) return false;
  auto emit = [&](Relation relation, const Size& lhs, const Size& rhs) {
    Emit(span, "", Check{relation, lhs, rhs, message, values});
    return true;
  };
  switch (compare.op) {
    case Op::kEq:
      return emit(Relation::kEqual, *x, *y);
    case Op::kLe:
      return emit(Relation::kAtMost, *x, *y);
    case Op::kLt:
      return emit(Relation::kAtMost, *x + Size(1), *y);
    case Op::kGe:
      return emit(Relation::kAtMost, *y, *x);
    case Op::kGt:
      return emit(Relation::kAtMost, *y + Size(1), *x);
    default:
      return false;
  }
}

// One condition of a `where`; several are joined by `and`.
bool Elaborator::CheckConstraint(const ast::Constraint& constraint, const ast::Expr& condition, Span span) {
  if (const auto* both = condition.As<ast::Binary>(); both && both->op == ast::BinaryOp::kAnd) {
    return CheckConstraint(constraint, *both->lhs, span) && CheckConstraint(constraint, *both->rhs, span);
  }
  Value value = Eval(condition);
  if (value.IsPoison()) return generic_;
  std::vector<Size> values;
  std::string message = constraint.message
                            ? FilledIn(*constraint.message, &values)
                            : absl::StrCat("`", sources_.Text(constraint.condition->span), "` does not hold");
  if (const bool* holds = value.As<bool>()) {
    if (*holds) return true;
    for (size_t i = 0; i < values.size(); ++i) {
      std::string place = absl::StrCat("{", i, "}");
      message.replace(message.find(place), place.size(), values[i].ToString());
    }
    Report(span, kConstraintFailed, message).Note(constraint.span, "demanded here");
    return false;
  }
  if (generic_) return true;
  const auto* compare = condition.As<ast::Binary>();
  if (compare && CheckComparison(*compare, message, values, span)) return true;
  Report(constraint.span, kStage, "a constraint", "a comparison of numbers and sizes");
  return false;
}

bool Elaborator::CheckConstraints(const ast::Signature& signature, Span span) {
  for (const ast::Constraint& constraint : signature.constraints) {
    if (!CheckConstraint(constraint, *constraint.condition, span)) return false;
  }
  return true;
}

}  // namespace weft::dsl::sema
