#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/inline/passes.h"
#include "passes/inline/rewrite_reductions.h"

namespace weft::passes {

#define GEN_PASS_DEF_SCANPREFIXES
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Shorter ranges are added up again for every index.
constexpr int64_t kShortest = 32;

// An index of the equation, and a number added to it.
struct Shifted {
  mlir::BlockArgument index;
  int64_t by = 0;
};

std::optional<Shifted> MatchShifted(Value value, ir::EquationOp equation) {
  Shifted shifted;
  if (auto sum = value.getDefiningOp<arith::AddIOp>()) {
    auto number = mlir::getConstantIntValue(sum.getRhs());
    if (!number) return std::nullopt;
    shifted.by = *number;
    value = sum.getLhs();
  }
  shifted.index = mlir::dyn_cast<mlir::BlockArgument>(value);
  if (!shifted.index || shifted.index.getOwner() != &equation.getBody().front()) return std::nullopt;
  return shifted;
}

// What a step hands on: indices are stored as i64, short floats add up wider.
mlir::Type CarriedType(ir::ReduceKind kind, mlir::Type type) {
  mlir::Builder builder(type.getContext());
  if (type.isIndex()) return builder.getI64Type();
  bool adds = kind == ir::ReduceKind::sum || kind == ir::ReduceKind::prod;
  if (adds && mlir::isa<mlir::FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    return builder.getF32Type();
  return type;
}

Value Carried(mlir::OpBuilder& b, mlir::Location loc, mlir::Type type, Value value) {
  if (value.getType() == type) return value;
  if (value.getType().isIndex() || type.isIndex()) return arith::IndexCastOp::create(b, loc, type, value);
  if (type.getIntOrFloatBitWidth() > value.getType().getIntOrFloatBitWidth())
    return arith::ExtFOp::create(b, loc, type, value);
  return arith::TruncFOp::create(b, loc, type, value);
}

// The value of a reduction over nothing; of those that have none, one that stands before all others.
mlir::TypedAttr Identity(mlir::Builder& builder, ir::ReduceKind kind, mlir::Type type) {
  auto real = mlir::dyn_cast<mlir::FloatType>(type);
  unsigned bits = type.getIntOrFloatBitWidth();
  switch (kind) {
    case ir::ReduceKind::prod:
      return real ? mlir::TypedAttr(builder.getFloatAttr(real, 1.0)) : builder.getIntegerAttr(type, 1);
    case ir::ReduceKind::all:
      return builder.getIntegerAttr(type, 1);
    case ir::ReduceKind::max:
    case ir::ReduceKind::min: {
      bool is_max = kind == ir::ReduceKind::max;
      if (real) return builder.getFloatAttr(real, llvm::APFloat::getInf(real.getFloatSemantics(), is_max));
      return builder.getIntegerAttr(
          type, is_max ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getSignedMaxValue(bits));
    }
    default:
      return builder.getZeroAttr(type);
  }
}

Value Combine(mlir::OpBuilder& b, mlir::Location loc, ir::ReduceKind kind, Value x, Value y) {
  bool real = mlir::isa<mlir::FloatType>(x.getType());
  switch (kind) {
    case ir::ReduceKind::sum:
      return real ? arith::AddFOp::create(b, loc, x, y).getResult()
                  : arith::AddIOp::create(b, loc, x, y).getResult();
    case ir::ReduceKind::prod:
      return real ? arith::MulFOp::create(b, loc, x, y).getResult()
                  : arith::MulIOp::create(b, loc, x, y).getResult();
    case ir::ReduceKind::max:
      return real ? arith::MaximumFOp::create(b, loc, x, y).getResult()
                  : arith::MaxSIOp::create(b, loc, x, y).getResult();
    case ir::ReduceKind::min:
      return real ? arith::MinimumFOp::create(b, loc, x, y).getResult()
                  : arith::MinSIOp::create(b, loc, x, y).getResult();
    case ir::ReduceKind::any:
      return arith::OrIOp::create(b, loc, x, y);
    case ir::ReduceKind::all:
      return arith::AndIOp::create(b, loc, x, y);
    default:  // first and last: the one that counts
      return y;
  }
}

// One reduction over what lies before, or behind, an index of its equation.
class Scan {
 public:
  Scan(ir::EquationOp equation, ir::ReduceOp reduce)
      : equation_(equation), reduce_(reduce), builder_(equation), loc_(reduce.getLoc()) {}

  // Whether it is over what lies before, or behind, an index at all.
  bool IsCandidate() {
    for (unsigned range = 0; range < reduce_.getLower().size(); ++range)
      if (MatchRange(range)) return true;
    return false;
  }

  // `why` says what is missing.
  bool Matches(llvm::StringRef& why) {
    ir::ReduceKind kind = reduce_.getKind();
    bool gives_position = kind == ir::ReduceKind::argmax || kind == ir::ReduceKind::argmin;
    if (reduce_.getLower().size() != 1) {
      why = "it has several indices";
    } else if (gives_position) {
      why = "it gives a position";
    } else if (reduce_->getBlock() != &equation_.getBody().front()) {
      why = "it stands in a branch or in another reduction";
    } else if (!CollectBody()) {
      why = "its elements depend on the index";
    } else if (!IsLong()) {
      why = "it is short";
    }
    if (!why.empty()) return false;
    carried_ = CarriedType(kind, reduce_.getType());
    identity_ = Identity(builder_, kind, carried_);
    FindFlag();
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    mlir::APInt each;
    bool counts = kind == ir::ReduceKind::sum && reduce_.getType().isIndex() && !yield.getCondition() &&
                  mlir::matchPattern(yield.getValues()[0], mlir::m_ConstantInt(&each));
    if (counts && !reduce_.getIfEmpty()) each_ = each.getSExtValue();
    return true;
  }

  void Explain(bool matches, llvm::StringRef why) {
    llvm::StringRef index =
        mlir::cast<mlir::StringAttr>(equation_.getNames()[index_.getArgNumber()]).getValue();
    mlir::InFlightDiagnostic remark = mlir::emitRemark(loc_)
                                      << ir::stringifyReduceKind(reduce_.getKind()) << " over "
                                      << mlir::cast<mlir::StringAttr>(reduce_.getNames()[0]).getValue();
    if (matches && each_) {
      remark << ": as many as its range is long";
    } else if (matches) {
      remark << ": carried from one " << index << " to the next";
    } else {
      remark << ": all of them for every " << index << ", because " << why;
    }
  }

  void Run() {
    if (each_) return Count();
    // Step s adds element s + first_ of the range.
    OpFoldResult extent = extent_;
    if (shorter_ > 0) extent = Shorter(extent);
    SmallVector<OpFoldResult> rest;
    SmallVector<mlir::Attribute> names;
    for (Value index : indices_) {
      unsigned position = mlir::cast<mlir::BlockArgument>(index).getArgNumber();
      rest.push_back(ExtentsOf(equation_)[position]);
      names.push_back(equation_.getNames()[position]);
    }
    EquationLabel label = LabelOf(equation_);
    SmallVector<mlir::Type> elements{carried_};
    if (has_flag_) elements.push_back(builder_.getI1Type());
    auto start = CreateEquation(builder_, label, rest, names, elements,
                                [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
                                  SmallVector<Value> values{arith::ConstantOp::create(body, loc_, identity_)};
                                  if (has_flag_) values.push_back(Truth(body, false));
                                  return values;
                                });
    SmallVector<Value> sizes;
    for (size_t i = 0; i < elements.size(); ++i)
      for (OpFoldResult size : rest)
        if (auto value = mlir::dyn_cast<Value>(size)) sizes.push_back(value);
    int64_t positions = mlir::getConstantIntValue(extent).value_or(mlir::ShapedType::kDynamic);
    if (!mlir::isa<mlir::Attribute>(extent)) positions = mlir::ShapedType::kDynamic;
    ir::LoopStates states;
    SmallVector<mlir::Type> slices, histories;
    for (mlir::Type slice : start->getResultTypes()) {
      states.push_back({/*given=*/1, /*window=*/1});
      slices.push_back(slice);
      histories.push_back(ir::HistoryType(mlir::cast<mlir::RankedTensorType>(slice), positions));
    }
    states.Number();
    llvm::StringRef name = mlir::cast<mlir::StringAttr>(reduce_.getNames()[0]).getValue();
    auto loop =
        ir::LoopOp::create(builder_, loc_, histories, is_down_ ? ir::LoopOrder::down : ir::LoopOrder::up,
                           extent, name, slices, start->getResults(), sizes, states,
                           [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange arguments) {
                             auto step = CreateEquation(inner, label, rest, names, elements,
                                                        [&](mlir::OpBuilder& body, mlir::ValueRange indices) {
                                                          return Step(body, arguments, indices);
                                                        });
                             ir::YieldOp::create(inner, loc_, step->getResults());
                           });
    Replace(loop.getResults());
  }

 private:
  // Equal elements need not be added up.
  void Count() {
    mlir::OpBuilder at(reduce_);
    Value length = arith::SubIOp::create(at, loc_, reduce_.getUpper()[0], reduce_.getLower()[0]);
    Value each = arith::ConstantIndexOp::create(at, loc_, *each_);
    reduce_.replaceAllUsesWith(arith::MulIOp::create(at, loc_, length, each).getResult());
    reduce_->erase();
  }

  // `0..i`, `0..i + 1`, `i..N` or `i + 1..N`.
  bool MatchRange(unsigned range) {
    Value lower = reduce_.getLower()[range], upper = reduce_.getUpper()[range];
    if (mlir::getConstantIntValue(lower) == 0) {
      auto end = MatchShifted(upper, equation_);
      if (!end || end->by < 0 || end->by > 1) return false;
      index_ = end->index;
      shorter_ = 1 - end->by;
      read_shift_ = -shorter_;
    } else {
      auto begin = MatchShifted(lower, equation_);
      if (!begin || begin->by < 0 || begin->by > 1) return false;
      index_ = begin->index;
      is_down_ = true;
      shorter_ = first_ = begin->by;
    }
    extent_ = ExtentsOf(equation_)[index_.getArgNumber()];
    return !is_down_ || SameSize(mlir::getAsOpFoldResult(upper), extent_);
  }

  // What the elements are made of: nothing of it may depend on the index itself.
  bool CollectBody() {
    SmallVector<Value> open(UsedFromOutside(reduce_).takeVector());
    llvm::erase_if(open, [&](Value value) { return IsOnlyBound(value); });
    llvm::SetVector<mlir::Operation*> needed;
    while (!open.empty()) {
      Value value = open.pop_back_val();
      if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) {
        if (argument == index_) return false;
        if (argument.getOwner() == &equation_.getBody().front()) indices_.insert(argument);
        continue;
      }
      mlir::Operation* op = value.getDefiningOp();
      if (op->getBlock() != &equation_.getBody().front()) continue;
      if (!mlir::isMemoryEffectFree(op) || !needed.insert(op)) continue;
      for (Value used : UsedFromOutside(op)) open.push_back(used);
    }
    for (mlir::Operation& op : equation_.getBody().front())
      if (needed.contains(&op)) needed_.push_back(&op);
    return true;
  }

  bool IsOnlyBound(Value value) {
    return llvm::all_of(value.getUsers(), [&](mlir::Operation* user) {
      return user == reduce_ || !reduce_->isProperAncestor(user);
    });
  }

  bool IsLong() const {
    std::optional<int64_t> number = mlir::getConstantIntValue(extent_);
    return !number || *number >= kShortest;
  }

  OpFoldResult Shorter(OpFoldResult size) {
    if (auto number = mlir::getConstantIntValue(size)) return builder_.getIndexAttr(*number - 1);
    Value one = arith::ConstantIndexOp::create(builder_, loc_, 1);
    Value zero = arith::ConstantIndexOp::create(builder_, loc_, 0);
    Value less = arith::SubIOp::create(builder_, loc_, mlir::cast<Value>(size), one);
    return arith::MaxSIOp::create(builder_, loc_, less, zero).getResult();
  }

  // Whether it must be carried if there was an element yet: to choose the first one that counts, or to say
  // what stands for none where a condition decides that.
  void FindFlag() {
    bool chooses = reduce_.getKind() == ir::ReduceKind::first || reduce_.getKind() == ir::ReduceKind::last;
    Value if_empty = reduce_.getIfEmpty();
    mlir::TypedAttr constant;
    bool is_identity = if_empty && mlir::matchPattern(if_empty, mlir::m_Constant(&constant)) &&
                       constant == Identity(builder_, reduce_.getKind(), carried_);
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    has_flag_ = chooses || (yield.getCondition() && if_empty && !is_identity);
    keeps_ = chooses && (reduce_.getKind() == ir::ReduceKind::first) != is_down_;
  }

  Value Truth(mlir::OpBuilder& body, bool value) {
    return arith::ConstantOp::create(body, loc_, body.getBoolAttr(value));
  }

  // The slice of one step: `arguments` are the step and what the step before has.
  SmallVector<Value> Step(mlir::OpBuilder& body, mlir::ValueRange arguments, mlir::ValueRange indices) {
    mlir::IRMapping mapping;
    for (auto [old, index] : llvm::zip_equal(indices_, indices)) mapping.map(old, index);
    for (mlir::Operation* op : needed_) body.clone(*op, mapping);
    Value element = arguments[0];
    if (first_ > 0)
      element =
          arith::AddIOp::create(body, loc_, element, arith::ConstantIndexOp::create(body, loc_, first_));
    mapping.map(reduce_.getBody().getArgument(0), element);
    mlir::Block& inner = reduce_.getBody().front();
    for (mlir::Operation& op : inner.without_terminator()) body.clone(op, mapping);
    auto yield = mlir::cast<ir::YieldOp>(inner.getTerminator());
    Value before = CreateRead(body, loc_, arguments[1], indices);
    Value value = Carried(body, loc_, carried_, mapping.lookupOrDefault(yield.getValues()[0]));
    Value after = Combine(body, loc_, reduce_.getKind(), before, value);
    Value counts = yield.getCondition() ? mapping.lookupOrDefault(yield.getCondition()) : Value();
    if (!has_flag_) {
      if (counts) after = arith::SelectOp::create(body, loc_, counts, after, before);
      return {after};
    }
    if (!counts) counts = Truth(body, true);
    Value found = CreateRead(body, loc_, arguments[2], indices);
    Value takes = counts;
    if (keeps_) {
      Value none = arith::XOrIOp::create(body, loc_, found, Truth(body, true));
      takes = arith::AndIOp::create(body, loc_, counts, none);
    }
    return {arith::SelectOp::create(body, loc_, takes, after, before),
            arith::OrIOp::create(body, loc_, found, counts)};
  }

  void Replace(mlir::ValueRange scanned) {
    mlir::OpBuilder at(reduce_);
    Value position = index_;
    if (read_shift_ != 0)
      position =
          arith::AddIOp::create(at, loc_, index_, arith::ConstantIndexOp::create(at, loc_, read_shift_));
    SmallVector<Value> subscripts{position};
    llvm::append_range(subscripts, indices_);
    auto read = [&](Value tensor, Value fill) -> Value {
      SmallVector<ir::Outside> outside(subscripts.size(), ir::Outside::inside);
      if (shorter_ > 0) outside[0] = ir::Outside::fill;
      return CreateRead(at, loc_, tensor, subscripts, outside, shorter_ > 0 ? fill : Value());
    };
    Value none = arith::ConstantOp::create(at, loc_, identity_);
    Value if_empty = reduce_.getIfEmpty();
    if (if_empty && !has_flag_) none = Carried(at, loc_, carried_, if_empty);
    Value result = Carried(at, loc_, reduce_.getType(), read(scanned[0], none));
    if (has_flag_ && if_empty)
      result = arith::SelectOp::create(at, loc_, read(scanned[1], Truth(at, false)), result, if_empty);
    reduce_.getResult().replaceAllUsesWith(result);
    reduce_->erase();
  }

  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  mlir::Type carried_;
  mlir::TypedAttr identity_;
  std::optional<int64_t> each_;  // what every element is, of a sum of equal numbers
  bool has_flag_ = false;        // a second state says whether there was an element yet
  bool keeps_ = false;           // the first one that counts, in the order of steps, stays
  mlir::BlockArgument index_;
  OpFoldResult extent_;  // of that index
  bool is_down_ = false;
  int64_t shorter_ = 0;             // steps fewer than the index has values
  int64_t first_ = 0;               // element of step 0
  int64_t read_shift_ = 0;          // from the index to its position
  llvm::SetVector<Value> indices_;  // of the equation, that elements depend on
  SmallVector<mlir::Operation*> needed_;
};

struct ScanPrefixesPass : impl::ScanPrefixesBase<ScanPrefixesPass> {
  using ScanPrefixesBase::ScanPrefixesBase;

  void runOnOperation() override { RewriteReductions<Scan>(getOperation(), explain); }
};

}  // namespace
}  // namespace weft::passes
