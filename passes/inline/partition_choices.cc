#include "compiler/ir/choice.h"
#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/until.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/inline/passes.h"

// `y[r] = [f(x[r]), g(x[r])][k[r]]` computes f and g of every row as it stands. Where the rows are listed by
// k[r], f and g go through the rows of their own alone. Without an index, only what is chosen is computed.

namespace weft::passes {

#define GEN_PASS_DEF_PARTITIONCHOICES
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// What an element must take, in additions for one of its values, to be worth a list of its rows; and what all
// elements must take together, for all rows or, where there are none, once.
constexpr double kCheapest = 16;
constexpr double kLeastWork = 65536;
constexpr double kLeastWorkOnce = 16384;
// Stands for a size that is not a number.
constexpr int64_t kUnknown = 256;

// One element of the list: what stands in its branch, and what is computed for it alone before.
struct Element {
  mlir::Block* block;
  Value value;
  int64_t first, last;  // chosen by first..last
  llvm::SetVector<mlir::Operation*> own;
  double cost = 0;  // of a row, or of all where there are none
  bool is_costly = false;
  Value rows;     // their numbers
  Value results;  // its values, one row after the other
};

class Choice {
 public:
  Choice(ir::EquationOp equation, mlir::scf::IfOp branch)
      : equation_(equation), branch_(branch), builder_(equation), loc_(branch.getLoc()) {}

  // `why` says what is missing.
  bool Matches(llvm::StringRef& why) {
    CollectElements();
    if (!FindRows(why)) return false;
    for (Element& element : elements_) Assess(element);
    return FindRest(why) && IsWorthwhile(why);
  }

  void Explain(bool matches, llvm::StringRef why) {
    SmallVector<std::string> names;
    for (Value index : rows_) names.push_back(mlir::cast<mlir::StringAttr>(NameOf(index)).str());
    std::string over = llvm::join(names, ", ");
    mlir::InFlightDiagnostic remark = mlir::emitRemark(loc_) << "choice among " << Count() << ": ";
    if (matches && rows_.empty()) {
      remark << "what is chosen alone";
    } else if (matches) {
      remark << "each of its own " << over << " alone";
    } else {
      remark << "all of them" << (rows_.empty() ? "" : " for every ") << over << ", because " << why;
    }
  }

  void Run() {
    if (rows_.empty()) {
      RunBranches();
    } else {
      SortRows();
      for (Element& element : elements_)
        if (element.is_costly) ComputeRows(element);
    }
    for (Element& element : elements_)
      if (element.is_costly) Replace(element);
    for (Element& element : elements_)
      if (element.is_costly)
        for (mlir::Operation* op : llvm::reverse(element.own)) op->erase();
  }

 private:
  int64_t Count() const { return elements_.back().last; }

  // ---- Matching

  Value Selector() { return branch_.getCondition().getDefiningOp<arith::CmpIOp>().getLhs(); }

  bool Asks(Value condition, int64_t number) {
    auto compare = condition.getDefiningOp<arith::CmpIOp>();
    return compare && compare.getPredicate() == arith::CmpIPredicate::eq && compare.getLhs() == Selector() &&
           mlir::getConstantIntValue(compare.getRhs()) == number;
  }

  // The branches of `if k == 0 ... else if k == 1 ... else ...`.
  void CollectElements() {
    int64_t count = branch_->getAttrOfType<mlir::IntegerAttr>(ir::kChoice).getInt();
    mlir::scf::IfOp branch = branch_;
    for (int64_t number = 0;; ++number) {
      elements_.push_back(
          {branch.thenBlock(), branch.thenYield().getOperand(0), number, number + 1, {}, 0, false, {}, {}});
      Value rest = branch.elseYield().getOperand(0);
      auto next = rest.getDefiningOp<mlir::scf::IfOp>();
      if (!next || next->getBlock() != branch.elseBlock() || number + 2 >= count ||
          !Asks(next.getCondition(), number + 1)) {
        elements_.push_back({branch.elseBlock(), rest, number + 1, count, {}, 0, false, {}, {}});
        return;
      }
      branch = next;
    }
  }

