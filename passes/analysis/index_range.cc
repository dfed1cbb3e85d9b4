#include "passes/analysis/index_range.h"

#include <algorithm>
#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

using mlir::Value;
namespace arith = mlir::arith;

// Deeper expressions are atoms without a range; a front end writes none.
constexpr int kMaxDepth = 24;

constexpr int64_t kNoLower = IndexRange::kNoLower;
constexpr int64_t kNoUpper = IndexRange::kNoUpper;

IndexRange AtomRange(Value value, int depth);
LinearForm Form(Value value, int depth);

// Bounds are one-sided infinite at the extremes, and arithmetic that overflows loses its bound.
int64_t AddBound(int64_t a, int64_t b, int64_t none) {
  int64_t sum;
  if (a == kNoLower || a == kNoUpper || b == kNoLower || b == kNoUpper) return none;
  return __builtin_add_overflow(a, b, &sum) ? none : sum;
}

int64_t MulBound(int64_t a, int64_t b, int64_t none) {
  int64_t product;
  if (a == 0 || b == 0) return 0;
  if (a == kNoLower || a == kNoUpper || b == kNoLower || b == kNoUpper) return none;
  return __builtin_mul_overflow(a, b, &product) ? none : product;
}

IndexRange Add(IndexRange a, IndexRange b) {
  return {AddBound(a.lo, b.lo, kNoLower), AddBound(a.hi, b.hi, kNoUpper)};
}

IndexRange Scale(IndexRange a, int64_t factor) {
  if (factor >= 0) return {MulBound(a.lo, factor, kNoLower), MulBound(a.hi, factor, kNoUpper)};
  return {MulBound(a.hi, factor, kNoLower), MulBound(a.lo, factor, kNoUpper)};
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0); }

IndexRange Join(IndexRange a, IndexRange b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

std::optional<int64_t> NarrowConstant(Value value) {
  llvm::APInt constant;
  if (mlir::matchPattern(value, mlir::m_ConstantInt(&constant)) && constant.getSignificantBits() <= 64)
    return constant.getSExtValue();
  return std::nullopt;
}

// Sums and products of these types do not wrap: sizes and positions fit 64 bits.
bool IsExact(mlir::Type type) { return type.isIndex() || type.isInteger(64); }

IndexRange RangeAt(Value value, int depth) {
  if (depth > kMaxDepth) return {};
  LinearForm form = Form(value, depth);
  IndexRange range = {form.constant, form.constant};
  for (const LinearForm::Term& term : form.terms)
    range = Add(range, Scale(AtomRange(term.atom, depth + 1), term.coefficient));
  return range;
}

IndexRange BlockArgumentRange(mlir::BlockArgument argument, int depth) {
  mlir::Operation* owner = argument.getOwner()->getParentOp();
  unsigned position = argument.getArgNumber();
  if (auto equation = mlir::dyn_cast_or_null<ir::EquationOp>(owner)) {
    mlir::OpFoldResult extent = ExtentsOf(equation)[position];
    if (auto number = mlir::getConstantIntValue(extent)) return {0, *number - 1};
    IndexRange range = RangeAt(mlir::cast<Value>(extent), depth + 1);
    return {0, AddBound(range.hi, -1, kNoUpper)};
  }
  if (auto loop = mlir::dyn_cast_or_null<ir::LoopOp>(owner)) {
    mlir::SmallVector<mlir::OpFoldResult> extents = ExtentsOf(loop);
    if (position >= extents.size()) return {};
    if (auto number = mlir::getConstantIntValue(extents[position])) return {0, *number - 1};
    IndexRange range = RangeAt(mlir::cast<Value>(extents[position]), depth + 1);
    return {0, AddBound(range.hi, -1, kNoUpper)};
  }
  if (auto reduce = mlir::dyn_cast_or_null<ir::ReduceOp>(owner)) {
    IndexRange lower = RangeAt(reduce.getLower()[position], depth + 1);
    IndexRange upper = RangeAt(reduce.getUpper()[position], depth + 1);
    return {lower.lo, AddBound(upper.hi, -1, kNoUpper)};
  }
  return {};
}

// An input's dimension has the range its entry declares: module attr `weft.dims`, argument attr `weft.shape`.
IndexRange DimensionRange(mlir::tensor::DimOp dim) {
  auto unknown = IndexRange{0, kNoUpper};
  auto axis = dim.getConstantIndex();
  auto type = mlir::dyn_cast<mlir::RankedTensorType>(dim.getSource().getType());
  if (!axis || !type || *axis < 0 || *axis >= type.getRank()) return unknown;
  if (!type.isDynamicDim(*axis)) return {type.getDimSize(*axis), type.getDimSize(*axis)};
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(dim.getSource());
  if (!argument) return unknown;
  auto function = mlir::dyn_cast_or_null<mlir::func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function) return unknown;
  auto shape = function.getArgAttrOfType<mlir::ArrayAttr>(argument.getArgNumber(), "weft.shape");
  auto module = function->getParentOfType<mlir::ModuleOp>();
  auto dims = module ? module->getAttrOfType<mlir::ArrayAttr>("weft.dims") : nullptr;
  if (!shape || !dims || *axis >= static_cast<int64_t>(shape.size())) return unknown;
  auto name = mlir::dyn_cast<mlir::StringAttr>(shape[*axis]);
  for (auto entry : dims.getAsRange<mlir::DictionaryAttr>()) {
    if (!name || entry.getAs<mlir::StringAttr>("name") != name) continue;
    auto lo = entry.getAs<mlir::IntegerAttr>("lo"), hi = entry.getAs<mlir::IntegerAttr>("hi");
    if (lo && hi) return {lo.getInt(), hi.getInt()};
  }
  return unknown;
}

