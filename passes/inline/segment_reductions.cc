#include "compiler/ir/scatter_ops.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/linear_form.h"
#include "passes/inline/passes.h"
#include "passes/inline/rewrite_reductions.h"

// `sum(e where dst[e] == n) x[e]`, for every n, looks at each e once per n. Where the e are listed by dst[e],
// the reduction for n walks its own part of the list alone, in the order of e as before.

namespace weft::passes {

#define GEN_PASS_DEF_SEGMENTREDUCTIONS
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Where there are fewer segments, or fewer pairs of an element and a segment, looking at all is cheaper.
constexpr int64_t kFewestSegments = 8;
constexpr int64_t kFewestPairs = 16384;

bool IsTrue(Value value) { return mlir::matchPattern(value, mlir::m_One()); }
bool IsZero(Value value) {
  return mlir::matchPattern(value, mlir::m_Zero()) || mlir::matchPattern(value, mlir::m_AnyZeroFloat());
}

// `segment == key`, where an index of the equation is the segment and the key knows nothing of it.
struct Equality {
  Value conjunct;
  mlir::BlockArgument segment;
  LinearForm key;
  llvm::SetVector<Value> indices;  // of the key
};

class Segmentation {
 public:
  Segmentation(ir::EquationOp equation, ir::ReduceOp reduce)
      : equation_(equation),
        reduce_(reduce),
        yield_(mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator())),
        builder_(equation),
        loc_(reduce.getLoc()) {}

  // Whether its condition compares data with an index at all.
  bool IsCandidate() {
    FindEqualities();
    return !equalities_.empty();
  }

  // `why` says what is missing.
  bool Matches(llvm::StringRef& why) {
    ChooseEqualities();
    if (!FindRanges(why) || !FindBatch(why)) return false;
    if (GivesPosition() && (first_ != 0 || last_ + 1 != reduce_.getLower().size())) {
      why = "the position is among more indices than the condition mentions";
      return false;
    }
    return IsWorthwhile(why);
  }

  void Explain(bool matches, llvm::StringRef why) {
    SmallVector<llvm::StringRef> elements, segments;
    for (mlir::BlockArgument index : reduce_.getBody().getArguments()) elements.push_back(NameOf(index));
    for (const Equality& equality : chosen_) segments.push_back(NameOf(equality.segment));
    mlir::InFlightDiagnostic remark = mlir::emitRemark(loc_) << ir::stringifyReduceKind(reduce_.getKind())
                                                             << " over " << llvm::join(elements, ", ");
    if (matches) {
      remark << ": once for each, by " << llvm::join(segments, ", ");
    } else {
      remark << ": all of them for every " << llvm::join(segments, ", ") << ", because " << why;
    }
  }

  void Run() {
    count_ = Product(ranges_);
    MakeKeys();
    MakeSegments();
    Replace();
  }

 private:
  // ---- Matching

  void FindEqualities() {
    llvm::SetVector<Value> conjuncts;
    if (yield_.getCondition()) CollectConjuncts(yield_.getCondition(), conjuncts);
    Value value = yield_.getValues()[0];
    if (reduce_.getKind() == ir::ReduceKind::any) CollectConjuncts(value, conjuncts);
    // A count is a sum of ones and zeros.
    if (auto select = value.getDefiningOp<arith::SelectOp>();
        select && reduce_.getKind() == ir::ReduceKind::sum && !mlir::isa<mlir::FloatType>(value.getType()) &&
        IsZero(select.getFalseValue()))
      CollectConjuncts(select.getCondition(), conjuncts);
    for (Value conjunct : conjuncts) AddEqualities(conjunct);
  }

