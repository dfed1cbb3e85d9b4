#include "compiler/ir/choice.h"
#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/until.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/inline/choice_writer.h"
#include "passes/inline/ends_by_point.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Lists the rows by what they choose, and writes what an element is computed by for its own.
class RowWriter : ChoiceWriter {
 public:
  using ChoiceWriter::ChoiceWriter;

  void Run() {
    SortRows();
    for (ChoiceElement& element : choice_.elements)
      if (element.is_costly) ComputeRows(element);
    ReadResults([&](mlir::OpBuilder& at, ChoiceElement& element) -> SmallVector<Value> {
      Value place = CreateRead(at, loc_, place_, RowNumber(at));
      place = arith::SubIOp::create(at, loc_, place, Start(at, element.first));
      return {arith::IndexCastOp::create(at, loc_, at.getIndexType(), place)};
    });
  }

 private:
  // The number of a row among all, row-major.
  Value RowNumber(mlir::OpBuilder& builder) {
    Value number;
    for (auto [index, extent] : llvm::zip_equal(choice_.rows, choice_.row_extents)) {
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
    SmallVector<Value> indices(choice_.rows.size());
    for (size_t i = choice_.rows.size(); i-- > 0;) {
      indices[i] = number;
      if (i == 0) break;
      Value extent = AsIndex(builder, loc_, choice_.row_extents[i]);
      indices[i] = arith::RemUIOp::create(builder, loc_, number, extent);
      number = arith::DivUIOp::create(builder, loc_, number, extent);
    }
    return indices;
  }

  void SortRows() {
    OpFoldResult count = choice_.row_extents[0];
    for (OpFoldResult extent : llvm::drop_begin(choice_.row_extents)) {
      auto a = mlir::getConstantIntValue(count), b = mlir::getConstantIntValue(extent);
      if (a && b) {
        count = builder_.getIndexAttr(*a * *b);
      } else {
        count = arith::MulIOp::create(builder_, loc_, AsIndex(builder_, loc_, count),
                                      AsIndex(builder_, loc_, extent))
                    .getResult();
      }
    }
    auto keys = CreateEquation(
        builder_, PartOf(LabelOf(choice_.equation), "choice"), {count}, {builder_.getStringAttr("row")},
        builder_.getI64Type(), [&](mlir::OpBuilder& body, mlir::ValueRange row) -> SmallVector<Value> {
          mlir::IRMapping mapping;
          mapping.map(choice_.rows, RowIndices(body, row[0]));
          Value selector = CloneGuarded(body, choice_.Selector(), choice_.equation, mapping);
          return {arith::IndexCastOp::create(body, loc_, body.getI64Type(), selector)};
        });
    std::tie(order_, starts_) =
        Segments(keys->getResult(0), count, builder_.getIndexAttr(choice_.Count() + 1));
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
    EquationLabel label = PartOf(LabelOf(choice_.equation), "rows");
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

  void ComputeRows(ChoiceElement& element) {
    Value count = Number("count", [&](mlir::OpBuilder& body) -> Value {
      return arith::SubIOp::create(body, loc_, Start(body, element.last), Start(body, element.first));
    });
    // Often one element has most of them.
    int64_t most = 1;
    for (OpFoldResult extent : choice_.row_extents) most *= mlir::getConstantIntValue(extent).value_or(1);
    if (llvm::all_of(choice_.row_extents,
                     [](OpFoldResult extent) { return mlir::getConstantIntValue(extent); }))
      count.getDefiningOp()->setAttr(ir::kAbout, builder_.getI64IntegerAttr(most));
    auto rows = CreateEquation(
        builder_, PartOf(LabelOf(choice_.equation), "row"), {count}, {builder_.getStringAttr("row")},
        builder_.getI64Type(), [&](mlir::OpBuilder& body, mlir::ValueRange row) -> SmallVector<Value> {
          Value begin =
              arith::IndexCastOp::create(body, loc_, body.getIndexType(), Start(body, element.first));
          Value at = arith::AddIOp::create(body, loc_, begin, row[0]);
          return {CreateRead(body, loc_, order_, at)};
        });
    rows_ = rows->getResult(0);
    count_ = count;
    tensors_.clear();
    in_step_.clear();
    for (mlir::Operation* op : element.own) WriteByRows(op);
    element.results =
        EquationByRows(LabelOf(choice_.equation), choice_.rest, choice_.rest_extents, Names(choice_.rest),
                       {element.value.getType()},
                       [&](mlir::OpBuilder& body, mlir::IRMapping& mapping, llvm::ArrayRef<Value> indices) {
                         mapping.map(choice_.rows, indices);
                         return SmallVector<Value>{Clone(body, element.value, mapping)};
                       })
            .front();
  }

  // The same for the rows of the element alone: they are the first axis, in place of the axes of all rows.
  void WriteByRows(mlir::Operation* op) {
    if (choice_.row_loops.contains(op)) return WriteRowLoop(mlir::cast<ir::LoopOp>(op));
    if (auto loop = mlir::dyn_cast<ir::LoopOp>(op)) return WriteLoopByRows(loop);
    SmallVector<unsigned> axes = choice_.axes.at(op->getResult(0));
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(op)) {
      SmallVector<Value> others;
      SmallVector<OpFoldResult> extents;
      SmallVector<mlir::Attribute> names;
      for (auto [axis, index] : llvm::enumerate(equation.getBody().getArguments())) {
        if (llvm::is_contained(axes, axis)) continue;
        others.push_back(index);
        extents.push_back(InStep(ExtentsOf(equation)[axis]));
        names.push_back(equation.getNames()[axis]);
      }
      SmallVector<mlir::Type> types = llvm::map_to_vector(equation->getResultTypes(), [](mlir::Type type) {
        return mlir::cast<mlir::RankedTensorType>(type).getElementType();
      });
      SmallVector<Value> results = EquationByRows(
          LabelOf(equation), others, extents, names, types,
          [&](mlir::OpBuilder& body, mlir::IRMapping& mapping, llvm::ArrayRef<Value> indices) {
            for (auto [axis, index] : llvm::zip_equal(axes, indices))
              mapping.map(equation.getBody().getArgument(axis), index);
            mlir::Block& block = equation.getBody().front();
            for (mlir::Operation& inner : block.without_terminator()) body.clone(inner, mapping);
            return llvm::map_to_vector(block.getTerminator()->getOperands(),
                                       [&](Value value) { return mapping.lookupOrDefault(value); });
          });
      tensors_.map(op->getResults(), results);
      return;
    }
    SmallVector<Value> sources;
    for (Value operand : op->getOperands())
      if (mlir::isa<mlir::RankedTensorType>(operand.getType())) sources.push_back(tensors_.lookup(operand));
    tensors_.map(op->getResult(0), ViewByRows(op, axes, sources));
  }

  using Write = llvm::function_ref<SmallVector<Value>(mlir::OpBuilder& body, mlir::IRMapping& mapping,
                                                      llvm::ArrayRef<Value> row)>;

  // An equation over the rows and `others`. `write` gets the indices that a row has among all.
  SmallVector<Value> EquationByRows(EquationLabel label, llvm::ArrayRef<Value> others,
                                    llvm::ArrayRef<OpFoldResult> other_extents,
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
                                    mlir::IRMapping mapping = in_step_;
                                    mapping.map(others, indices.drop_front());
                                    Value number = CreateRead(body, loc_, rows_, indices[0]);
                                    number =
                                        arith::IndexCastOp::create(body, loc_, body.getIndexType(), number);
                                    return write(body, mapping, RowIndices(body, number));
                                  });
    ReadByRows(written, written.getBody().getArgument(0));
    return SmallVector<Value>(written->getResults());
  }

  // Reads of what is there by rows now; `row` is the number of a row among those of the element.
  void ReadByRows(mlir::Operation* written, Value row) {
    SmallVector<ir::ReadOp> reads;
    written->walk([&](ir::ReadOp read) {
      if (tensors_.contains(read.getTensor())) reads.push_back(read);
    });
    for (ir::ReadOp read : reads) {
      llvm::ArrayRef<unsigned> axes = choice_.axes.at(read.getTensor());
      SmallVector<Value> subscripts;
      SmallVector<ir::Outside> outside;
      for (auto [axis, subscript] : llvm::enumerate(read.getSubscripts())) {
        if (llvm::is_contained(axes, axis)) continue;
        subscripts.push_back(subscript);
        outside.push_back(read.getOutsideAt(static_cast<unsigned>(axis)));
      }
      // The rows are the first axis, but for that of steps.
      size_t place = choice_.histories.contains(read.getTensor()) ? 1 : 0;
      subscripts.insert(subscripts.begin() + place, row);
      outside.insert(outside.begin() + place, ir::Outside::inside);
      mlir::OpBuilder at(read);
      Value by_rows = CreateRead(at, read.getLoc(), tensors_.lookup(read.getTensor()), subscripts, outside,
                                 read.getFill());
      read.getResult().replaceAllUsesWith(by_rows);
      read.erase();
    }
  }

  // ---- Loops of steps

  OpFoldResult InStep(OpFoldResult size) {
    auto value = mlir::dyn_cast<Value>(size);
    return value ? in_step_.lookupOrDefault(value) : size;
  }

  // What lies outside by all rows, by those of the element.
  Value ByRows(Value tensor, llvm::ArrayRef<unsigned> axes) {
    if (tensors_.contains(tensor)) return tensors_.lookup(tensor);
    Value source = in_step_.lookupOrDefault(tensor);
    auto type = mlir::cast<mlir::RankedTensorType>(source.getType());
    SmallVector<OpFoldResult> extents{count_};
    SmallVector<mlir::Attribute> names{builder_.getStringAttr("row")};
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (llvm::is_contained(axes, axis)) continue;
      extents.push_back(SizeOf(builder_, loc_, source, axis));
      names.push_back(builder_.getStringAttr("r" + std::to_string(axis)));
    }
    auto gathered = CreateEquation(
        builder_, PartOf(LabelOf(choice_.equation), "start"), extents, names, type.getElementType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          Value number = CreateRead(body, loc_, rows_, indices[0]);
          SmallVector<Value> row =
              RowIndices(body, arith::IndexCastOp::create(body, loc_, body.getIndexType(), number));
          SmallVector<Value> subscripts;
          unsigned other = 1;
          for (unsigned axis = 0; axis < type.getRank(); ++axis) {
            const auto* place = llvm::find(axes, axis);
            subscripts.push_back(place != axes.end() ? row[place - axes.begin()] : indices[other++]);
          }
          return {CreateRead(body, loc_, source, subscripts)};
        });
    return gathered->getResult(0);
  }

  void WriteLoopByRows(ir::LoopOp loop) {
    mlir::Block& body = loop.getBody().front();
    ir::LoopStates states = loop.getStates();
    SmallVector<Value> from, sizes;
    SmallVector<mlir::Type> arguments, results;
    auto with_positions = [&](mlir::Type history, mlir::RankedTensorType slice) {
      return ir::HistoryType(slice, mlir::cast<mlir::RankedTensorType>(history).getDimSize(0));
    };
    size_t next_size = 0;
    if (ir::EndsByPoint(loop)) states.pop_back();
    for (auto [number, state] : llvm::enumerate(states)) {
      llvm::ArrayRef<unsigned> axes = choice_.state_axes.at(loop)[number];
      for (Value given : loop.getFrom().slice(state.first_given, static_cast<unsigned>(state.given)))
        from.push_back(ByRows(given, axes));
      auto whole = mlir::cast<mlir::RankedTensorType>(
          body.getTerminator()->getOperand(static_cast<unsigned>(number)).getType());
      sizes.push_back(count_);
      for (int64_t axis = 0; axis < whole.getRank(); ++axis) {
        if (!whole.isDynamicDim(axis)) continue;
        Value size = in_step_.lookupOrDefault(loop.getSizes()[next_size++]);
        if (!llvm::is_contained(axes, axis)) sizes.push_back(size);
      }
      mlir::RankedTensorType slice = TypeByRows(whole, axes);
      arguments.append(static_cast<size_t>(state.window), slice);
      unsigned history = 1 + state.first_argument + static_cast<unsigned>(state.window);
      if (state.history) arguments.push_back(with_positions(body.getArgument(history).getType(), slice));
      if (state.result < 0) continue;
      mlir::Type kept = loop.getResult(static_cast<unsigned>(state.result)).getType();
      results.push_back(state.keep == ir::Keep::kAll ? with_positions(kept, slice) : slice);
    }
    if (ir::EndsByPoint(loop)) {
      states.push_back({.keep = ir::Keep::kNone});
      states.Number();
      results.push_back(ir::StepCount(loop).getType());
    }
    auto by_rows = ir::LoopOp::create(
        builder_, loop.getLoc(), results, loop.getOrder(), InStep(loop.getMixedExtents()[0]),
        mlir::cast<mlir::StringAttr>(loop.getNames()[0]).getValue(), arguments, from, sizes, states,
        [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange values) {
          mlir::OpBuilder::InsertionGuard guard(builder_);
          builder_.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
          WriteStep(loop, values);
        });
    if (ir::EndsByPoint(loop)) ir::EndByPoint(by_rows);
    tensors_.map(loop->getResults(), by_rows->getResults());
  }

  // What is the same for all rows stays as it is.
  void WriteStep(ir::LoopOp loop, mlir::ValueRange values) {
    mlir::Block& body = loop.getBody().front();
    in_step_.map(body.getArgument(0), values[0]);
    tensors_.map(body.getArguments().drop_front(), values.drop_front());
    mlir::Operation* end = ir::EndsByPoint(loop) ? EndOfStep(loop) : nullptr;
    for (mlir::Operation& op : body.without_terminator()) {
      if (&op == end) continue;
      bool knows_rows = op.getNumResults() > 0 && choice_.axes.contains(op.getResult(0));
      if (knows_rows || choice_.state_axes.contains(&op)) {
        WriteByRows(&op);
      } else {
        builder_.clone(op, in_step_);
      }
    }
    SmallVector<Value> slices;
    for (auto [slice, axes] : llvm::zip(body.getTerminator()->getOperands(), choice_.state_axes.at(loop)))
      slices.push_back(ByRows(slice, axes));
    if (end) slices.push_back(AllEnded(builder_, loop.getLoc(), slices[slices.size() - 2]));
    ir::YieldOp::create(builder_, loop.getLoc(), slices);
  }

  // A loop of which each step is a row, through those of the element.
  void WriteRowLoop(ir::LoopOp loop) {
    llvm::ArrayRef<Value> indices = choice_.row_loops.at(loop);
    ir::LoopOp innermost = loop;
    for (size_t i = 1; i < indices.size(); ++i)
      innermost = mlir::cast<ir::LoopOp>(innermost.getBody().front().front());
    SmallVector<mlir::Type> results = llvm::map_to_vector(
        loop->getResults(),
        [&](Value result) -> mlir::Type { return TypeByRows(result.getType(), choice_.axes.at(result)); });
    SmallVector<Value> sizes =
        llvm::map_to_vector(innermost.getSizes(), [&](Value size) { return in_step_.lookupOrDefault(size); });
    auto by_rows = ir::LoopOp::create(builder_, loop.getLoc(), results, loop.getOrder(), OpFoldResult(count_),
                                      mlir::cast<mlir::StringAttr>(innermost.getNames()[0]).getValue(), {},
                                      {}, sizes, innermost.getStates(),
                                      [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange) {
                                        mlir::IRMapping mapping = in_step_;
                                        for (mlir::Operation& op : innermost.getBody().front())
                                          inner.clone(op, mapping);
                                      });
    Value number = by_rows.getBody().getArgument(0);
    by_rows->walk([&](ir::EquationOp equation) {
      auto is_in_it = [&](mlir::OpOperand& use) { return equation->isAncestor(use.getOwner()); };
      bool asks = llvm::any_of(indices, [&](Value index) { return llvm::any_of(index.getUses(), is_in_it); });
      if (!asks) return;
      mlir::OpBuilder body = mlir::OpBuilder::atBlockBegin(&equation.getBody().front());
      Value row = CreateRead(body, loc_, rows_, number);
      row = arith::IndexCastOp::create(body, loc_, body.getIndexType(), row);
      for (auto [index, own] : llvm::zip_equal(indices, RowIndices(body, row)))
        Value(index).replaceUsesWithIf(own, is_in_it);
    });
    ReadByRows(by_rows, number);
    tensors_.map(loop->getResults(), by_rows->getResults());
  }

  // ---- Views

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
      collect(collapse.getReassociationIndices(), choice_.axes.at(collapse.getSrc()));
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

  Value order_, starts_, place_;  // rows by what they choose, where those of each begin, and where a row is
  // Of the element at hand: how many rows, their numbers, what it has of its own by rows, and what else the
  // step has that is written.
  Value count_, rows_;
  mlir::IRMapping tensors_, in_step_;
};

}  // namespace

void ComputeByRows(Choice& choice) { RowWriter(choice).Run(); }

}  // namespace weft::passes