  // Of the equation and of reductions in it.
  SmallVector<Value> OwnIndices(Value value) {
    SmallVector<Value> indices = OrderedIndices(value, equation_);
    llvm::erase_if(indices, [&](Value index) {
      return !equation_->isAncestor(mlir::cast<mlir::BlockArgument>(index).getOwner()->getParentOp());
    });
    return indices;
  }

  // The indices that the selector depends on.
  bool FindRows(llvm::StringRef& why) {
    for (mlir::Operation* op = branch_->getParentOp(); op != equation_; op = op->getParentOp())
      if (!mlir::isa<ir::ReduceOp>(op)) why = "it stands in a branch";
    rows_ = OwnIndices(Selector());
    for (Value index : rows_) {
      OpFoldResult extent = ExtentOf(index, equation_);
      if (!extent) why = "it depends on an index that does not count from 0 to a size";
      row_extents_.push_back(extent);
    }
    return why.empty();
  }

  void Assess(Element& element) {
    CollectOwn(element);
    for (mlir::Operation* op : SliceOf(element.value, equation_)) element.cost += CostOf(op, kUnknown);
    element.cost *= Points(Others(OwnIndices(element.value)));
    for (mlir::Operation* op : element.own)
      element.cost += CostOfAll(op) / (rows_.empty() ? 1 : Points(rows_));
  }

  static double Points(llvm::ArrayRef<OpFoldResult> extents) {
    double points = 1;
    for (OpFoldResult extent : extents)
      points *= extent ? static_cast<double>(mlir::getConstantIntValue(extent).value_or(kUnknown)) : kUnknown;
    return points;
  }
  double Points(llvm::ArrayRef<Value> indices) {
    return Points(llvm::map_to_vector(
        indices, [&](Value index) -> OpFoldResult { return ExtentOf(index, equation_); }));
  }

  static double CostOfAll(mlir::Operation* op) {
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(op))
      return CostPerPoint(equation, kUnknown) * Points(ExtentsOf(equation));
    double cost = 0;
    op->walk([&](ir::EquationOp equation) { cost += CostOfAll(equation); });
    if (auto loop = mlir::dyn_cast<ir::LoopOp>(op)) cost *= Points(ExtentsOf(loop));
    if (mlir::isa<ir::SortOp, ir::FilterOp, ir::SegmentsOp>(op)) cost = kCheapest * kUnknown;
    return cost;
  }

  SmallVector<Value> Others(llvm::ArrayRef<Value> indices) {
    SmallVector<Value> others(indices);
    llvm::erase_if(others, [&](Value index) { return llvm::is_contained(rows_, index); });
    return others;
  }

  // What is used for this element alone, each value row by row. What reads of a tensor that is not stays
  // outside, and so does what that needs; so it goes from the equation back, until nothing changes.
  void CollectOwn(Element& element) {
    llvm::DenseSet<mlir::Operation*> refused;
    for (bool changed = true; changed;) {
      changed = false;
      element.own.clear();
      for (mlir::Operation* op = equation_->getPrevNode(); op; op = op->getPrevNode())
        if (!refused.contains(op) && IsOwn(op, element)) element.own.insert(op);
      if (rows_.empty()) break;
      for (mlir::Operation* op : element.own) {
        bool is_view = !mlir::isa<ir::EquationOp>(op);
        bool has_rows = llvm::all_of(op->getOperands(), [&](Value operand) {
          return !mlir::isa<mlir::RankedTensorType>(operand.getType()) ||
                 element.own.contains(operand.getDefiningOp());
        });
        if (is_view && !has_rows) changed |= refused.insert(op).second;
      }
    }
    SmallVector<mlir::Operation*> in_order(llvm::reverse(element.own));
    element.own.clear();
    element.own.insert_range(in_order);
  }

