#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/inline/exponential_sums.h"
#include "passes/inline/passes.h"
#include "passes/inline/prefix.h"
#include "passes/inline/rewrite_reductions.h"
#include "passes/inline/separate_ranges.h"

namespace weft::passes {

#define GEN_PASS_DEF_SCANPREFIXES
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::SmallVector;
using mlir::Value;

// One reduction over what lies before, or behind, an index of its equation.
class Scan {
 public:
  Scan(ir::EquationOp equation, ir::ReduceOp reduce)
      : equation_(equation), reduce_(reduce), loc_(reduce.getLoc()) {
    chooses_ = reduce.getKind() == ir::ReduceKind::first || reduce.getKind() == ir::ReduceKind::last;
    gives_position_ =
        reduce.getKind() == ir::ReduceKind::argmax || reduce.getKind() == ir::ReduceKind::argmin;
  }

  // Whether it is over what lies before, or behind, an index at all.
  bool IsCandidate() {
    for (unsigned range = 0; range < reduce_.getLower().size(); ++range) {
      auto prefix = MatchPrefix(reduce_, equation_, range);
      if (!prefix) continue;
      prefix_ = *prefix;
      return true;
    }
    return false;
  }

  // `why` says what is missing.
  bool Matches(llvm::StringRef& why) {
    std::optional<Elements> elements;
    if (reduce_.getLower().size() != 1) {
      why = "it has several indices";
    } else if (reduce_->getBlock() != &equation_.getBody().front()) {
      why = "it stands in a branch or in another reduction";
    } else if (elements = ElementsOf(reduce_, {}, equation_, prefix_.index); !elements) {
      why = "its elements depend on the index";
    } else if (!IsLong(prefix_)) {
      why = "it is short";
    }
    if (!why.empty()) return false;
    elements_ = *elements;
    mlir::Builder builder(reduce_.getContext());
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    carried_ = CarriedType(reduce_.getKind(), yield.getValues()[0].getType());
    identity_ = Identity(builder, reduce_.getKind(), carried_);
    FindFlag();
    mlir::APInt each;
    bool counts = reduce_.getKind() == ir::ReduceKind::sum && reduce_.getType().isIndex() &&
                  !yield.getCondition() &&
                  mlir::matchPattern(yield.getValues()[0], mlir::m_ConstantInt(&each));
    if (counts && !reduce_.getIfEmpty()) each_ = each.getSExtValue();
    return true;
  }

