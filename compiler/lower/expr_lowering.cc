#include "compiler/lower/expr_lowering.h"

#include <algorithm>
#include <set>

#include "compiler/ir/choice.h"
#include "compiler/ir/weft_dialect.h"
#include "compiler/lower/arithmetic.h"
#include "compiler/lower/scalar_types.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft::lower {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using dsl::ElementType;
using dsl::Expr;
using dsl::Function;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

namespace {

// std::visit over alternatives by lambda.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

// Whether computing the expression where its guard does not hold could read outside a tensor, or costs a
// loop.
bool ReadsTensors(const Expr& expr, std::set<const Expr*>& seen) {
  if (!seen.insert(&expr).second) return false;
  return std::visit(Overloaded{
                        [](const dsl::Read&) { return true; },
                        [](const dsl::Reduce&) { return true; },
                        [&](const dsl::Apply& apply) {
                          return std::any_of(apply.operands.begin(), apply.operands.end(),
                                             [&](const auto& e) { return ReadsTensors(*e, seen); });
                        },
                        [&](const dsl::Cast& cast) { return ReadsTensors(*cast.operand, seen); },
                        [](const auto&) { return false; },
                    },
                    expr.node);
}
bool ReadsTensors(const Expr& expr) {
  std::set<const Expr*> seen;
  return ReadsTensors(expr, seen);
}

// Whether every subscript in the expression is a plain index, so that no condition is needed for it to be
// inside.
bool ReadsOnlyAtIndices(const Expr& expr, std::set<const Expr*>& seen) {
  if (!seen.insert(&expr).second) return true;
  return std::visit(Overloaded{
                        [](const dsl::Read& read) {
                          return std::all_of(read.subscripts.begin(), read.subscripts.end(),
                                             [](const dsl::Subscript& s) {
                                               return std::holds_alternative<dsl::IndexRef>(s.at->node) ||
                                                      std::holds_alternative<dsl::Literal>(s.at->node);
                                             });
                        },
                        [](const dsl::Reduce&) { return false; },
                        [&](const dsl::Apply& apply) {
                          return std::all_of(apply.operands.begin(), apply.operands.end(),
                                             [&](const auto& e) { return ReadsOnlyAtIndices(*e, seen); });
                        },
                        [&](const dsl::Cast& cast) { return ReadsOnlyAtIndices(*cast.operand, seen); },
                        [](const auto&) { return true; },
                    },
                    expr.node);
}
bool ReadsOnlyAtIndices(const Expr& expr) {
  std::set<const Expr*> seen;
  return ReadsOnlyAtIndices(expr, seen);
}

bool IsNatural(const dsl::Size& size) {
  return std::all_of(size.terms().begin(), size.terms().end(),
                     [](const dsl::Size::Term& term) { return term.coefficient.num > 0; });
}

// Whether an integer expression is never negative, by its form. Indices count from 0 or from a lower bound
// that is natural itself; the checker proves the latter wherever the index subscripts an axis, and a guard
// covers the rest.
bool IsNatural(const Expr& expr) {
  if (const auto* literal = std::get_if<dsl::Literal>(&expr.node)) {
    const auto* whole = std::get_if<int64_t>(&literal->value);
    return whole != nullptr && *whole >= 0;
  }
  if (const auto* size = std::get_if<dsl::SizeValue>(&expr.node)) return IsNatural(size->size);
  if (const auto* apply = std::get_if<dsl::Apply>(&expr.node)) {
    bool closed = apply->function == Function::kAdd || apply->function == Function::kMul ||
                  apply->function == Function::kFloorDiv || apply->function == Function::kMod ||
                  apply->function == Function::kMinimum || apply->function == Function::kMaximum;
    return closed && std::all_of(apply->operands.begin(), apply->operands.end(),
                                 [](const auto& e) { return IsNatural(*e); });
  }
  return false;
}

bool IsPositiveNumber(const Expr& expr) {
  const auto* literal = std::get_if<dsl::Literal>(&expr.node);
  const auto* whole = literal ? std::get_if<int64_t>(&literal->value) : nullptr;
  if (whole) return *whole > 0;
  const auto* size = std::get_if<dsl::SizeValue>(&expr.node);
  return size && size->size.AsInteger().value_or(0) > 0;
}

bool OrdersElements(dsl::ReductionKind kind) {
  using Kind = dsl::ReductionKind;
  return kind == Kind::kMin || kind == Kind::kMax || kind == Kind::kArgMin || kind == Kind::kArgMax;
}

ir::ReduceKind KindOf(dsl::ReductionKind kind) {
  switch (kind) {
    case dsl::ReductionKind::kSum:
      return ir::ReduceKind::sum;
    case dsl::ReductionKind::kProd:
      return ir::ReduceKind::prod;
    case dsl::ReductionKind::kMin:
      return ir::ReduceKind::min;
    case dsl::ReductionKind::kMax:
      return ir::ReduceKind::max;
    case dsl::ReductionKind::kAny:
      return ir::ReduceKind::any;
    case dsl::ReductionKind::kAll:
      return ir::ReduceKind::all;
    case dsl::ReductionKind::kArgMax:
      return ir::ReduceKind::argmax;
    case dsl::ReductionKind::kArgMin:
      return ir::ReduceKind::argmin;
    case dsl::ReductionKind::kFirst:
      return ir::ReduceKind::first;
    case dsl::ReductionKind::kLast:
      return ir::ReduceKind::last;
  }
  return ir::ReduceKind::sum;
}

ir::Outside OutsideOf(dsl::Outside outside) {
  switch (outside) {
    case dsl::Outside::kInside:
      return ir::Outside::inside;
    case dsl::Outside::kFill:
      return ir::Outside::fill;
    case dsl::Outside::kClamp:
      return ir::Outside::clamp;
    case dsl::Outside::kMirror:
      return ir::Outside::mirror;
    case dsl::Outside::kWrap:
      return ir::Outside::wrap;
  }
  return ir::Outside::inside;
}

}  // namespace

