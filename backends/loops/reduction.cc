#include "backends/loops/reduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::backends {

namespace arith = mlir::arith;
using ir::ReduceKind;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

namespace {

bool IsFloat(mlir::Type type) { return mlir::isa<mlir::FloatType>(type); }

Value Bool(OpBuilder& builder, Location loc, bool value) {
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(value));
}

Value Constant(OpBuilder& builder, Location loc, mlir::Type type, int64_t number) {
  if (IsFloat(type)) return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, number));
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, number));
}

// The value that every other one replaces in max (`lowest`) or min.
Value Extreme(OpBuilder& builder, Location loc, mlir::Type type, bool lowest) {
  if (auto real = mlir::dyn_cast<mlir::FloatType>(type)) {
    return arith::ConstantOp::create(
        builder, loc,
        builder.getFloatAttr(type, llvm::APFloat::getInf(real.getFloatSemantics(), /*Negative=*/lowest)));
  }
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  llvm::APInt number = lowest ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getSignedMaxValue(bits);
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, number));
}

// Whether `key` comes before `best` in the order of argmax (or argmin), in which NaN is the largest and equal
// keys keep the first.
Value IsBetter(OpBuilder& builder, Location loc, Value key, Value best, bool largest) {
  if (!IsFloat(key.getType())) {
    auto order = largest ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt;
    if (key.getType().isInteger(1)) order = largest ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult;
    return arith::CmpIOp::create(builder, loc, order, key, best);
  }
  using P = arith::CmpFPredicate;
  Value further = arith::CmpFOp::create(builder, loc, largest ? P::OGT : P::OLT, key, best);
  Value key_nan = arith::CmpFOp::create(builder, loc, P::UNO, key, key);
  Value best_nan = arith::CmpFOp::create(builder, loc, P::UNO, best, best);
  Value wins = largest ? key_nan : best_nan;
  Value loses = largest ? best_nan : key_nan;
  Value not_both =
      arith::XOrIOp::create(builder, loc, wins, arith::AndIOp::create(builder, loc, wins, loses));
  return arith::OrIOp::create(builder, loc, further, not_both);
}

}  // namespace

Reduction::Reduction(ir::ReduceOp op)
    : kind_(op.getKind()),
      element_(mlir::cast<ir::YieldOp>(op.getBody().front().getTerminator()).getValues()[0].getType()),
      accumulator_(element_),
      has_else_(op.getIfEmpty() != nullptr) {
  if (IsFloat(element_) && element_.getIntOrFloatBitWidth() < 32) {
    accumulator_ = mlir::Float32Type::get(op.getContext());
  }
}

bool Reduction::needs_position() const { return kind_ == ReduceKind::argmax || kind_ == ReduceKind::argmin; }

bool Reduction::carries_found() const {
  return has_else_ || needs_position() || kind_ == ReduceKind::first || kind_ == ReduceKind::last;
}

llvm::SmallVector<Value> Reduction::Start(OpBuilder& builder, Location loc) const {
  llvm::SmallVector<Value> state;
  switch (kind_) {
    case ReduceKind::sum:
    case ReduceKind::first:
    case ReduceKind::last:
    case ReduceKind::argmax:
    case ReduceKind::argmin:
      state.push_back(Constant(builder, loc, accumulator_, 0));
      break;
    case ReduceKind::prod:
      state.push_back(Constant(builder, loc, accumulator_, 1));
      break;
    case ReduceKind::max:
      state.push_back(Extreme(builder, loc, accumulator_, /*lowest=*/true));
      break;
    case ReduceKind::min:
      state.push_back(Extreme(builder, loc, accumulator_, /*lowest=*/false));
      break;
    case ReduceKind::any:
      state.push_back(Bool(builder, loc, false));
      break;
    case ReduceKind::all:
      state.push_back(Bool(builder, loc, true));
      break;
  }
  if (needs_position()) state.push_back(arith::ConstantIndexOp::create(builder, loc, 0));
  if (carries_found()) state.push_back(Bool(builder, loc, false));
  return state;
}

Value Reduction::Combine(OpBuilder& builder, Location loc, Value so_far, Value value) const {
  bool real = IsFloat(accumulator_);
  switch (kind_) {
    case ReduceKind::sum:
      if (real) return arith::AddFOp::create(builder, loc, so_far, value);
      return arith::AddIOp::create(builder, loc, so_far, value);
    case ReduceKind::prod:
      if (real) return arith::MulFOp::create(builder, loc, so_far, value);
      return arith::MulIOp::create(builder, loc, so_far, value);
    case ReduceKind::max:
      if (real) return arith::MaximumFOp::create(builder, loc, so_far, value);
      return arith::MaxSIOp::create(builder, loc, so_far, value);
    case ReduceKind::min:
      if (real) return arith::MinimumFOp::create(builder, loc, so_far, value);
      return arith::MinSIOp::create(builder, loc, so_far, value);
    case ReduceKind::any:
      return arith::OrIOp::create(builder, loc, so_far, value);
    case ReduceKind::all:
      return arith::AndIOp::create(builder, loc, so_far, value);
    default:
      return value;  // last
  }
}

llvm::SmallVector<Value> Reduction::Step(OpBuilder& builder, Location loc, mlir::ValueRange state,
                                         Value value, Value condition, Value position) const {
  if (value.getType() != accumulator_) value = arith::ExtFOp::create(builder, loc, accumulator_, value);
  llvm::SmallVector<Value> next;
  Value takes = condition;  // null: always
  auto and_condition = [&](Value test) {
    return condition ? arith::AndIOp::create(builder, loc, condition, test).getResult() : test;
  };
  if (needs_position()) {
    Value better = IsBetter(builder, loc, value, state[0], kind_ == ReduceKind::argmax);
    Value none = arith::XOrIOp::create(builder, loc, state[2], Bool(builder, loc, true));
    takes = and_condition(arith::OrIOp::create(builder, loc, better, none));
    next = {value, position};
  } else if (kind_ == ReduceKind::first) {
    takes = and_condition(arith::XOrIOp::create(builder, loc, state[1], Bool(builder, loc, true)));
    next = {value};
  } else {
    next = {Combine(builder, loc, state[0], value)};
  }
  if (takes) {
    for (auto [new_value, old_value] : llvm::zip(next, state)) {
      new_value = arith::SelectOp::create(builder, loc, takes, new_value, old_value);
    }
  }
  if (carries_found()) {
    Value found = condition ? arith::OrIOp::create(builder, loc, state.back(), condition).getResult()
                            : Bool(builder, loc, true);
    next.push_back(found);
  }
  return next;
}

Value Reduction::Finish(OpBuilder& builder, Location loc, mlir::ValueRange state, Value if_empty) const {
  Value result = needs_position() ? state[1] : state[0];
  if (result.getType() == accumulator_ && accumulator_ != element_) {
    result = arith::TruncFOp::create(builder, loc, element_, result);
  }
  if (if_empty) result = arith::SelectOp::create(builder, loc, state.back(), result, if_empty);
  return result;
}

}  // namespace weft::backends