  // One for each index of the equation that the comparison can be solved for.
  void AddEqualities(Value conjunct) {
    auto compare = conjunct.getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq ||
        !reduce_->isProperAncestor(compare) || !HoldsNumbers(compare.getLhs().getType()))
      return;
    LinearForm lhs = LinearFormOf(compare.getLhs()), rhs = LinearFormOf(compare.getRhs());
    LinearForm difference = lhs;
    difference.constant -= rhs.constant;
    for (const LinearForm::Term& term : rhs.terms) difference.terms.push_back({term.atom, -term.coefficient});
    for (const LinearForm::Term& term : difference.terms) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(term.atom);
      if (!index || index.getOwner() != &equation_.getBody().front() || std::abs(term.coefficient) != 1)
        continue;
      Equality equality = {conjunct, index, {}, {}};
      equality.key.constant = -term.coefficient * difference.constant;
      bool own = false, data = false;
      for (const LinearForm::Term& other : difference.terms) {
        if (&other == &term) continue;
        equality.key.terms.push_back({other.atom, -term.coefficient * other.coefficient});
        for (Value used : IndicesOf(other.atom)) {
          equality.indices.insert(used);
          own |= IsOwn(used);
        }
        data |= DependsOnRead(other.atom, reduce_);
      }
      if (own && data && !equality.indices.contains(index)) equalities_.push_back(equality);
    }
  }

  static bool HoldsNumbers(mlir::Type type) { return type.isIndex() || type.isInteger(64); }

  bool IsOwn(Value index) {
    return mlir::cast<mlir::BlockArgument>(index).getOwner() == &reduce_.getBody().front();
  }

  bool GivesPosition() {
    return reduce_.getKind() == ir::ReduceKind::argmax || reduce_.getKind() == ir::ReduceKind::argmin;
  }

  // As many as go together: none of them tells where another one's segment lies.
  void ChooseEqualities() {
    for (const Equality& equality : equalities_) {
      bool fits = llvm::none_of(chosen_, [&](const Equality& other) {
        return other.segment == equality.segment || other.conjunct == equality.conjunct ||
               other.indices.contains(equality.segment) || equality.indices.contains(other.segment);
      });
      if (fits) chosen_.push_back(equality);
    }
  }

  // The ranges that are walked by segments: from the first to the last that a key depends on.
  bool FindRanges(llvm::StringRef& why) {
    first_ = reduce_.getLower().size();
    last_ = 0;
    for (const Equality& equality : chosen_)
      for (Value index : equality.indices)
        if (IsOwn(index)) {
          size_t position = mlir::cast<mlir::BlockArgument>(index).getArgNumber();
          first_ = std::min(first_, position);
          last_ = std::max(last_, position);
        }
    for (size_t i = first_; i <= last_; ++i) {
      OpFoldResult lower = KnownOutside(reduce_.getLower()[i]), upper = KnownOutside(reduce_.getUpper()[i]);
      if (!lower || !upper) {
        why = "its range depends on an index";
        return false;
      }
      lower_.push_back(lower);
      ranges_.push_back(Length(lower, upper));
    }
    return true;
  }

  // A number, or a value that is known before the equation; null for others.
  OpFoldResult KnownOutside(Value value) {
    if (auto number = mlir::getConstantIntValue(value)) return builder_.getIndexAttr(*number);
    mlir::Operation* op = value.getDefiningOp();
    if (!op) op = value.getParentBlock()->getParentOp();
    return equation_->isAncestor(op) ? OpFoldResult() : OpFoldResult(value);
  }

  bool FindBatch(llvm::StringRef& why) {
    llvm::SetVector<Value> used;
    for (const Equality& equality : chosen_)
      for (Value index : equality.indices)
        if (!IsOwn(index)) used.insert(index);
    for (Value index : equation_.getBody().getArguments())
      if (used.remove(index)) batch_.push_back(mlir::cast<mlir::BlockArgument>(index));
    // What is left: reductions around this one, and the step of a loop, which is outside.
    for (Value index : used)
      if (equation_->isProperAncestor(mlir::cast<mlir::BlockArgument>(index).getOwner()->getParentOp())) {
        why = "the condition depends on an index of a reduction around it";
        return false;
      }
    return true;
  }

  bool IsWorthwhile(llvm::StringRef& why) {
    for (const Equality& equality : chosen_)
      segments_.push_back(ExtentsOf(equation_)[equality.segment.getArgNumber()]);
    std::optional<int64_t> segments = Number(segments_), elements = Number(ranges_);
    bool few = segments && *segments < kFewestSegments;
    few |= segments && elements && *segments * *elements < kFewestPairs;
    if (few) why = "there are so few that looking at all is cheaper";
    return !few;
  }

  static std::optional<int64_t> Number(llvm::ArrayRef<OpFoldResult> sizes) {
    int64_t product = 1;
    for (OpFoldResult size : sizes) {
      std::optional<int64_t> number = mlir::getConstantIntValue(size);
      if (!number) return std::nullopt;
      product *= *number;
    }
    return product;
  }

  // ---- Sizes, written before the equation

  OpFoldResult Length(OpFoldResult lower, OpFoldResult upper) {
    std::optional<int64_t> from = mlir::getConstantIntValue(lower), to = mlir::getConstantIntValue(upper);
    if (from && to) return builder_.getIndexAttr(std::max<int64_t>(0, *to - *from));
    if (from == 0 && RangeOf(mlir::cast<Value>(upper)).lo >= 0) return upper;
    Value length =
        arith::SubIOp::create(builder_, loc_, AsIndex(builder_, loc_, upper), AsIndex(builder_, loc_, lower));
    Value zero = arith::ConstantIndexOp::create(builder_, loc_, 0);
    return arith::MaxSIOp::create(builder_, loc_, length, zero).getResult();
  }

  OpFoldResult Product(llvm::ArrayRef<OpFoldResult> sizes) {
    if (sizes.size() == 1) return sizes[0];
    if (std::optional<int64_t> number = Number(sizes)) return builder_.getIndexAttr(*number);
    Value product;
    for (OpFoldResult size : sizes) {
      Value factor = AsIndex(builder_, loc_, size);
      product = product ? arith::MulIOp::create(builder_, loc_, product, factor).getResult() : factor;
    }
    return product;
  }

  OpFoldResult OneMore(OpFoldResult size) {
    if (std::optional<int64_t> number = mlir::getConstantIntValue(size))
      return builder_.getIndexAttr(*number + 1);
    Value one = arith::ConstantIndexOp::create(builder_, loc_, 1);
    return arith::AddIOp::create(builder_, loc_, mlir::cast<Value>(size), one).getResult();
  }

  // ---- Keys and segments

  llvm::StringRef NameOf(mlir::BlockArgument index) {
    mlir::ArrayAttr names = IsOwn(index) ? reduce_.getNames() : equation_.getNames();
    return mlir::cast<mlir::StringAttr>(names[index.getArgNumber()]).getValue();
  }

  std::string NameOfElements() {
    SmallVector<llvm::StringRef> names;
    for (size_t i = first_; i <= last_; ++i) names.push_back(NameOf(reduce_.getBody().getArgument(i)));
    return llvm::join(names, "_");
  }

  SmallVector<OpFoldResult> BatchExtents() {
    return llvm::map_to_vector(
        batch_, [&](mlir::BlockArgument index) { return ExtentsOf(equation_)[index.getArgNumber()]; });
  }

  // One i64 per element: the number of its segment, or one that no segment has.
  void MakeKeys() {
    keys_ = KeysAsGiven();
    if (keys_) return;
    SmallVector<OpFoldResult> extents = BatchExtents();
    extents.push_back(count_);
    SmallVector<mlir::Attribute> names;
    for (mlir::BlockArgument index : batch_) names.push_back(builder_.getStringAttr(NameOf(index)));
    names.push_back(builder_.getStringAttr(NameOfElements()));
    auto keys =
        CreateEquation(builder_, PartOf(LabelOf(equation_), "key"), extents, names, builder_.getI64Type(),
                       [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                         mlir::IRMapping mapping;
                         for (auto [old, index] : llvm::zip(batch_, indices)) mapping.map(old, index);
                         MapElement(body, mapping, indices.back());
                         return {Key(body, mapping)};
                       });
    keys_ = keys->getResult(0);
  }

  // The tensor that holds the keys as they are, if one does.
  Value KeysAsGiven() {
    if (chosen_.size() != 1 || first_ != last_ || chosen_[0].key.terms.size() != 1) return {};
    const LinearForm& form = chosen_[0].key;
    auto read = form.terms[0].atom.getDefiningOp<ir::ReadOp>();
    if (!read || form.constant != 0 || form.terms[0].coefficient != 1 || !IsInside(read) ||
        !read.getType().isInteger(64) || mlir::getConstantIntValue(lower_[0]) != 0)
      return {};
    SmallVector<Value> indices(batch_.begin(), batch_.end());
    indices.push_back(reduce_.getBody().getArgument(first_));
    SmallVector<OpFoldResult> extents = BatchExtents();
    extents.push_back(count_);
    if (llvm::to_vector(read.getSubscripts()) != indices || KnownOutside(read.getTensor()).isNull())
      return {};
    for (auto [axis, extent] : llvm::enumerate(extents))
      if (!AxisHasSize(read.getTensor(), static_cast<int64_t>(axis), extent)) return {};
    return read.getTensor();
  }

  // Gives the reduction's indices their values at an element, which counts all of them in row-major order.
  void MapElement(mlir::OpBuilder& body, mlir::IRMapping& mapping, Value element) {
    for (size_t i = last_ + 1; i-- > first_;) {
      Value digit = element;
      if (i > first_) {
        Value range = AsIndex(body, loc_, ranges_[i - first_]);
        digit = arith::RemUIOp::create(body, loc_, element, range);
        element = arith::DivUIOp::create(body, loc_, element, range);
      }
      if (mlir::getConstantIntValue(lower_[i - first_]) != 0)
        digit = arith::AddIOp::create(body, loc_, digit, AsIndex(body, loc_, lower_[i - first_]));
      mapping.map(reduce_.getBody().getArgument(i), digit);
    }
  }

  Value Key(mlir::OpBuilder& body, mlir::IRMapping& mapping) {
    mlir::Type i64 = body.getI64Type();
    Value number, inside;
    for (auto [equality, extent] : llvm::zip_equal(chosen_, segments_)) {
      LinearForm form = equality.key;
      for (LinearForm::Term& term : form.terms) {
        // Of all elements, also where the equation would not have asked.
        term.atom = CloneGuarded(body, term.atom, equation_, mapping);
      }
      Value key = WriteForm(body, loc_, form, i64);
      if (chosen_.size() == 1) return key;
      Value size = arith::IndexCastOp::create(body, loc_, i64, AsIndex(body, loc_, extent));
      Value fits = arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::ult, key, size);
      inside = inside ? arith::AndIOp::create(body, loc_, inside, fits).getResult() : fits;
      number = number
                   ? arith::AddIOp::create(body, loc_, arith::MulIOp::create(body, loc_, number, size), key)
                         .getResult()
                   : key;
    }
    Value none = arith::ConstantOp::create(body, loc_, body.getI64IntegerAttr(-1));
    return arith::SelectOp::create(body, loc_, inside, number, none);
  }

  void MakeSegments() {
    OpFoldResult starts = OneMore(Product(segments_));
    auto keys = mlir::cast<mlir::RankedTensorType>(keys_.getType());
    SmallVector<int64_t> shape(keys.getShape());
    std::optional<int64_t> number = mlir::getConstantIntValue(starts);
    shape.back() = number.value_or(mlir::ShapedType::kDynamic);
    SmallVector<Value> sizes;
    for (bool of_starts : {false, true}) {
      SmallVector<OpFoldResult> extents = BatchExtents();
      extents.push_back(of_starts ? starts : count_);
      llvm::ArrayRef<int64_t> known = of_starts ? llvm::ArrayRef(shape) : keys.getShape();
      for (auto [size, extent] : llvm::zip_equal(known, extents))
        if (mlir::ShapedType::isDynamic(size)) sizes.push_back(AsIndex(builder_, loc_, extent));
    }
    EquationLabel label = PartOf(LabelOf(equation_), "segments");
    mlir::Location location = label.path ? mlir::NameLoc::get(label.path, loc_) : loc_;
    auto segments = ir::SegmentsOp::create(
        builder_, location, keys, mlir::RankedTensorType::get(shape, keys.getElementType()), keys_, sizes);
    order_ = segments.getOrder();
    starts_ = segments.getStarts();
  }

  // ---- The reduction over one segment

  Value ReadIndex(mlir::OpBuilder& builder, Value tensor, Value at, Value fill = {}) {
    SmallVector<Value> subscripts(batch_.begin(), batch_.end());
    subscripts.push_back(at);
    SmallVector<ir::Outside> outside(subscripts.size(), ir::Outside::inside);
    if (fill) outside.back() = ir::Outside::fill;
    Value number = CreateRead(builder, loc_, tensor, subscripts, outside, fill);
    return arith::IndexCastOp::create(builder, loc_, builder.getIndexType(), number);
  }

  void Replace() {
    mlir::OpBuilder at(reduce_);
    Value segment;
    for (auto [equality, extent] : llvm::zip_equal(chosen_, segments_)) {
      Value digit = equality.segment;
      if (segment) {
        Value scaled = arith::MulIOp::create(at, loc_, segment, AsIndex(at, loc_, extent));
        digit = arith::AddIOp::create(at, loc_, scaled, digit);
      }
      segment = digit;
    }
    Value one = arith::ConstantIndexOp::create(at, loc_, 1);
    Value begin = ReadIndex(at, starts_, segment);
    Value end = ReadIndex(at, starts_, arith::AddIOp::create(at, loc_, segment, one));
    ir::ReduceOp walked = Walk(at, begin, end);
    if (walked.getBody().getArgument(first_).use_empty()) BoundBySize(walked);
    Value result = walked.getResult();
    if (Value counted = Count(at, walked, begin, end)) {
      result = counted;
    } else if (GivesPosition()) {
      result = Position(at, walked, begin);
    }
    reduce_.replaceAllUsesWith(result);
    reduce_->erase();
    if (result != walked.getResult() && walked->use_empty()) walked->erase();
  }

  // Where no element is read, nothing else would say how far the walk can go.
  void BoundBySize(ir::ReduceOp walked) {
    mlir::OpBuilder before(walked);
    mlir::OpOperand &lower = walked.getLowerMutable()[first_], &upper = walked.getUpperMutable()[first_];
    Value zero = arith::ConstantIndexOp::create(before, loc_, 0), size = AsIndex(before, loc_, count_);
    lower.set(arith::MaxSIOp::create(before, loc_, lower.get(), zero));
    upper.set(arith::MinSIOp::create(before, loc_, upper.get(), size));
  }

  ir::ReduceOp Walk(mlir::OpBuilder& builder, Value begin, Value end) {
    SmallVector<Value> lower, upper;
    SmallVector<llvm::StringRef> names;
    std::string name = NameOfElements();
    for (size_t i = 0; i < reduce_.getLower().size(); ++i) {
      if (i > first_ && i <= last_) continue;
      bool walked = i == first_;
      lower.push_back(walked ? begin : reduce_.getLower()[i]);
      upper.push_back(walked ? end : reduce_.getUpper()[i]);
      names.push_back(walked ? llvm::StringRef(name) : NameOf(reduce_.getBody().getArgument(i)));
    }
    return ir::ReduceOp::create(
        builder, loc_, reduce_.getType(), reduce_.getKind(), lower, upper, names, reduce_.getIfEmpty(),
        [&](mlir::OpBuilder& body, mlir::Location, mlir::ValueRange indices) {
          mlir::IRMapping mapping;
          size_t next = 0;
          for (size_t i = 0; i < reduce_.getLower().size(); ++i) {
            if (i > first_ && i <= last_) continue;
            Value index = indices[next++];
            if (i == first_) {
              MapElement(body, mapping, ReadIndex(body, order_, index));
            } else {
              mapping.map(reduce_.getBody().getArgument(i), index);
            }
          }
          Value yes = arith::ConstantOp::create(body, loc_, body.getBoolAttr(true));
          for (const Equality& equality : chosen_) mapping.map(equality.conjunct, yes);
          CloneKnowing(body, reduce_.getBody().front(), mapping);
          Value condition = yield_.getCondition();
          if (condition) condition = mapping.lookupOrDefault(condition);
          if (condition && IsTrue(condition)) condition = {};
          auto yield = ir::YieldOp::create(
              body, loc_, mlir::ValueRange{mapping.lookupOrDefault(yield_.getValues()[0])}, condition);
          EraseUnused(*yield->getBlock());
        });
  }

  // Clones what stands in `block`; what is known to hold is asked no more.
  void CloneKnowing(mlir::OpBuilder& body, mlir::Block& block, mlir::IRMapping& mapping) {
    for (mlir::Operation& op : block.without_terminator()) {
      if (op.getNumResults() > 0 && mapping.contains(op.getResult(0))) continue;
      if (auto both = mlir::dyn_cast<arith::AndIOp>(op)) {
        Value lhs = mapping.lookupOrDefault(both.getLhs()), rhs = mapping.lookupOrDefault(both.getRhs());
        if (IsTrue(lhs) || IsTrue(rhs)) {
          mapping.map(both.getResult(), IsTrue(lhs) ? rhs : lhs);
          continue;
        }
      }
      if (auto select = mlir::dyn_cast<arith::SelectOp>(op);
          select && IsTrue(mapping.lookupOrDefault(select.getCondition()))) {
        mapping.map(select.getResult(), mapping.lookupOrDefault(select.getTrueValue()));
        continue;
      }
      if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(op);
          branch && IsTrue(mapping.lookupOrDefault(branch.getCondition()))) {
        CloneKnowing(body, branch.getThenRegion().front(), mapping);
        for (auto [result, value] : llvm::zip_equal(branch.getResults(), branch.thenYield().getOperands()))
          mapping.map(result, mapping.lookupOrDefault(value));
        continue;
      }
      body.clone(op, mapping);
    }
  }

  static void EraseUnused(mlir::Block& block) {
    SmallVector<mlir::Operation*> ops;
    for (mlir::Operation& op : block.without_terminator()) ops.push_back(&op);
    for (mlir::Operation* op : llvm::reverse(ops))
      if (op->use_empty() && mlir::isMemoryEffectFree(op)) op->erase();
  }

  // How many there are need not be counted.
  Value Count(mlir::OpBuilder& builder, ir::ReduceOp walked, Value begin, Value end) {
    auto yield = mlir::cast<ir::YieldOp>(walked.getBody().front().getTerminator());
    mlir::Type type = walked.getType();
    mlir::APInt each;
    if (yield.getCondition() || walked.getIfEmpty() || walked.getLower().size() != 1 ||
        !mlir::matchPattern(yield.getValues()[0], mlir::m_ConstantInt(&each)))
      return {};
    if (walked.getKind() == ir::ReduceKind::any && each.isOne())
      return arith::CmpIOp::create(builder, loc_, arith::CmpIPredicate::sgt, end, begin);
    if (walked.getKind() != ir::ReduceKind::sum || !each.isOne() || !HoldsNumbers(type)) return {};
    Value length = arith::SubIOp::create(builder, loc_, end, begin);
    return type.isIndex() ? length : arith::IndexCastOp::create(builder, loc_, type, length).getResult();
  }

  // Of argmax and argmin: among all elements, where the walk gives one in its segment.
  Value Position(mlir::OpBuilder& builder, ir::ReduceOp walked, Value begin) {
    Value if_empty = reduce_.getIfEmpty();
    if (if_empty) {
      Value none = arith::ConstantIndexOp::create(builder, loc_, -1);
      none.getDefiningOp()->moveBefore(walked);
      walked.getIfEmptyMutable().assign(none);
    }
    Value at = arith::AddIOp::create(builder, loc_, begin, walked.getResult());
    Value zero = arith::ConstantOp::create(builder, loc_, builder.getI64IntegerAttr(0));
    Value position = ReadIndex(builder, order_, at, zero);
    if (!if_empty) return position;
    Value nothing = arith::ConstantIndexOp::create(builder, loc_, 0);
    Value found =
        arith::CmpIOp::create(builder, loc_, arith::CmpIPredicate::sge, walked.getResult(), nothing);
    return arith::SelectOp::create(builder, loc_, found, position, if_empty);
  }

  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  ir::YieldOp yield_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  SmallVector<Equality> equalities_, chosen_;
  size_t first_ = 0, last_ = 0;               // of the reduction's ranges
  SmallVector<OpFoldResult> lower_, ranges_;  // of those: where they begin, and their lengths
  SmallVector<OpFoldResult> segments_;        // per chosen equality, how many
  SmallVector<mlir::BlockArgument> batch_;    // indices of the equation that keys depend on
  OpFoldResult count_;                        // of elements
  Value keys_, order_, starts_;
};