Value ExprLowering::Lower(OpBuilder& builder, const Expr& expr, Scope& scope) {
  for (const auto& layer : scope.lowered) {
    if (auto known = layer.find(&expr); known != layer.end()) return known->second;
  }
  Value value = LowerNode(builder, expr, scope);
  scope.lowered.back()[&expr] = value;
  return value;
}

// At the place inside a region of its own, whose values are not seen outside.
Value ExprLowering::LowerInside(OpBuilder& builder, const Expr& expr, Scope& scope) {
  scope.lowered.emplace_back();
  Value value = Lower(builder, expr, scope);
  scope.lowered.pop_back();
  return value;
}

Value ExprLowering::LowerNode(OpBuilder& builder, const Expr& expr, Scope& scope) {
  Location loc = location_of_(expr.span);
  return std::visit(Overloaded{
                        [&](const dsl::Literal& literal) { return LowerLiteral(builder, expr, literal); },
                        [&](const dsl::IndexRef& ref) { return scope.indices.at(ref.index); },
                        [&](const dsl::SizeValue& value) -> Value {
                          if (std::optional<int64_t> number = value.size.AsInteger()) {
                            return arith::ConstantIndexOp::create(builder, loc, *number);
                          }
                          return sizes_.LowerToValue(value.size);
                        },
                        [&](const dsl::Read& read) { return LowerRead(builder, expr, read, scope); },
                        [&](const dsl::Apply& apply) { return LowerApply(builder, expr, apply, scope); },
                        [&](const dsl::Cast& cast) {
                          Value operand = Lower(builder, *cast.operand, scope);
                          return CastScalar(builder, loc, operand, cast.operand->type, expr.type);
                        },
                        [&](const dsl::Reduce& reduce) { return LowerReduce(builder, expr, reduce, scope); },
                    },
                    expr.node);
}

Value ExprLowering::LowerLiteral(OpBuilder& builder, const Expr& expr, const dsl::Literal& literal) {
  Location loc = location_of_(expr.span);
  mlir::Type type = ScalarType(builder, expr.type);
  if (IsFloat(expr.type)) {
    const auto* real = std::get_if<double>(&literal.value);
    double number = real ? *real : static_cast<double>(std::get<int64_t>(literal.value));
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, number));
  }
  const auto* truth = std::get_if<bool>(&literal.value);
  int64_t number = truth ? *truth : std::get<int64_t>(literal.value);
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, number));
}

