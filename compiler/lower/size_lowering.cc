#include "compiler/lower/size_lowering.h"

#include <algorithm>
#include <numeric>

#include "compiler/lower/integer_division.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft::lower {

namespace arith = mlir::arith;
using dsl::Rational;
using dsl::Size;
using dsl::SizeAtom;
using mlir::Value;

namespace {

// The smallest whole number that makes every coefficient whole.
int64_t CommonDenominator(const Size& size) {
  int64_t common = 1;
  for (const Size::Term& term : size.terms()) common = std::lcm(common, term.coefficient.den);
  return common;
}

}  // namespace

void SizeLowering::BindFound(int id, Value value, mlir::OpBuilder behind) {
  BindSymbol(id, value);
  found_[id] = places_.size();
  places_.push_back(behind);
}

// The last of the places where its symbols are known.
size_t SizeLowering::PlaceOf(const Size& size) const {
  size_t place = 0;
  for (const Size::Term& term : size.terms()) {
    for (const auto& [atom, power] : term.monomial) {
      auto found = atom->kind == SizeAtom::Kind::kSymbol ? found_.find(atom->id) : found_.end();
      if (found != found_.end()) place = std::max(place, found->second);
      for (const Size& operand : atom->operands) place = std::max(place, PlaceOf(operand));
    }
  }
  return place;
}

mlir::OpFoldResult SizeLowering::Lower(const Size& size) {
  if (std::optional<int64_t> number = size.AsInteger()) return head_.getIndexAttr(*number);
  return LowerToValue(size);
}

Value SizeLowering::LowerToValue(const Size& size) {
  for (const auto& [known, value] : known_) {
    if (known == size) return value;
  }
  mlir::OpBuilder outer = head_;
  head_ = places_[PlaceOf(size)];
  Value value = size.AsInteger() ? Number(*size.AsInteger()) : LowerTerms(size);
  head_ = outer;
  known_.emplace_back(size, value);
  return value;
}

Value SizeLowering::Number(int64_t value) { return arith::ConstantIndexOp::create(head_, loc_, value); }

// Coefficients are brought to one denominator, and one exact division comes last: 3/2*H + 1/2 is (3*H + 1)
// / 2.
Value SizeLowering::LowerTerms(const Size& size) {
  int64_t common = CommonDenominator(size);
  Value sum;
  for (const Size::Term& term : size.terms()) {
    int64_t coefficient = term.coefficient.num * (common / term.coefficient.den);
    Value product;
    for (const auto& [atom, power] : term.monomial) {
      Value factor = LowerAtom(*atom);
      for (int i = 0; i < power; ++i) {
        product = product ? arith::MulIOp::create(head_, loc_, product, factor).getResult() : factor;
      }
    }
    if (!product) {
      product = Number(coefficient);
    } else if (coefficient != 1) {
      product = arith::MulIOp::create(head_, loc_, product, Number(coefficient));
    }
    sum = sum ? arith::AddIOp::create(head_, loc_, sum, product).getResult() : product;
  }
  if (!sum) return Number(0);
  if (common == 1) return sum;
  return arith::FloorDivSIOp::create(head_, loc_, sum, Number(common));
}

// A size with fractions in it, as f64, for floor: rational coefficients are exact there as long as sizes are.
Value SizeLowering::LowerFraction(const Size& size) {
  int64_t common = CommonDenominator(size);
  Value scaled = LowerToValue(size * Size(common));
  Value wide = arith::IndexCastOp::create(head_, loc_, head_.getI64Type(), scaled);
  Value real = arith::SIToFPOp::create(head_, loc_, head_.getF64Type(), wide);
  Value divisor = arith::ConstantOp::create(head_, loc_, head_.getF64FloatAttr(static_cast<double>(common)));
  return arith::DivFOp::create(head_, loc_, real, divisor);
}

Value SizeLowering::LowerAtom(const SizeAtom& atom) {
  auto operand = [&](int i) { return LowerToValue(atom.operands[i]); };
  switch (atom.kind) {
    case SizeAtom::Kind::kSymbol:
      return symbols_.at(atom.id);
    case SizeAtom::Kind::kFloorDiv:
      return FloorDivide(head_, loc_, operand(0), operand(1), Signs::kUnknown);
    case SizeAtom::Kind::kMod:
      return FloorRemainder(head_, loc_, operand(0), operand(1), Signs::kUnknown);
    case SizeAtom::Kind::kMin:
    case SizeAtom::Kind::kMax: {
      Value result = operand(0);
      for (size_t i = 1; i < atom.operands.size(); ++i) {
        result = atom.kind == SizeAtom::Kind::kMin
                     ? arith::MinSIOp::create(head_, loc_, result, operand(i)).getResult()
                     : arith::MaxSIOp::create(head_, loc_, result, operand(i)).getResult();
      }
      return result;
    }
    case SizeAtom::Kind::kFloor: {
      int64_t common = CommonDenominator(atom.operands[0]);
      Value scaled = LowerToValue(atom.operands[0] * Size(common));
      return arith::FloorDivSIOp::create(head_, loc_, scaled, Number(common));
    }
    case SizeAtom::Kind::kFloorReal: {
      mlir::FloatType f64 = head_.getF64Type();
      Value real = LowerFraction(atom.operands[0]);
      Value factor = arith::ConstantOp::create(head_, loc_, head_.getFloatAttr(f64, atom.real));
      Value offset = arith::ConstantOp::create(head_, loc_, head_.getFloatAttr(f64, atom.offset));
      Value scaled = arith::MulFOp::create(head_, loc_, real, factor);
      Value sum = arith::AddFOp::create(head_, loc_, scaled, offset);
      Value floor = mlir::math::FloorOp::create(head_, loc_, sum);
      Value whole = arith::FPToSIOp::create(head_, loc_, head_.getI64Type(), floor);
      return arith::IndexCastOp::create(head_, loc_, head_.getIndexType(), whole);
    }
  }
  return Number(0);
}

}  // namespace weft::lower