  bool IsOwn(mlir::Operation* op, const Element& element) {
    if (op->getNumResults() == 0 || op->use_empty() || !mlir::isMemoryEffectFree(op)) return false;
    if (rows_.empty())
      return llvm::all_of(op->getUsers(), [&](mlir::Operation* user) { return IsFor(user, element); });
    if (!mlir::isa<ir::EquationOp, mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp,
                   mlir::tensor::ConcatOp, mlir::tensor::CastOp, ir::SortOp>(op))
      return false;
    SmallVector<unsigned> axes;
    for (mlir::OpOperand& use : op->getUses()) {
      SmallVector<unsigned> used;
      if (!IsFor(use.getOwner(), element) || !FindAxes(use, element, used)) return false;
      if (!axes.empty() && axes != used) return false;
      axes = used;
    }
    for (Value result : op->getResults()) {
      for (auto [axis, extent] : llvm::zip_equal(axes, row_extents_))
        if (!AxisHasSize(result, axis, extent)) return false;
      axes_[result] = axes;
    }
    return true;
  }

  bool IsFor(mlir::Operation* user, const Element& element) {
    if (element.block->getParent()->isAncestor(user->getParentRegion())) return true;
    mlir::Operation* whole = equation_->getBlock()->findAncestorOpInBlock(*user);
    return whole && element.own.contains(whole);
  }

  // The axes of a value along which a use of it goes with the rows.
  bool FindAxes(mlir::OpOperand& use, const Element& element, SmallVector<unsigned>& axes) {
    mlir::Operation* user = use.getOwner();
    if (auto read = mlir::dyn_cast<ir::ReadOp>(user)) {
      ir::EquationOp reader = EnclosingEquation(read);
      SmallVector<Value> rows = rows_;
      if (reader != equation_) {
        rows.clear();
        for (unsigned axis : axes_.at(reader->getResult(0)))
          rows.push_back(reader.getBody().getArgument(axis));
      }
      for (Value index : rows) {
        auto place = llvm::find(read.getSubscripts(), index);
        if (place == read.getSubscripts().end()) return false;
        axes.push_back(static_cast<unsigned>(place - read.getSubscripts().begin()));
        if (read.getOutsideAt(axes.back()) != ir::Outside::inside) return false;
      }
      return true;
    }
    if (!element.own.contains(user)) return false;
    axes = axes_.at(user->getResult(0));
    auto along = [&](llvm::ArrayRef<mlir::ReassociationIndices> groups, bool collapses) {
      for (unsigned& axis : axes) {
        size_t group = axis;
        if (!collapses)
          group = llvm::find_if(groups, [&](const auto& g) { return llvm::is_contained(g, axis); }) -
                  groups.begin();
        if (groups[group].size() != 1) return false;
        axis = static_cast<unsigned>(collapses ? groups[group][0] : group);
      }
      return true;
    };
    if (auto collapse = mlir::dyn_cast<mlir::tensor::CollapseShapeOp>(user))
      return along(collapse.getReassociationIndices(), true);
    if (auto expand = mlir::dyn_cast<mlir::tensor::ExpandShapeOp>(user))
      return along(expand.getReassociationIndices(), false);
    if (auto concat = mlir::dyn_cast<mlir::tensor::ConcatOp>(user))
      return !llvm::is_contained(axes, concat.getDim());
    if (auto sort = mlir::dyn_cast<ir::SortOp>(user))
      return !llvm::is_contained(axes, sort.getKeys().getType().getRank() - 1);
    return mlir::isa<mlir::tensor::CastOp>(user);
  }

  // The indices that costly elements depend on besides the rows.
  bool FindRest(llvm::StringRef& why) {
    for (Element& element : elements_) {
      SmallVector<Value> others = Others(OwnIndices(element.value));
      element.is_costly =
          element.cost >= kCheapest * Points(others) && !mlir::isa<mlir::IndexType>(element.value.getType());
      if (!element.is_costly) continue;
      for (Value index : others) {
        if (llvm::is_contained(rest_, index)) continue;
        rest_.push_back(index);
        if (!ExtentOf(index, equation_)) {
          why = "its elements depend on an index that does not count from 0 to a size";
          return false;
        }
      }
    }
    for (Value index : rest_) rest_extents_.push_back(ExtentOf(index, equation_));
    return true;
  }

