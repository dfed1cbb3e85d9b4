#include "passes/analysis/linear_form.h"

#include <algorithm>
#include <cstdlib>

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::passes {

namespace arith = mlir::arith;
using mlir::Value;

std::pair<LinearForm, LinearForm> DivideForm(const LinearForm& form, int64_t divisor) {
  LinearForm quotient, remainder;
  for (const LinearForm::Term& term : form.terms) {
    if (term.coefficient % divisor == 0) {
      quotient.terms.push_back({term.atom, term.coefficient / divisor});
    } else {
      remainder.terms.push_back(term);
    }
  }
  remainder.constant = form.constant % divisor;
  if (remainder.constant < 0) remainder.constant += divisor;
  quotient.constant = (form.constant - remainder.constant) / divisor;
  return {quotient, remainder};
}

LinearForm Minus(LinearForm a, const LinearForm& b) {
  a.constant -= b.constant;
  for (const LinearForm::Term& term : b.terms) {
    auto* same = llvm::find_if(a.terms, [&](const LinearForm::Term& t) { return t.atom == term.atom; });
    if (same == a.terms.end()) {
      a.terms.push_back({term.atom, -term.coefficient});
    } else if (same->coefficient == term.coefficient) {
      a.terms.erase(same);
    } else {
      same->coefficient -= term.coefficient;
    }
  }
  return a;
}

int64_t OperationCount(const LinearForm& form) {
  int64_t parts = form.constant != 0 ? 1 : 0, multiplications = 0;
  bool has_positive = false;
  for (const LinearForm::Term& term : form.terms) {
    ++parts;
    has_positive |= term.coefficient > 0;
    if (std::abs(term.coefficient) != 1) ++multiplications;
  }
  // Nothing to subtract from: the first term is multiplied by its negative coefficient.
  if (!form.terms.empty() && !has_positive && form.terms.front().coefficient == -1) ++multiplications;
  return std::max<int64_t>(0, parts - 1) + multiplications;
}

Value WriteForm(mlir::OpBuilder& builder, mlir::Location location, const LinearForm& form, mlir::Type type) {
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantOp::create(builder, location, builder.getIntegerAttr(type, number));
  };
  Value sum;
  // Positive terms first, so that a negative one is a subtraction.
  for (bool negative : {false, true}) {
    for (const LinearForm::Term& term : form.terms) {
      if ((term.coefficient < 0) != negative) continue;
      Value value = term.atom;
      if (value.getType() != type) value = arith::IndexCastOp::create(builder, location, type, value);
      int64_t factor = sum && negative ? -term.coefficient : term.coefficient;
      if (factor != 1) value = arith::MulIOp::create(builder, location, value, constant(factor));
      if (!sum) {
        sum = value;
      } else if (negative) {
        sum = arith::SubIOp::create(builder, location, sum, value);
      } else {
        sum = arith::AddIOp::create(builder, location, sum, value);
      }
    }
  }
  if (!sum) return constant(form.constant);
  if (form.constant == 0) return sum;
  return arith::AddIOp::create(builder, location, sum, constant(form.constant));
}

}  // namespace weft::passes