IndexRange DivisionRange(Value lhs, Value rhs, bool floors, int depth) {
  auto divisor = NarrowConstant(rhs);
  if (!divisor || *divisor <= 0) return {};
  IndexRange range = RangeAt(lhs, depth + 1);
  auto divide = [&](int64_t bound) {
    if (bound == kNoLower || bound == kNoUpper) return bound;
    return floors ? FloorDiv(bound, *divisor) : bound / *divisor;
  };
  return {divide(range.lo), divide(range.hi)};
}

IndexRange RemainderRange(Value lhs, Value rhs, bool is_unsigned, int depth) {
  auto divisor = NarrowConstant(rhs);
  if (!divisor || *divisor <= 0) return {};
  IndexRange range = RangeAt(lhs, depth + 1);
  if (range.Within(0, *divisor)) return range;
  if (is_unsigned || range.lo >= 0) return {0, *divisor - 1};
  return {-(*divisor - 1), *divisor - 1};
}

IndexRange AtomRange(Value value, int depth) {
  if (depth > kMaxDepth) return {};
  if (auto constant = NarrowConstant(value)) return {*constant, *constant};
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) return BlockArgumentRange(argument, depth);
  mlir::Operation* op = value.getDefiningOp();
  if (auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(op)) return DimensionRange(dim);
  if (auto select = mlir::dyn_cast<arith::SelectOp>(op))
    return Join(RangeAt(select.getTrueValue(), depth + 1), RangeAt(select.getFalseValue(), depth + 1));
  if (!IsExact(value.getType())) return {};
  if (auto divide = mlir::dyn_cast<arith::FloorDivSIOp>(op))
    return DivisionRange(divide.getLhs(), divide.getRhs(), /*floors=*/true, depth);
  if (auto divide = mlir::dyn_cast<arith::DivSIOp>(op))
    return DivisionRange(divide.getLhs(), divide.getRhs(), /*floors=*/false, depth);
  if (auto divide = mlir::dyn_cast<arith::DivUIOp>(op)) {
    if (RangeAt(divide.getLhs(), depth + 1).lo < 0) return {};
    return DivisionRange(divide.getLhs(), divide.getRhs(), /*floors=*/true, depth);
  }
  if (auto remainder = mlir::dyn_cast<arith::RemSIOp>(op))
    return RemainderRange(remainder.getLhs(), remainder.getRhs(), /*is_unsigned=*/false, depth);
  if (auto remainder = mlir::dyn_cast<arith::RemUIOp>(op))
    return RemainderRange(remainder.getLhs(), remainder.getRhs(), /*is_unsigned=*/true, depth);
  if (auto max = mlir::dyn_cast<arith::MaxSIOp>(op)) {
    IndexRange a = RangeAt(max.getLhs(), depth + 1), b = RangeAt(max.getRhs(), depth + 1);
    return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
  }
  if (auto min = mlir::dyn_cast<arith::MinSIOp>(op)) {
    IndexRange a = RangeAt(min.getLhs(), depth + 1), b = RangeAt(min.getRhs(), depth + 1);
    return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
  }
  if (auto multiply = mlir::dyn_cast<arith::MulIOp>(op)) {
    IndexRange a = RangeAt(multiply.getLhs(), depth + 1), b = RangeAt(multiply.getRhs(), depth + 1);
    if (a.lo < 0 || b.lo < 0) return {};
    return {MulBound(a.lo, b.lo, 0), MulBound(a.hi, b.hi, kNoUpper)};
  }
  return {};
}