  bool IsWorthwhile(llvm::StringRef& why) {
    double cost = 0;
    for (const Element& element : elements_)
      if (element.is_costly) cost += element.cost;
    if (cost == 0) {
      why = "they take little";
    } else if (rows_.empty() ? cost < kLeastWorkOnce : cost * Points(rows_) < kLeastWork) {
      why = "there are so few that computing all is cheaper";
    }
    return why.empty();
  }

  // ---- Without rows: a step is made or not

  void RunBranches() {
    Value before;
    for (Element& element : elements_) {
      if (!element.is_costly) continue;
      auto count = Number("taken", [&](mlir::OpBuilder& body) -> Value {
        mlir::IRMapping mapping;
        Value selector = CloneGuarded(body, Selector(), equation_, mapping);
        Value first = arith::ConstantIndexOp::create(body, loc_, element.first);
        Value last = arith::ConstantIndexOp::create(body, loc_, element.last);
        Value inside = arith::AndIOp::create(
            body, loc_, arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::sge, selector, first),
            arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::slt, selector, last));
        return arith::ExtUIOp::create(body, loc_, body.getI64Type(), inside);
      });
      before = RunIf(count, before, element);
    }
    for (Element& element : elements_) element.results = before;
  }

  Value RunIf(Value steps, Value before, Element& element) {
    SmallVector<int64_t> shape;
    SmallVector<Value> sizes;
    for (OpFoldResult extent : rest_extents_) {
      shape.push_back(mlir::isa<mlir::Attribute>(extent) ? *mlir::getConstantIntValue(extent)
                                                         : mlir::ShapedType::kDynamic);
      if (auto size = mlir::dyn_cast<Value>(extent)) sizes.push_back(size);
    }
    auto type = mlir::RankedTensorType::get(shape, element.value.getType());
    SmallVector<Value> from;
    if (before) from.push_back(before);
    ir::LoopStates states{{.given = static_cast<int64_t>(from.size()), .keep = ir::Keep::kLast}};
    states.Number();
    auto side = ir::LoopOp::create(
        builder_, loc_, {type}, ir::LoopOrder::up, steps, "case", {}, from, sizes, states,
        [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange) {
          mlir::IRMapping mapping;
          for (mlir::Operation* op : element.own) inner.clone(*op, mapping);
          auto value =
              CreateEquation(inner, LabelOf(equation_), rest_extents_, Names(rest_), element.value.getType(),
                             [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                               mapping.map(rest_, indices);
                               return {Clone(body, element.value, mapping)};
                             });
          ir::YieldOp::create(inner, loc_, value->getResults());
        });
    side->setAttr(ir::kSide, builder_.getUnitAttr());
    return side.getResult(0);
  }

  // A number that the data decides, as a size.
  Value Number(llvm::StringRef name, llvm::function_ref<Value(mlir::OpBuilder&)> value) {
    auto count = CreateEquation(
        builder_, PartOf(LabelOf(equation_), name), {}, {}, builder_.getI64Type(),
        [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> { return {value(body)}; });
    return ir::FoundOp::create(builder_, loc_, builder_.getIndexType(), count->getResult(0));
  }

  Value Clone(mlir::OpBuilder& body, Value value, mlir::IRMapping& mapping) {
    for (mlir::Operation* op : SliceOf(value, equation_))
      if (!mapping.contains(op->getResult(0))) body.clone(*op, mapping);
    return mapping.lookupOrDefault(value);
  }

  static SmallVector<mlir::Attribute> Names(llvm::ArrayRef<Value> indices) {
    return llvm::map_to_vector(indices, [](Value index) { return NameOf(index); });
  }

  // ---- With rows: they are listed by what they choose

  // The number of a row among all, row-major.
  Value RowNumber(mlir::OpBuilder& builder) {
    Value number;
    for (auto [index, extent] : llvm::zip_equal(rows_, row_extents_)) {
      if (number) {
        number = arith::MulIOp::create(builder, loc_, number, AsIndex(builder, loc_, extent));
        number = arith::AddIOp::create(builder, loc_, number, index);
      } else {
        number = index;
      }
    }
    return number;
  }

  // The indices of the row with that number.
  SmallVector<Value> RowIndices(mlir::OpBuilder& builder, Value number) {
    SmallVector<Value> indices(rows_.size());
    for (size_t i = rows_.size(); i-- > 0;) {
      indices[i] = number;
      if (i == 0) break;
      Value extent = AsIndex(builder, loc_, row_extents_[i]);
      indices[i] = arith::RemUIOp::create(builder, loc_, number, extent);
      number = arith::DivUIOp::create(builder, loc_, number, extent);
    }
    return indices;
  }

  void SortRows() {
    OpFoldResult count = row_extents_[0];
    for (OpFoldResult extent : llvm::drop_begin(row_extents_)) {
      auto a = mlir::getConstantIntValue(count), b = mlir::getConstantIntValue(extent);
      if (a && b) {
        count = builder_.getIndexAttr(*a * *b);
      } else {
        count = arith::MulIOp::create(builder_, loc_, AsIndex(builder_, loc_, count),
                                      AsIndex(builder_, loc_, extent))
                    .getResult();
      }
    }
    auto keys = CreateEquation(builder_, PartOf(LabelOf(equation_), "choice"), {count},
                               {builder_.getStringAttr("row")}, builder_.getI64Type(),
                               [&](mlir::OpBuilder& body, mlir::ValueRange row) -> SmallVector<Value> {
                                 mlir::IRMapping mapping;
                                 mapping.map(rows_, RowIndices(body, row[0]));
                                 Value selector = CloneGuarded(body, Selector(), equation_, mapping);
                                 return {arith::IndexCastOp::create(body, loc_, body.getI64Type(), selector)};
                               });
    std::tie(order_, starts_) = Segments(keys->getResult(0), count, builder_.getIndexAttr(Count() + 1));
    OpFoldResult one_more;
    if (auto number = mlir::getConstantIntValue(count)) {
      one_more = builder_.getIndexAttr(*number + 1);
    } else {
      Value one = arith::ConstantIndexOp::create(builder_, loc_, 1);
      one_more = arith::AddIOp::create(builder_, loc_, mlir::cast<Value>(count), one).getResult();
    }
    place_ = Segments(order_, count, one_more).first;  // the inverse of a permutation
  }

  std::pair<Value, Value> Segments(Value keys, OpFoldResult count, OpFoldResult starts) {
    SmallVector<Value> sizes;
    for (OpFoldResult extent : {count, starts})
      if (auto size = mlir::dyn_cast<Value>(extent)) sizes.push_back(size);
    int64_t length =
        mlir::isa<Value>(starts) ? mlir::ShapedType::kDynamic : *mlir::getConstantIntValue(starts);
    EquationLabel label = PartOf(LabelOf(equation_), "rows");
    mlir::Location location = label.path ? mlir::Location(mlir::NameLoc::get(label.path, loc_)) : loc_;
    auto segments =
        ir::SegmentsOp::create(builder_, location, keys.getType(),
                               mlir::RankedTensorType::get({length}, builder_.getI64Type()), keys, sizes);
    return {segments.getOrder(), segments.getStarts()};
  }

  Value Start(mlir::OpBuilder& body, int64_t number) {
    Value at = arith::ConstantIndexOp::create(body, loc_, number);
    return CreateRead(body, loc_, starts_, at);
  }

  void ComputeRows(Element& element) {
    Value count = Number("count", [&](mlir::OpBuilder& body) -> Value {
      return arith::SubIOp::create(body, loc_, Start(body, element.last), Start(body, element.first));
    });
    // Often one element has most of them.
    if (llvm::all_of(row_extents_, [](OpFoldResult extent) { return mlir::getConstantIntValue(extent); }))
      count.getDefiningOp()->setAttr(ir::kAbout,
                                     builder_.getI64IntegerAttr(static_cast<int64_t>(Points(row_extents_))));
    auto rows = CreateEquation(
        builder_, PartOf(LabelOf(equation_), "row"), {count}, {builder_.getStringAttr("row")},
        builder_.getI64Type(), [&](mlir::OpBuilder& body, mlir::ValueRange row) -> SmallVector<Value> {
          Value begin =
              arith::IndexCastOp::create(body, loc_, body.getIndexType(), Start(body, element.first));
          Value at = arith::AddIOp::create(body, loc_, begin, row[0]);
          return {CreateRead(body, loc_, order_, at)};
        });
    element.rows = rows->getResult(0);
    count_ = count;
    mlir::IRMapping tensors;
    for (mlir::Operation* op : element.own) WriteByRows(op, element, tensors);
    element.results =
        EquationByRows(element, tensors, LabelOf(equation_), rest_, rest_extents_, Names(rest_),
                       {element.value.getType()},
                       [&](mlir::OpBuilder& body, mlir::IRMapping& mapping, llvm::ArrayRef<Value> indices) {
                         mapping.map(rows_, indices);
                         return SmallVector<Value>{Clone(body, element.value, mapping)};
                       })
            .front();
  }

  // The same for the rows of the element alone: they are the first axis, in place of the axes of all rows.
  void WriteByRows(mlir::Operation* op, Element& element, mlir::IRMapping& tensors) {
    SmallVector<unsigned> axes = axes_.at(op->getResult(0));
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(op)) {
      SmallVector<Value> others;
      SmallVector<OpFoldResult> extents;
      SmallVector<mlir::Attribute> names;
      for (auto [axis, index] : llvm::enumerate(equation.getBody().getArguments())) {
        if (llvm::is_contained(axes, axis)) continue;
        others.push_back(index);
        extents.push_back(ExtentsOf(equation)[axis]);
        names.push_back(equation.getNames()[axis]);
      }
      SmallVector<mlir::Type> types = llvm::map_to_vector(equation->getResultTypes(), [](mlir::Type type) {
        return mlir::cast<mlir::RankedTensorType>(type).getElementType();
      });
      SmallVector<Value> results = EquationByRows(
          element, tensors, LabelOf(equation), others, extents, names, types,
          [&](mlir::OpBuilder& body, mlir::IRMapping& mapping, llvm::ArrayRef<Value> indices) {
            for (auto [axis, index] : llvm::zip_equal(axes, indices))
              mapping.map(equation.getBody().getArgument(axis), index);
            mlir::Block& block = equation.getBody().front();
            for (mlir::Operation& inner : block.without_terminator()) body.clone(inner, mapping);
            return llvm::map_to_vector(block.getTerminator()->getOperands(),
                                       [&](Value value) { return mapping.lookupOrDefault(value); });
          });
      tensors.map(op->getResults(), results);
      return;
    }
    SmallVector<Value> sources;
    for (Value operand : op->getOperands())
      if (mlir::isa<mlir::RankedTensorType>(operand.getType())) sources.push_back(tensors.lookup(operand));
    tensors.map(op->getResult(0), ViewByRows(op, axes, sources));
  }

  using Write = llvm::function_ref<SmallVector<Value>(mlir::OpBuilder& body, mlir::IRMapping& mapping,
                                                      llvm::ArrayRef<Value> row)>;

  // An equation over the rows and `others`. `write` gets the indices that a row has among all.
  SmallVector<Value> EquationByRows(Element& element, mlir::IRMapping& tensors, EquationLabel label,
                                    llvm::ArrayRef<Value> others, llvm::ArrayRef<OpFoldResult> other_extents,
                                    llvm::ArrayRef<mlir::Attribute> other_names,
                                    llvm::ArrayRef<mlir::Type> types, Write write) {
    SmallVector<OpFoldResult> extents{count_};
    llvm::append_range(extents, other_extents);
    llvm::StringSet<> taken;
    for (mlir::Attribute name : other_names) taken.insert(mlir::cast<mlir::StringAttr>(name).getValue());
    std::string row = "row";
    for (int number = 1; taken.contains(row); ++number) row = "row_" + std::to_string(number);
    SmallVector<mlir::Attribute> names{builder_.getStringAttr(row)};
    llvm::append_range(names, other_names);
    auto written = CreateEquation(builder_, label, extents, names, types,
                                  [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
                                    mlir::IRMapping mapping;
                                    mapping.map(others, indices.drop_front());
                                    Value number = CreateRead(body, loc_, element.rows, indices[0]);
                                    number =
                                        arith::IndexCastOp::create(body, loc_, body.getIndexType(), number);
                                    return write(body, mapping, RowIndices(body, number));
                                  });
    ReadByRows(written, tensors);
    return SmallVector<Value>(written->getResults());
  }

  // Reads of what is there by rows now.
  void ReadByRows(ir::EquationOp written, mlir::IRMapping& tensors) {
    SmallVector<ir::ReadOp> reads;
    written.getBody().walk([&](ir::ReadOp read) {
      if (tensors.contains(read.getTensor())) reads.push_back(read);
    });
    for (ir::ReadOp read : reads) {
      llvm::ArrayRef<unsigned> axes = axes_.at(read.getTensor());
      SmallVector<Value> subscripts{written.getBody().getArgument(0)};
      SmallVector<ir::Outside> outside{ir::Outside::inside};
      for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
        if (llvm::is_contained(axes, axis)) continue;
        subscripts.push_back(subscript);
        outside.push_back(read.getOutsideAt(static_cast<unsigned>(axis)));
      }
      mlir::OpBuilder at(read);
      Value by_rows = CreateRead(at, read.getLoc(), tensors.lookup(read.getTensor()), subscripts, outside,
                                 read.getFill());
      read.getResult().replaceAllUsesWith(by_rows);
      read.erase();
    }
  }

  // Where an axis is once the rows are one axis in front.
  static int64_t Moved(int64_t axis, llvm::ArrayRef<unsigned> rows) {
    int64_t before = llvm::count_if(rows, [&](unsigned row) { return row < axis; });
    return 1 + axis - before;
  }

  mlir::RankedTensorType TypeByRows(mlir::Type type, llvm::ArrayRef<unsigned> rows) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    SmallVector<int64_t> shape{mlir::ShapedType::kDynamic};
    for (auto [axis, size] : llvm::enumerate(tensor.getShape()))
      if (!llvm::is_contained(rows, axis)) shape.push_back(size);
    return mlir::RankedTensorType::get(shape, tensor.getElementType());
  }

  Value ViewByRows(mlir::Operation* op, llvm::ArrayRef<unsigned> axes, llvm::ArrayRef<Value> sources) {
    mlir::RankedTensorType type = TypeByRows(op->getResult(0).getType(), axes);
    SmallVector<mlir::ReassociationIndices> groups{{0}};
    // `finer`: the axes of the rows in the tensor that groups list axes of.
    auto collect = [&](llvm::ArrayRef<mlir::ReassociationIndices> old, llvm::ArrayRef<unsigned> finer) {
      for (const mlir::ReassociationIndices& group : old) {
        if (llvm::is_contained(finer, static_cast<unsigned>(group[0]))) continue;
        mlir::ReassociationIndices moved;
        for (int64_t axis : group) moved.push_back(Moved(axis, finer));
        groups.push_back(moved);
      }
    };
    if (auto collapse = mlir::dyn_cast<mlir::tensor::CollapseShapeOp>(op)) {
      collect(collapse.getReassociationIndices(), axes_.at(collapse.getSrc()));
      return mlir::tensor::CollapseShapeOp::create(builder_, op->getLoc(), type, sources[0], groups);
    }
    if (auto expand = mlir::dyn_cast<mlir::tensor::ExpandShapeOp>(op)) {
      collect(expand.getReassociationIndices(), axes);
      SmallVector<OpFoldResult> shape{count_};
      for (auto [axis, size] : llvm::enumerate(expand.getMixedOutputShape()))
        if (!llvm::is_contained(axes, axis)) shape.push_back(size);
      return mlir::tensor::ExpandShapeOp::create(builder_, op->getLoc(), type, sources[0], groups, shape);
    }
    if (auto concat = mlir::dyn_cast<mlir::tensor::ConcatOp>(op))
      return mlir::tensor::ConcatOp::create(
          builder_, op->getLoc(), type,
          static_cast<uint64_t>(Moved(static_cast<int64_t>(concat.getDim()), axes)), sources);
    if (auto sort = mlir::dyn_cast<ir::SortOp>(op)) {
      SmallVector<Value> sizes{count_};
      for (int64_t axis = 0; axis < sort.getOrder().getType().getRank(); ++axis)
        if (!llvm::is_contained(axes, axis))
          if (Value size = sort.getSizeOf(sort.getOrder(), axis)) sizes.push_back(size);
      return ir::SortOp::create(builder_, op->getLoc(), type, sources[0], sizes, sort.getDescending());
    }
    return mlir::tensor::CastOp::create(builder_, op->getLoc(), type, sources[0]);
  }

  // ---- The element in the equation

  void Replace(Element& element) {
    mlir::Operation* yield = element.block->getTerminator();
    mlir::OpBuilder at(yield);
    SmallVector<Value> subscripts;
    if (!rows_.empty()) {
      Value place = CreateRead(at, loc_, place_, RowNumber(at));
      place = arith::SubIOp::create(at, loc_, place, Start(at, element.first));
      subscripts.push_back(arith::IndexCastOp::create(at, loc_, at.getIndexType(), place));
    }
    llvm::append_range(subscripts, rest_);
    yield->setOperand(0, CreateRead(at, loc_, element.results, subscripts));
    SmallVector<mlir::Operation*> unused;
    for (mlir::Operation& op : element.block->without_terminator()) unused.push_back(&op);
    for (mlir::Operation* op : llvm::reverse(unused))
      if (op->use_empty() && mlir::isMemoryEffectFree(op)) op->erase();
  }

  ir::EquationOp equation_;
  mlir::scf::IfOp branch_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  SmallVector<Element> elements_;
  SmallVector<Value> rows_;  // the indices that choose
  SmallVector<Value> rest_;  // the others of costly elements
  SmallVector<OpFoldResult> row_extents_, rest_extents_;
  // Of what elements have of their own: the axes of the rows.
  llvm::DenseMap<Value, SmallVector<unsigned>> axes_;
  Value order_, starts_, place_;  // rows by what they choose, where those of each begin, and where a row is
  Value count_;                   // of the element's rows
};