Value ExprLowering::LowerRead(OpBuilder& builder, const Expr& expr, const dsl::Read& read, Scope& scope) {
  Location loc = location_of_(expr.span);
  llvm::SmallVector<Value> at;
  llvm::SmallVector<ir::Outside> outside;
  for (const dsl::Subscript& subscript : read.subscripts) {
    at.push_back(Lower(builder, *subscript.at, scope));
    outside.push_back(OutsideOf(subscript.outside));
  }
  Value fill = read.fill ? ToStorage(builder, loc, Lower(builder, *read.fill, scope)) : Value();
  Value stored = ir::ReadOp::create(builder, location_of_read_(expr.span), scope.tensors.at(read.tensor), at,
                                    outside, fill);
  return FromStorage(builder, loc, stored, expr.type);
}

Value ExprLowering::LowerReduce(OpBuilder& builder, const Expr& expr, const dsl::Reduce& reduce,
                                Scope& scope) {
  Location loc = location_of_(expr.span);
  llvm::SmallVector<Value> lower, upper;
  llvm::SmallVector<llvm::StringRef> names;
  for (const dsl::Binder& binder : reduce.binders) {
    lower.push_back(Lower(builder, *binder.lower, scope));
    upper.push_back(Lower(builder, *binder.upper, scope));
    names.push_back(binder.name);
  }
  // The dialect's integers are signed where they are ordered: bytes are ordered as i32.
  bool orders_bytes = IsUnsigned(reduce.body->type) && OrdersElements(reduce.kind);
  auto to_ordered = [&](OpBuilder& b, Value value) -> Value {
    return orders_bytes ? arith::ExtUIOp::create(b, loc, b.getI32Type(), value).getResult() : value;
  };
  Value if_empty = reduce.if_empty ? Lower(builder, *reduce.if_empty, scope) : Value();
  bool gives_element = expr.type == reduce.body->type;
  if (if_empty && gives_element) if_empty = to_ordered(builder, if_empty);
  // A reduction may stand inside another over the same indices (a peak below the sum that it keeps from
  // overflowing): then what was lowered for the outer ones does not hold inside.
  bool rebinds =
      llvm::any_of(reduce.binders, [&](const dsl::Binder& b) { return scope.indices.contains(b.index); });
  Scope outer = rebinds ? scope : Scope();
  if (rebinds) scope.lowered.assign(1, {});
  auto body = [&](OpBuilder& inner, Location, mlir::ValueRange indices) {
    for (auto [binder, index] : llvm::zip_equal(reduce.binders, indices)) scope.indices[binder.index] = index;
    scope.lowered.emplace_back();
    if (!reduce.condition) {
      ir::YieldOp::create(inner, loc, to_ordered(inner, Lower(inner, *reduce.body, scope)), Value());
      scope.lowered.pop_back();
      return;
    }
    // A body may read only under its condition (R6: facts), so the read waits for it.
    Value condition = Lower(inner, *reduce.condition, scope);
    mlir::Type type = ScalarType(inner, reduce.body->type);
    Value value = Choose(
        inner, loc, condition, !ReadsOnlyAtIndices(*reduce.body),
        [&](OpBuilder& b) { return LowerInside(b, *reduce.body, scope); },
        [&](OpBuilder& b) -> Value { return arith::ConstantOp::create(b, loc, b.getZeroAttr(type)); });
    ir::YieldOp::create(inner, loc, to_ordered(inner, value), condition);
    scope.lowered.pop_back();
  };
  mlir::Type type = ScalarType(builder, expr.type);
  bool narrows = orders_bytes && gives_element;
  Value result = ir::ReduceOp::create(builder, loc, narrows ? builder.getI32Type() : type,
                                      KindOf(reduce.kind), lower, upper, names, if_empty, body);
  if (narrows) result = arith::TruncIOp::create(builder, loc, type, result);
  if (rebinds) scope = std::move(outer);
  return result;
}

Value ExprLowering::Choose(OpBuilder& builder, Location loc, Value condition, bool lazy, const Branch& then,
                           const Branch& otherwise) {
  if (!lazy) {
    Value a = then(builder);
    Value b = otherwise(builder);
    return arith::SelectOp::create(builder, loc, condition, a, b);
  }
  auto yield = [&](const Branch& branch) {
    return [&branch, loc](OpBuilder& inner, Location) { scf::YieldOp::create(inner, loc, branch(inner)); };
  };
  return scf::IfOp::create(builder, loc, condition, yield(then), yield(otherwise)).getResult(0);
}

