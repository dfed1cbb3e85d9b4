#include "passes/analysis/access.h"

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/analysis/linear_form.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::Value;

LinearForm FormOf(OpFoldResult size) {
  LinearForm form;
  if (auto number = mlir::getConstantIntValue(size)) {
    form.constant = *number;
    return form;
  }
  return LinearFormOf(mlir::cast<Value>(size));
}

std::optional<LinearForm> SizeForm(Value tensor, int64_t axis) {
  if (OpFoldResult known = KnownSize(tensor, axis)) return FormOf(known);
  for (mlir::Operation* user : tensor.getUsers()) {
    auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(user);
    if (dim && dim.getSource() == tensor && dim.getConstantIndex() == axis)
      return LinearFormOf(dim.getResult());
  }
  return std::nullopt;
}

// Where an index goes from and to, both included; nothing for another value, which is taken as it is.
struct Span {
  LinearForm first, last;
};
std::optional<Span> SpanOf(Value atom) {
  auto index = mlir::dyn_cast<mlir::BlockArgument>(atom);
  if (!index) return std::nullopt;
  mlir::Operation* owner = index.getOwner()->getParentOp();
  unsigned position = index.getArgNumber();
  Span span;
  if (auto equation = mlir::dyn_cast_or_null<ir::EquationOp>(owner)) {
    span.last = FormOf(ExtentsOf(equation)[position]);
  } else if (auto reduce = mlir::dyn_cast_or_null<ir::ReduceOp>(owner)) {
    span.first = LinearFormOf(reduce.getLower()[position]);
    span.last = LinearFormOf(reduce.getUpper()[position]);
  } else {
    return std::nullopt;
  }
  --span.last.constant;
  return span;
}

// a - factor * b; false where numbers overflow.
bool Subtract(LinearForm& a, LinearForm b, int64_t factor) {
  if (__builtin_mul_overflow(b.constant, factor, &b.constant)) return false;
  for (LinearForm::Term& term : b.terms)
    if (__builtin_mul_overflow(term.coefficient, factor, &term.coefficient)) return false;
  a = Minus(std::move(a), b);
  return true;
}

// Puts x / d for (x div d) where it is subtracted: the form is then no larger.
bool LowerByDivision(LinearForm& form) {
  for (const LinearForm::Term& term : form.terms) {
    auto divide = term.atom.getDefiningOp<arith::FloorDivSIOp>();
    auto divisor = divide ? mlir::getConstantIntValue(divide.getRhs()) : std::nullopt;
    if (term.coefficient >= 0 || !divisor || *divisor <= 0 || term.coefficient % *divisor != 0) continue;
    int64_t coefficient = term.coefficient;
    LinearForm atom;
    atom.terms.push_back({term.atom, 1});
    return Subtract(form, atom, coefficient) &&
           Subtract(form, LinearFormOf(divide.getLhs()), -(coefficient / *divisor));
  }
  return false;
}

}  // namespace

bool StaysInside(Value subscript, Value tensor, int64_t axis) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(axis)) return RangeOf(subscript).Within(0, type.getDimSize(axis));
  if (RangeOf(subscript).lo < 0) return false;
  std::optional<LinearForm> size = SizeForm(tensor, axis);
  if (!size) return false;
  // The size less the farthest place: at least 1 where all are inside.
  LinearForm rest = *size, places = LinearFormOf(subscript);
  rest.constant -= places.constant;
  for (const LinearForm::Term& term : places.terms) {
    LinearForm farthest;
    farthest.terms.push_back({term.atom, 1});
    if (auto span = SpanOf(term.atom)) farthest = term.coefficient > 0 ? span->last : span->first;
    if (!Subtract(rest, farthest, term.coefficient)) return false;
  }
  for (int steps = 0; steps < 4; ++steps) {
    if (RangeOf(rest).lo >= 1) return true;
    if (!LowerByDivision(rest)) return false;
  }
  return false;
}

}  // namespace weft::passes