struct PartitionChoicesPass : impl::PartitionChoicesBase<PartitionChoicesPass> {
  using PartitionChoicesBase::PartitionChoicesBase;

  // The last one first: what an element has of its own may choose too.
  void runOnOperation() override {
    if (explain) ExplainBranches();
    for (mlir::scf::IfOp branch = LastChoice(); branch; branch = LastChoice()) {
      if (ir::EquationOp equation = EnclosingEquation(branch)) {
        Choice choice(equation, branch);
        llvm::StringRef why;
        bool matches = choice.Matches(why);
        if (explain) choice.Explain(matches, why);
        branch->removeAttr(ir::kChoice);
        if (matches) choice.Run();
      } else {
        branch->removeAttr(ir::kChoice);
      }
    }
  }

  // What `x if c else y` without indices has become: the second side starts with what the first has made.
  void ExplainBranches() {
    getOperation().walk([](ir::LoopOp loop) {
      if (loop->hasAttr(ir::kSide) && !loop.getFrom().empty())
        mlir::emitRemark(loop.getLoc()) << "condition: one side is computed";
    });
  }

  mlir::scf::IfOp LastChoice() {
    mlir::scf::IfOp last;
    getOperation().walk([&](mlir::scf::IfOp branch) {
      if (branch->hasAttr(ir::kChoice)) last = branch;
    });
    return last;
  }
};

}  // namespace
}  // namespace weft::passes