Value ExprLowering::LowerSwitch(OpBuilder& builder, Location loc, const dsl::Apply& apply, Scope& scope) {
  Value position = Lower(builder, *apply.operands[0], scope);
  // From the last element back: each earlier one is chosen by an equality in front of the rest.
  std::function<Value(OpBuilder&, size_t)> from = [&](OpBuilder& b, size_t i) -> Value {
    if (i + 1 == apply.operands.size()) return LowerInside(b, *apply.operands[i], scope);
    bool lazy = std::any_of(apply.operands.begin() + i, apply.operands.end(),
                            [](const auto& e) { return ReadsTensors(*e); });
    Value number = arith::ConstantIndexOp::create(b, loc, i - 1);
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, position, number);
    return Choose(
        b, loc, here, lazy, [&](OpBuilder& inner) { return LowerInside(inner, *apply.operands[i], scope); },
        [&](OpBuilder& inner) { return from(inner, i + 1); });
  };
  Value chosen = from(builder, 1);
  if (auto branch = chosen.getDefiningOp<scf::IfOp>()) {
    int64_t count = static_cast<int64_t>(apply.operands.size()) - 1;
    branch->setAttr(ir::kChoice, builder.getI64IntegerAttr(count));
  }
  return chosen;
}

// Small whole exponents are products, which every back end multiplies alike.
Value ExprLowering::LowerPower(OpBuilder& builder, Location loc, const dsl::Apply& apply, Scope& scope) {
  const Expr& exponent = *apply.operands[1];
  ElementType element = apply.operands[0]->type;
  Value base = Lower(builder, *apply.operands[0], scope);
  if (const auto* literal = std::get_if<dsl::Literal>(&exponent.node)) {
    const auto* whole = std::get_if<int64_t>(&literal->value);
    const auto* real = std::get_if<double>(&literal->value);
    double number = whole ? static_cast<double>(*whole) : real ? *real : -1;
    if (number >= 1 && number <= 16 && number == static_cast<int>(number)) {
      Value power = base;
      for (int bits = 30 - __builtin_clz(static_cast<unsigned>(number)); bits >= 0; --bits) {
        power = LowerFunction(builder, loc, Function::kMul, {power, power}, element, false);
        if ((static_cast<unsigned>(number) >> bits) & 1) {
          power = LowerFunction(builder, loc, Function::kMul, {power, base}, element, false);
        }
      }
      return power;
    }
  }
  Value to = Lower(builder, exponent, scope);
  if (IsFloat(element)) return mlir::math::PowFOp::create(builder, loc, base, to);
  Value wide_base = ToStorage(builder, loc, base);
  Value wide_to = ToStorage(builder, loc, to);
  Value result = mlir::math::IPowIOp::create(builder, loc, wide_base, wide_to);
  return FromStorage(builder, loc, result, element);
}

Value ExprLowering::LowerApply(OpBuilder& builder, const Expr& expr, const dsl::Apply& apply, Scope& scope) {
  Location loc = location_of_(expr.span);
  if (apply.function == Function::kSwitch) return LowerSwitch(builder, loc, apply, scope);
  if (apply.function == Function::kPow) return LowerPower(builder, loc, apply, scope);
  if (apply.function == Function::kSelect) {
    Value condition = Lower(builder, *apply.operands[0], scope);
    bool lazy = ReadsTensors(*apply.operands[1]) || ReadsTensors(*apply.operands[2]);
    return Choose(
        builder, loc, condition, lazy,
        [&](OpBuilder& b) { return LowerInside(b, *apply.operands[1], scope); },
        [&](OpBuilder& b) { return LowerInside(b, *apply.operands[2], scope); });
  }
  llvm::SmallVector<Value> operands;
  for (const dsl::ExprPtr& operand : apply.operands) operands.push_back(Lower(builder, *operand, scope));
  bool is_division = apply.function == Function::kFloorDiv || apply.function == Function::kMod;
  bool natural = is_division && IsNatural(*apply.operands[0]) && IsPositiveNumber(*apply.operands[1]);
  return LowerFunction(builder, loc, apply.function, operands, apply.operands[0]->type, natural);
}

}  // namespace weft::lower