bool IsFullSort(ir::SortOp sort) {
  auto order = mlir::cast<mlir::RankedTensorType>(sort.getOrder().getType());
  int64_t last = order.getRank() - 1;
  return AxisHasSize(sort.getKeys(), last, KnownSize(sort.getOrder(), last));
}

// The sort that gives `tensor`, element by element.
ir::SortOp SortBehindCopies(Value tensor) {
  while (ir::EquationOp copy = DefiningEquation(tensor)) {
    Value value = YieldedValue(copy, 0);
    while (auto cast = value.getDefiningOp<arith::IndexCastOp>()) value = cast.getIn();
    auto read = value.getDefiningOp<ir::ReadOp>();
    if (!read || copy->getNumResults() != 1 || !IsInside(read) ||
        !llvm::equal(read.getSubscripts(), copy.getBody().getArguments()))
      return nullptr;
    for (auto [axis, extent] : llvm::enumerate(ExtentsOf(copy)))
      if (!AxisHasSize(read.getTensor(), static_cast<int64_t>(axis), extent)) return nullptr;
    tensor = read.getTensor();
  }
  return tensor.getDefiningOp<ir::SortOp>();
}

// The order of a permutation is its inverse, which a counting sort gives.
bool InvertPermutation(ir::SortOp sort) {
  ir::SortOp keys = SortBehindCopies(sort.getKeys());
  if (!keys || !IsFullSort(keys) || !IsFullSort(sort) || sort.getDescending()) return false;
  mlir::OpBuilder builder(sort);
  auto order = mlir::cast<mlir::RankedTensorType>(sort.getOrder().getType());
  SmallVector<int64_t> shape(order.getShape());
  SmallVector<Value> sizes(sort.getSizes());
  int64_t last = order.getRank() - 1;
  if (order.isDynamicDim(last)) {
    Value one = arith::ConstantIndexOp::create(builder, sort.getLoc(), 1);
    llvm::append_range(sizes, sort.getSizes());
    sizes.back() = arith::AddIOp::create(builder, sort.getLoc(), sizes.back(), one);
  } else {
    llvm::append_range(sizes, sort.getSizes());
    ++shape.back();
  }
  auto segments = ir::SegmentsOp::create(builder, sort.getLoc(), order,
                                         mlir::RankedTensorType::get(shape, order.getElementType()),
                                         sort.getKeys(), sizes);
  sort.getResult().replaceAllUsesWith(segments.getOrder());
  sort->erase();
  return true;
}

struct SegmentReductionsPass : impl::SegmentReductionsBase<SegmentReductionsPass> {
  using SegmentReductionsBase::SegmentReductionsBase;

  void runOnOperation() override {
    RewriteReductions<Segmentation>(getOperation(), explain);
    for (ir::SortOp sort : llvm::to_vector(getOperation().getOps<ir::SortOp>())) {
      mlir::Location location = sort.getLoc();
      bool inverted = InvertPermutation(sort);
      if (inverted && explain)
        mlir::emitRemark(location) << "sort of a permutation: its inverse, by counting";
    }
  }
};

}  // namespace
}  // namespace weft::passes