void AddTerm(LinearForm& form, Value atom, int64_t coefficient) {
  for (LinearForm::Term& term : form.terms)
    if (term.atom == atom) {
      term.coefficient += coefficient;
      return;
    }
  form.terms.push_back({atom, coefficient});
}

// form += factor * other; false where a coefficient overflows.
bool Accumulate(LinearForm& form, const LinearForm& other, int64_t factor) {
  int64_t scaled;
  if (__builtin_mul_overflow(other.constant, factor, &scaled) ||
      __builtin_add_overflow(form.constant, scaled, &form.constant))
    return false;
  for (const LinearForm::Term& term : other.terms) {
    if (__builtin_mul_overflow(term.coefficient, factor, &scaled)) return false;
    AddTerm(form, term.atom, scaled);
  }
  return true;
}

LinearForm AsAtom(Value value) {
  LinearForm form;
  form.terms.push_back({value, 1});
  return form;
}

LinearForm Form(Value value, int depth) {
  if (auto constant = NarrowConstant(value)) {
    LinearForm form;
    form.constant = *constant;
    return form;
  }
  mlir::Operation* op = value.getDefiningOp();
  if (!op || depth > kMaxDepth || !IsExact(value.getType())) return AsAtom(value);
  LinearForm form;
  bool exact = true;
  if (auto add = mlir::dyn_cast<arith::AddIOp>(op)) {
    exact = Accumulate(form, Form(add.getLhs(), depth + 1), 1) &&
            Accumulate(form, Form(add.getRhs(), depth + 1), 1);
  } else if (auto subtract = mlir::dyn_cast<arith::SubIOp>(op)) {
    exact = Accumulate(form, Form(subtract.getLhs(), depth + 1), 1) &&
            Accumulate(form, Form(subtract.getRhs(), depth + 1), -1);
  } else if (auto multiply = mlir::dyn_cast<arith::MulIOp>(op)) {
    LinearForm lhs = Form(multiply.getLhs(), depth + 1), rhs = Form(multiply.getRhs(), depth + 1);
    if (lhs.terms.empty()) std::swap(lhs, rhs);
    if (!rhs.terms.empty()) return AsAtom(value);
    exact = Accumulate(form, lhs, rhs.constant);
  } else if (auto cast = mlir::dyn_cast<arith::IndexCastOp>(op)) {
    if (!IsExact(cast.getIn().getType())) return AsAtom(value);
    return Form(cast.getIn(), depth + 1);
  } else {
    return AsAtom(value);
  }
  if (!exact) return AsAtom(value);
  llvm::erase_if(form.terms, [](const LinearForm::Term& term) { return term.coefficient == 0; });
  return form;
}

bool SameAtom(Value a, Value b) {
  if (a == b) return true;
  auto lhs = a.getDefiningOp<mlir::tensor::DimOp>(), rhs = b.getDefiningOp<mlir::tensor::DimOp>();
  if (lhs && rhs) {
    return lhs.getSource() == rhs.getSource() && lhs.getConstantIndex() &&
           lhs.getConstantIndex() == rhs.getConstantIndex();
  }
  mlir::Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
  if (!first || !second || first->getName() != second->getName() || first->getNumRegions() != 0 ||
      first->getNumOperands() != second->getNumOperands() || first->getNumResults() != 1 ||
      first->getAttrDictionary() != second->getAttrDictionary() ||
      !mlir::isa<arith::ArithDialect>(first->getDialect()))
    return false;
  return llvm::all_of_zip(first->getOperands(), second->getOperands(),
                          [](Value x, Value y) { return ProvablyEqual(x, y); });
}

}  // namespace

IndexRange RangeOf(Value value) { return RangeAt(value, 0); }

LinearForm LinearFormOf(Value value) { return Form(value, 0); }

IndexRange RangeOf(const LinearForm& form) {
  IndexRange range = {form.constant, form.constant};
  for (const LinearForm::Term& term : form.terms)
    range = Add(range, Scale(AtomRange(term.atom, 1), term.coefficient));
  return range;
}

bool ProvablyEqual(Value a, Value b) {
  if (a == b) return true;
  LinearForm lhs = LinearFormOf(a), rhs = LinearFormOf(b);
  if (lhs.constant != rhs.constant || lhs.terms.size() != rhs.terms.size()) return false;
  // An atom of itself: no further to go than comparing the atoms.
  return llvm::all_of(lhs.terms, [&](const LinearForm::Term& term) {
    return llvm::any_of(rhs.terms, [&](const LinearForm::Term& other) {
      return term.coefficient == other.coefficient && SameAtom(term.atom, other.atom);
    });
  });
}

}  // namespace weft::passes