  void Explain(bool matches, llvm::StringRef why) {
    llvm::StringRef index =
        mlir::cast<mlir::StringAttr>(equation_.getNames()[prefix_.index.getArgNumber()]).getValue();
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
    mlir::Builder builder(reduce_.getContext());
    SmallVector<mlir::TypedAttr> start{identity_};
    if (gives_position_) start.push_back(builder.getI64IntegerAttr(0));
    if (has_flag_) start.push_back(builder.getBoolAttr(false));
    SmallVector<Value> indices = llvm::to_vector(elements_.indices);
    SmallVector<Value> scanned =
        CarryAlong(prefix_, equation_, reduce_, indices, start,
                   [&](mlir::OpBuilder& body, Value element, mlir::ValueRange carried, mlir::ValueRange at) {
                     return Step(body, element, carried, at);
                   });
    Replace(scanned, indices);
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

  // Whether it must be carried if there was an element yet: to choose the first one that counts, or to say
  // what stands for none where a condition decides that.
  void FindFlag() {
    Value if_empty = reduce_.getIfEmpty();
    mlir::TypedAttr constant;
    mlir::Builder builder(reduce_.getContext());
    bool is_identity = if_empty && mlir::matchPattern(if_empty, mlir::m_Constant(&constant)) &&
                       constant == Identity(builder, reduce_.getKind(), carried_);
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    has_flag_ = chooses_ || gives_position_ || (yield.getCondition() && if_empty && !is_identity);
  }

  Value Truth(mlir::OpBuilder& body, bool value) {
    return arith::ConstantOp::create(body, loc_, body.getBoolAttr(value));
  }

  SmallVector<Value> Step(mlir::OpBuilder& body, Value element, mlir::ValueRange carried,
                          mlir::ValueRange indices) {
    mlir::IRMapping mapping;
    for (auto [old, index] : llvm::zip_equal(elements_.indices, indices)) mapping.map(old, index);
    for (mlir::Operation* op : elements_.needed) body.clone(*op, mapping);
    mapping.map(reduce_.getBody().getArgument(0), element);
    mlir::Block& inner = reduce_.getBody().front();
    for (mlir::Operation& op : inner.without_terminator()) body.clone(op, mapping);
    auto yield = mlir::cast<ir::YieldOp>(inner.getTerminator());
    Value value = Carried(body, loc_, carried_, mapping.lookupOrDefault(yield.getValues()[0]));
    Value counts = yield.getCondition() ? mapping.lookupOrDefault(yield.getCondition()) : Value();
    SmallVector<Value> next{Combine(body, loc_, reduce_.getKind(), carried[0], value)};
    if (gives_position_) next.push_back(arith::IndexCastOp::create(body, loc_, body.getI64Type(), element));
    if (Value takes = Takes(body, carried, value, counts))
      for (auto [after, before] : llvm::zip(next, carried))
        after = arith::SelectOp::create(body, loc_, takes, after, before);
    if (has_flag_) {
      if (!counts) counts = Truth(body, true);
      next.push_back(arith::OrIOp::create(body, loc_, carried.back(), counts));
    }
    return next;
  }

  // Whether the element changes what is carried; null: always.
  Value Takes(mlir::OpBuilder& body, mlir::ValueRange carried, Value value, Value counts) {
    Value wins;
    bool keeps = chooses_ && (reduce_.getKind() == ir::ReduceKind::first) != prefix_.is_down;
    if (gives_position_ || keeps)
      wins = arith::XOrIOp::create(body, loc_, carried.back(), Truth(body, true));  // none so far
    if (gives_position_) {
      // Of equal ones the first: where elements come from behind, the later step.
      bool largest = reduce_.getKind() == ir::ReduceKind::argmax;
      Value better = IsBetter(body, loc_, value, carried[0], largest);
      if (prefix_.is_down)
        better = arith::XOrIOp::create(body, loc_, IsBetter(body, loc_, carried[0], value, largest),
                                       Truth(body, true));
      wins = arith::OrIOp::create(body, loc_, wins, better);
    }
    if (!wins || !counts) return wins ? wins : counts;
    return arith::AndIOp::create(body, loc_, counts, wins);
  }

  void Replace(llvm::ArrayRef<Value> scanned, llvm::ArrayRef<Value> indices) {
    mlir::OpBuilder at(reduce_);
    auto read = [&](Value tensor, Value none) { return ReadCarried(at, prefix_, tensor, indices, none); };
    Value if_empty = reduce_.getIfEmpty(), result;
    if (gives_position_) {
      Value zero = arith::ConstantIntOp::create(at, loc_, at.getI64Type(), 0);
      Value place = arith::IndexCastOp::create(at, loc_, at.getIndexType(), read(scanned[1], zero));
      result = arith::SubIOp::create(at, loc_, place, reduce_.getLower()[0]);
    } else {
      Value none = arith::ConstantOp::create(at, loc_, identity_);
      if (if_empty && !has_flag_) none = Carried(at, loc_, carried_, if_empty);
      result = Carried(at, loc_, reduce_.getType(), read(scanned[0], none));
    }
    if (has_flag_ && if_empty)
      result = arith::SelectOp::create(at, loc_, read(scanned.back(), Truth(at, false)), result, if_empty);
    reduce_.getResult().replaceAllUsesWith(result);
    reduce_->erase();
  }

  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  mlir::Location loc_;
  Prefix prefix_;
  Elements elements_;
  mlir::Type carried_;
  mlir::TypedAttr identity_;
  std::optional<int64_t> each_;  // what every element is, of a sum of equal numbers
  bool chooses_ = false, gives_position_ = false;
  bool has_flag_ = false;  // the last thing that is carried says whether there was an element yet
};

struct ScanPrefixesPass : impl::ScanPrefixesBase<ScanPrefixesPass> {
  using ScanPrefixesBase::ScanPrefixesBase;

  void runOnOperation() override {
    ScanExponentialSums(getOperation(), explain);
    SeparateRanges(getOperation());
    RewriteReductions<Scan>(getOperation(), explain);
  }
};

}  // namespace
}  // namespace weft::passes
