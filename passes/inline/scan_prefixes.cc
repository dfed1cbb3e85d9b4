#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
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

// The value of a reduction over nothing, or null where the type has none.
mlir::TypedAttr Identity(mlir::Builder& builder, ir::ReduceKind kind, mlir::Type type) {
  auto real = mlir::dyn_cast<mlir::FloatType>(type);
  if (real && !real.isF32() && !real.isF64()) return nullptr;  // accumulates wider
  bool is_sum = kind == ir::ReduceKind::sum, is_product = kind == ir::ReduceKind::prod;
  if (is_sum || is_product)
    return real ? mlir::TypedAttr(builder.getFloatAttr(real, is_sum ? 0.0 : 1.0))
                : mlir::TypedAttr(builder.getIntegerAttr(type, is_sum ? 0 : 1));
  if (kind == ir::ReduceKind::any || kind == ir::ReduceKind::all)
    return builder.getIntegerAttr(type, kind == ir::ReduceKind::all ? 1 : 0);
  if (real && (kind == ir::ReduceKind::max || kind == ir::ReduceKind::min))
    return builder.getFloatAttr(real,
                                llvm::APFloat::getInf(real.getFloatSemantics(), kind == ir::ReduceKind::max));
  return nullptr;
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
      return arith::MaximumFOp::create(b, loc, x, y);
    case ir::ReduceKind::min:
      return arith::MinimumFOp::create(b, loc, x, y);
    case ir::ReduceKind::any:
      return arith::OrIOp::create(b, loc, x, y);
    default:
      return arith::AndIOp::create(b, loc, x, y);
  }
}

// One reduction over what lies before, or behind, an index of its equation.
class Scan {
 public:
  Scan(ir::EquationOp equation, ir::ReduceOp reduce)
      : equation_(equation), reduce_(reduce), builder_(equation), loc_(reduce.getLoc()) {}

  // Whether it is over what lies before, or behind, an index at all.
  bool IsCandidate() { return reduce_.getLower().size() == 1 && MatchRange(); }

  // `why` says what is missing.
  bool Matches(llvm::StringRef& why) {
    if (reduce_.getType().isIntOrFloat())
      identity_ = Identity(builder_, reduce_.getKind(), reduce_.getType());
    if (!identity_ || reduce_.getIfEmpty()) {
      why = "it has no value for nothing that can be carried";
    } else if (reduce_->getBlock() != &equation_.getBody().front()) {
      why = "it stands in a branch or in another reduction";
    } else if (!CollectBody()) {
      why = "its elements depend on the index";
    } else if (!IsLong()) {
      why = "it is short";
    }
    return why.empty();
  }

  void Explain(bool matches, llvm::StringRef why) {
    llvm::StringRef index =
        mlir::cast<mlir::StringAttr>(equation_.getNames()[index_.getArgNumber()]).getValue();
    mlir::InFlightDiagnostic remark = mlir::emitRemark(loc_)
                                      << ir::stringifyReduceKind(reduce_.getKind()) << " over "
                                      << mlir::cast<mlir::StringAttr>(reduce_.getNames()[0]).getValue();
    if (matches) {
      remark << ": carried from one " << index << " to the next";
    } else {
      remark << ": all of them for every " << index << ", because " << why;
    }
  }

  void Run() {
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
    auto start = CreateEquation(builder_, label, rest, names, reduce_.getType(),
                                [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
                                  return {arith::ConstantOp::create(body, loc_, identity_)};
                                });
    SmallVector<Value> sizes;
    for (OpFoldResult size : rest)
      if (auto value = mlir::dyn_cast<Value>(size)) sizes.push_back(value);
    auto slice = mlir::cast<mlir::RankedTensorType>(start->getResult(0).getType());
    int64_t positions = mlir::getConstantIntValue(extent).value_or(mlir::ShapedType::kDynamic);
    if (!mlir::isa<mlir::Attribute>(extent)) positions = mlir::ShapedType::kDynamic;
    ir::LoopStates states{{/*given=*/1, /*window=*/1}};
    states.Number();
    llvm::StringRef name = mlir::cast<mlir::StringAttr>(reduce_.getNames()[0]).getValue();
    auto loop =
        ir::LoopOp::create(builder_, loc_, mlir::TypeRange{ir::HistoryType(slice, positions)},
                           is_down_ ? ir::LoopOrder::down : ir::LoopOrder::up, extent, name,
                           mlir::TypeRange{slice}, start->getResults(), sizes, states,
                           [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange arguments) {
                             auto step = CreateEquation(
                                 inner, label, rest, names, reduce_.getType(),
                                 [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                   return {Step(body, arguments, indices)};
                                 });
                             ir::YieldOp::create(inner, loc_, step->getResults());
                           });
    Replace(loop.getResult(0));
  }

 private:
  // `0..i`, `0..i + 1`, `i..N` or `i + 1..N`.
  bool MatchRange() {
    Value lower = reduce_.getLower()[0], upper = reduce_.getUpper()[0];
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

  // The slice of one step: `arguments` are the step and what the step before has.
  Value Step(mlir::OpBuilder& body, mlir::ValueRange arguments, mlir::ValueRange indices) {
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
    Value after =
        Combine(body, loc_, reduce_.getKind(), before, mapping.lookupOrDefault(yield.getValues()[0]));
    if (!yield.getCondition()) return after;
    return arith::SelectOp::create(body, loc_, mapping.lookupOrDefault(yield.getCondition()), after, before);
  }

  void Replace(Value scanned) {
    mlir::OpBuilder at(reduce_);
    Value position = index_;
    if (read_shift_ != 0)
      position =
          arith::AddIOp::create(at, loc_, index_, arith::ConstantIndexOp::create(at, loc_, read_shift_));
    SmallVector<Value> subscripts{position};
    llvm::append_range(subscripts, indices_);
    SmallVector<ir::Outside> outside(subscripts.size(), ir::Outside::inside);
    Value fill;
    if (shorter_ > 0) {
      outside[0] = ir::Outside::fill;
      fill = arith::ConstantOp::create(at, loc_, identity_);
    }
    reduce_.getResult().replaceAllUsesWith(
        CreateRead(at, loc_, scanned, subscripts, outside, fill).getResult());
    reduce_->erase();
  }

  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  mlir::TypedAttr identity_;
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
