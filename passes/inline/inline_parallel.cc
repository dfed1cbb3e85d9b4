#include "compiler/ir/until.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/speculation.h"
#include "passes/inline/ends_by_point.h"
#include "passes/inline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_INLINEPARALLEL
#include "passes/inline/passes.h.inc"

namespace {

using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Rewrites one loop whose body holds no other loop. Values of the body are of three kinds: *hoisted* (no
// index of the loop in them: computed once, outside), *batched* (a tensor that got the loop's axes in front),
// *scalar* (index arithmetic on the loop's indices: written again in every body that uses it).
class Batcher {
 public:
  Batcher(mlir::OpBuilder& builder, ir::LoopOp loop)
      : builder_(builder),
        loop_(loop),
        extents_(ExtentsOf(loop)),
        names_(loop.getNames().getValue()),
        body_(&loop.getBody().front()) {}

  // Writes everything before the loop and replaces its results. On failure the loop is as before, with an
  // error.
  mlir::LogicalResult Run() {
    builder_.setInsertionPoint(loop_);
    mlir::Block& body = loop_.getBody().front();
    for (mlir::Operation& op : body.without_terminator())
      if (mlir::failed(Rewrite(&op))) return mlir::failure();
    SmallVector<Value> results;
    for (Value yielded : body.getTerminator()->getOperands()) {
      auto type = mlir::dyn_cast<mlir::RankedTensorType>(yielded.getType());
      if (!type) return loop_.emitError("yields a value that is no tensor");
      results.push_back(batched_.contains(yielded) ? batched_[yielded]
                                                   : Broadcast(hoisted_.lookupOrDefault(yielded)));
    }
    for (auto [result, value] : llvm::zip_equal(loop_.getResults(), results)) {
      if (value.getType() != result.getType())
        value = mlir::tensor::CastOp::create(builder_, loop_.getLoc(), result.getType(), value);
      result.replaceAllUsesWith(value);
    }
    loop_.erase();
    return mlir::success();
  }

 private:
  unsigned Depth() const { return extents_.size(); }

  mlir::RankedTensorType BatchedType(mlir::Type inner) const {
    auto type = mlir::cast<mlir::RankedTensorType>(inner);
    SmallVector<int64_t> shape;
    for (OpFoldResult extent : extents_)
      shape.push_back(mlir::getConstantIntValue(extent).value_or(mlir::ShapedType::kDynamic));
    llvm::append_range(shape, type.getShape());
    return mlir::RankedTensorType::get(shape, type.getElementType());
  }

  // Whether `op`, or an operation in it, uses what changes with the loop's indices.
  bool Varies(mlir::Operation* op) const {
    bool varies = false;
    op->walk([&](mlir::Operation* inner) {
      for (Value operand : inner->getOperands()) {
        auto argument = mlir::dyn_cast<mlir::BlockArgument>(operand);
        varies |= (argument && argument.getOwner() == body_) || batched_.contains(operand) ||
                  scalars_.contains(operand);
      }
    });
    return varies;
  }

  mlir::LogicalResult Rewrite(mlir::Operation* op) {
    if (auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(op); dim && batched_.contains(dim.getSource())) {
      auto axis = dim.getConstantIndex();
      if (!axis) return dim.emitError("asks for the size of an axis that is not a number");
      Value size = AsIndex(builder_, dim.getLoc(),
                           SizeOf(builder_, dim.getLoc(), batched_[dim.getSource()], *axis + Depth()));
      hoisted_.map(dim.getResult(), size);
      return mlir::success();
    }
    if (!Varies(op) && (!mlir::isa<ir::EquationOp>(op) || MayRunOutside(mlir::cast<ir::EquationOp>(op)))) {
      builder_.clone(*op, hoisted_);
      return mlir::success();
    }
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(op)) return RewriteEquation(equation);
    if (auto steps = mlir::dyn_cast<ir::LoopOp>(op)) return RewriteSteps(steps);
    if (auto collapse = mlir::dyn_cast<mlir::tensor::CollapseShapeOp>(op)) return RewriteCollapse(collapse);
    if (auto expand = mlir::dyn_cast<mlir::tensor::ExpandShapeOp>(op)) return RewriteExpand(expand);
    if (auto concat = mlir::dyn_cast<mlir::tensor::ConcatOp>(op)) return RewriteConcat(concat);
    if (auto sort = mlir::dyn_cast<ir::SortOp>(op)) return RewriteSort(sort);
    if (auto cast = mlir::dyn_cast<mlir::tensor::CastOp>(op)) {
      batched_[cast.getResult()] = mlir::tensor::CastOp::create(
          builder_, cast.getLoc(), BatchedType(cast.getType()), Batched(cast.getSource()));
      return mlir::success();
    }
    bool is_scalar = op->getNumRegions() == 0 && mlir::isMemoryEffectFree(op) &&
                     llvm::none_of(op->getResultTypes(), llvm::IsaPred<mlir::TensorType>);
    if (!is_scalar) return op->emitError("cannot be computed for all indices of a parallel loop at once");
    for (Value result : op->getResults()) scalars_.insert(result);
    return mlir::success();
  }

  // What runs once although the loop may run never must not read out of range then.
  bool MayRunOutside(ir::EquationOp equation) const {
    bool loop_runs = llvm::all_of(extents_, [](OpFoldResult extent) { return IsPositive(extent); });
    return loop_runs || IsSpeculatable(equation);
  }

  // A size of the body, outside of it.
  OpFoldResult Outside(OpFoldResult size) {
    if (auto value = mlir::dyn_cast<Value>(size)) return hoisted_.lookupOrDefault(value);
    return size;
  }

  Value Batched(Value value) {
    auto found = batched_.find(value);
    return found != batched_.end() ? found->second : Broadcast(hoisted_.lookupOrDefault(value));
  }

  // The same tensor for every point of the loop.
  Value Broadcast(Value tensor) {
    auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> extents = extents_;
    SmallVector<mlir::Attribute> names(names_);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      extents.push_back(SizeOf(builder_, loop_.getLoc(), tensor, axis));
      names.push_back(builder_.getStringAttr("r" + std::to_string(axis)));
    }
    auto equation = CreateEquation(
        builder_, PartOf(LabelAt(loop_.getLoc()), "spread"), extents, UniqueNames(names),
        type.getElementType(), [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          return {CreateRead(body, loop_.getLoc(), tensor, indices.drop_front(Depth()))};
        });
    return equation->getResult(0);
  }

  // Indices of the loop that have the name of an inner one are called `i_1`: schedules of the op inside name
  // its own.
  SmallVector<mlir::Attribute> UniqueNames(llvm::ArrayRef<mlir::Attribute> names) {
    llvm::StringSet<> taken;
    for (mlir::Attribute name : names.drop_front(Depth()))
      taken.insert(mlir::cast<mlir::StringAttr>(name).getValue());
    SmallVector<mlir::Attribute> unique(names);
    for (mlir::Attribute& name : llvm::MutableArrayRef(unique).take_front(Depth())) {
      std::string text = mlir::cast<mlir::StringAttr>(name).str(), candidate = text;
      for (int count = 1; !taken.insert(candidate).second; ++count)
        candidate = text + "_" + std::to_string(count);
      name = builder_.getStringAttr(candidate);
    }
    return unique;
  }

  mlir::LogicalResult RewriteEquation(ir::EquationOp equation) {
    SmallVector<OpFoldResult> extents = extents_;
    for (OpFoldResult extent : ExtentsOf(equation)) {
      auto value = mlir::dyn_cast<Value>(extent);
      if (value && scalars_.contains(value))
        return equation.emitError("has a size that differs between the points of a parallel loop");
      extents.push_back(Outside(extent));
    }
    SmallVector<mlir::Attribute> names(names_);
    llvm::append_range(names, equation.getNames().getValue());
    SmallVector<mlir::Type> element_types;
    for (mlir::Type type : equation->getResultTypes())
      element_types.push_back(mlir::cast<mlir::RankedTensorType>(type).getElementType());

    auto batched = CreateEquation(
        builder_, LabelOf(equation), extents, UniqueNames(names), element_types,
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          mlir::IRMapping mapping = hoisted_;
          for (auto [from, to] : llvm::zip_equal(loop_.getBody().getArguments(), indices.take_front(Depth())))
            mapping.map(from, to);
          for (auto [from, to] :
               llvm::zip_equal(equation.getBody().getArguments(), indices.drop_front(Depth())))
            mapping.map(from, to);
          for (mlir::Operation& scalar : loop_.getBody().front())
            if (scalar.getNumResults() > 0 && scalars_.contains(scalar.getResult(0)))
              body.clone(scalar, mapping);
          mlir::Block& inner = equation.getBody().front();
          for (mlir::Operation& op : inner.without_terminator()) body.clone(op, mapping);
          SmallVector<Value> yielded;
          for (Value value : inner.getTerminator()->getOperands())
            yielded.push_back(mapping.lookupOrDefault(value));
          return yielded;
        });
    ReadBatched(batched);
    for (auto [from, to] : llvm::zip_equal(equation->getResults(), batched->getResults()))
      batched_[from] = to;
    return mlir::success();
  }

  // Steps for all points at once: every slice gets the loop's axes. In a history they follow the positions.
  // Steps that end early are made until the last point has ended, and those that have ended keep what they
  // have.
  mlir::LogicalResult RewriteSteps(ir::LoopOp steps) {
    bool ends_early = ir::EndsEarly(steps), has_points = ir::EndsByPoint(steps);
    mlir::Block& body = steps.getBody().front();
    ir::LoopStates old_states = steps.getStates(), states;
    SmallVector<Value> from, sizes;
    SmallVector<mlir::Type> arguments, results;
    auto with_positions = [&](mlir::Type history) {
      auto type = mlir::cast<mlir::RankedTensorType>(history);
      auto slice = mlir::RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
      return ir::HistoryType(BatchedType(slice), type.getDimSize(0));
    };
    unsigned next_size = 0;
    for (auto [old, yielded] : llvm::zip_equal(old_states, body.getTerminator()->getOperandTypes())) {
      bool is_end = ends_early && &old == &old_states.back();
      if (is_end) break;
      ir::LoopState state = old;
      for (Value given : steps.getFrom().slice(old.first_given, static_cast<unsigned>(old.given)))
        from.push_back(Batched(given));
      auto inner = mlir::cast<mlir::RankedTensorType>(yielded);
      SmallVector<Value> inner_sizes;
      for (int64_t i = 0, count = inner.getNumDynamicDims(); i < count; ++i)
        inner_sizes.push_back(hoisted_.lookupOrDefault(steps.getSizes()[next_size++]));
      if (ends_early && state.result >= 0 && steps.getResult(static_cast<unsigned>(state.result)).use_empty())
        state.keep = ir::Keep::kNone;
      if (ends_early && state.keep == ir::Keep::kLast && state.window == 0) {
        state.window = 1;
        if (state.given == 0) from.push_back(Nothing(inner, inner_sizes));
        state.given = std::max<int64_t>(state.given, 1);
      }
      for (int64_t i = 0; i < state.window; ++i) arguments.push_back(BatchedType(yielded));
      if (state.history)
        arguments.push_back(with_positions(
            body.getArgument(1 + old.first_argument + static_cast<unsigned>(old.window)).getType()));
      if (state.keep == ir::Keep::kAll)
        results.push_back(with_positions(steps.getResult(static_cast<unsigned>(state.result)).getType()));
      if (state.keep == ir::Keep::kLast) results.push_back(BatchedType(yielded));
      for (OpFoldResult batch : extents_)
        if (auto value = mlir::dyn_cast<Value>(batch)) sizes.push_back(value);
      llvm::append_range(sizes, inner_sizes);
      states.push_back(state);
    }
    if (ends_early && !has_points) AddEndsOfPoints(states, from, sizes, arguments, results);
    if (ends_early) {
      states.push_back({.keep = ir::Keep::kNone});
      results.push_back(mlir::RankedTensorType::get({}, builder_.getI64Type()));
    }
    states.Number();
    mlir::LogicalResult done = mlir::success();
    auto batched = ir::LoopOp::create(
        builder_, steps.getLoc(), results, steps.getOrder(), Outside(steps.getMixedExtents()[0]),
        mlir::cast<mlir::StringAttr>(steps.getNames()[0]).getValue(), arguments, from, sizes, states,
        [&](mlir::OpBuilder& inner, mlir::Location location, mlir::ValueRange values) {
          mlir::OpBuilder::InsertionGuard guard(builder_);
          builder_.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
          done = RewriteStepBody(steps, old_states, states, values);
        });
    if (mlir::failed(done)) return done;
    if (ends_early) ir::EndByPoint(batched);
    for (auto [old, state] : llvm::zip(old_states, batched.getStates())) {
      if (old.result < 0 || state.result < 0) continue;
      Value result = batched.getResult(static_cast<unsigned>(state.result));
      batched_[steps.getResult(static_cast<unsigned>(old.result))] =
          state.keep == ir::Keep::kAll ? PositionsBehindBatch(result) : result;
    }
    // Behind the states' results: how many steps each point has made, then how many there were, which nobody
    // asks for.
    if (ends_early && !has_points)
      batched_[ir::StepCount(steps)] = batched.getResult(batched.getNumResults() - 2);
    return mlir::success();
  }

  // Two states more of steps that end early: whether a point has ended, and after how many steps.
  void AddEndsOfPoints(ir::LoopStates& states, SmallVector<Value>& from, SmallVector<Value>& sizes,
                       SmallVector<mlir::Type>& arguments, SmallVector<mlir::Type>& results) {
    ir::LoopState ended{.given = 1, .window = 1, .keep = ir::Keep::kNone},
        count{.given = 1, .window = 1, .keep = ir::Keep::kLast};
    for (const auto& [state, element] : {std::pair(ended, mlir::Type(builder_.getI1Type())),
                                         std::pair(count, mlir::Type(builder_.getI64Type()))}) {
      auto number = mlir::RankedTensorType::get({}, element);
      from.push_back(Nothing(number, {}));
      arguments.push_back(BatchedType(number));
      for (OpFoldResult batch : extents_)
        if (auto value = mlir::dyn_cast<Value>(batch)) sizes.push_back(value);
      states.push_back(state);
    }
    results.push_back(arguments.back());
  }

  // Zeros for every point, which no step reads.
  Value Nothing(mlir::RankedTensorType inner, mlir::ValueRange inner_sizes) {
    SmallVector<OpFoldResult> extents = extents_;
    SmallVector<mlir::Attribute> names(names_);
    auto next_size = inner_sizes.begin();
    for (int64_t axis = 0; axis < inner.getRank(); ++axis) {
      if (inner.isDynamicDim(axis)) {
        extents.push_back(*next_size++);
      } else {
        extents.push_back(builder_.getIndexAttr(inner.getDimSize(axis)));
      }
      names.push_back(builder_.getStringAttr("r" + std::to_string(axis)));
    }
    mlir::Type element = inner.getElementType();
    auto equation = CreateEquation(
        builder_, PartOf(LabelAt(loop_.getLoc()), "before"), extents, UniqueNames(names), element,
        [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
          return {mlir::arith::ConstantOp::create(body, loop_.getLoc(), body.getZeroAttr(element))};
        });
    return equation->getResult(0);
  }

  mlir::LogicalResult RewriteStepBody(ir::LoopOp steps, const ir::LoopStates& old_states,
                                      const ir::LoopStates& states, mlir::ValueRange arguments) {
    mlir::Block& body = steps.getBody().front();
    hoisted_.map(body.getArgument(0), arguments[0]);
    mlir::ValueRange own = arguments.drop_front();
    for (auto [old, state] : llvm::zip(old_states, states)) {
      for (unsigned i = 0; i < old.argument_count(); ++i) {
        Value before = body.getArgument(1 + old.first_argument + i);
        bool is_history = static_cast<int64_t>(i) == old.window;
        batched_[before] = own[state.first_argument + (is_history ? static_cast<unsigned>(state.window) : i)];
        if (is_history) histories_.insert(before);
      }
    }
    mlir::OperandRange old_slices = body.getTerminator()->getOperands();
    mlir::Operation* end = nullptr;  // asks more points now
    if (ir::EndsByPoint(steps)) {
      end = EndOfStep(steps);
      old_slices = old_slices.drop_back();
    }
    for (mlir::Operation& op : body.without_terminator())
      if (&op != end && mlir::failed(Rewrite(&op))) return mlir::failure();
    SmallVector<Value> slices;
    for (Value slice : old_slices) slices.push_back(Batched(slice));
    if (end) {
      slices.push_back(AllEnded(builder_, steps.getLoc(), slices[slices.size() - 2]));
    } else if (ir::EndsEarly(steps)) {
      EndSteps(steps, states, own, slices);
    }
    ir::YieldOp::create(builder_, body.getTerminator()->getLoc(), slices);
    return mlir::success();
  }

  // What a step leaves where points end one by one; the last slice is whether this is the step.
  void EndSteps(ir::LoopOp steps, const ir::LoopStates& states, mlir::ValueRange arguments,
                SmallVector<Value>& slices) {
    mlir::Location location = steps.getLoc();
    size_t count = slices.size() - 1;
    Value had_ended = arguments[states[count].first_argument],
          steps_before = arguments[states[count + 1].first_argument], ends = slices.back();
    for (size_t i = 0; i < count; ++i)
      if (states[i].window > 0)
        slices[i] = Kept(location, had_ended, arguments[states[i].first_argument], slices[i]);
    auto over_points = [&](llvm::StringRef part, mlir::Type element, BodyBuilder write) -> Value {
      return CreateEquation(builder_, PartOf(LabelAt(location), part), extents_, names_, element, write)
          ->getResult(0);
    };
    Value ended = over_points("ended", builder_.getI1Type(),
                              [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
                                Value before = CreateRead(body, location, had_ended, at),
                                      now = CreateRead(body, location, ends, at);
                                return {mlir::arith::OrIOp::create(body, location, before, now)};
                              });
    Value made =
        over_points("steps", builder_.getI64Type(),
                    [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
                      Value before = CreateRead(body, location, had_ended, at),
                            number = CreateRead(body, location, steps_before, at),
                            one = mlir::arith::ConstantOp::create(body, location, body.getI64IntegerAttr(1));
                      Value more = mlir::arith::AddIOp::create(body, location, number, one);
                      return {mlir::arith::SelectOp::create(body, location, before, number, more)};
                    });
    slices.pop_back();
    llvm::append_values(slices, ended, made, AllEnded(builder_, location, ended));
  }

  // The slice before for the points that had ended.
  Value Kept(mlir::Location location, Value had_ended, Value before, Value slice) {
    auto type = mlir::cast<mlir::RankedTensorType>(slice.getType());
    SmallVector<OpFoldResult> extents;
    SmallVector<mlir::Attribute> names(names_);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      extents.push_back(SizeOf(builder_, location, slice, axis));
      if (axis >= static_cast<int64_t>(Depth()))
        names.push_back(builder_.getStringAttr("r" + std::to_string(axis - Depth())));
    }
    auto equation = CreateEquation(
        builder_, PartOf(LabelAt(location), "kept"), extents, UniqueNames(names), type.getElementType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
          Value had = CreateRead(body, location, had_ended, at.take_front(Depth()));
          Value old = CreateRead(body, location, before, at), now = CreateRead(body, location, slice, at);
          return {mlir::arith::SelectOp::create(body, location, had, old, now)};
        });
    return equation->getResult(0);
  }

  // [positions, batch..., rest...] as [batch..., positions, rest...].
  Value PositionsBehindBatch(Value tensor) {
    auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> extents = extents_;
    SmallVector<mlir::Attribute> names(names_);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (axis >= 1 && axis <= static_cast<int64_t>(Depth())) continue;
      extents.push_back(SizeOf(builder_, tensor.getLoc(), tensor, axis));
      names.push_back(builder_.getStringAttr("r" + std::to_string(axis)));
    }
    auto equation = CreateEquation(
        builder_, {tensor.getLoc(), nullptr}, extents, UniqueNames(names), type.getElementType(),
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          SmallVector<Value> subscripts{indices[Depth()]};
          llvm::append_range(subscripts, indices.take_front(Depth()));
          llvm::append_range(subscripts, indices.drop_front(Depth() + 1));
          return {CreateRead(body, tensor.getLoc(), tensor, subscripts)};
        });
    return equation->getResult(0);
  }

  // Reads of the loop's own tensors in a cloned body get the loop's indices as first subscripts.
  void ReadBatched(ir::EquationOp equation) {
    SmallVector<Value> outer(equation.getBody().getArguments().take_front(Depth()));
    SmallVector<ir::ReadOp> reads;
    SmallVector<mlir::tensor::DimOp> dims;
    equation.getBody().walk([&](mlir::Operation* op) {
      if (auto read = mlir::dyn_cast<ir::ReadOp>(op); read && batched_.contains(read.getTensor()))
        reads.push_back(read);
      if (auto dim = mlir::dyn_cast<mlir::tensor::DimOp>(op); dim && batched_.contains(dim.getSource()))
        dims.push_back(dim);
    });
    for (ir::ReadOp read : reads) {
      mlir::OpBuilder builder(read);
      size_t first = histories_.contains(read.getTensor()) ? 1 : 0;  // position of the loop's axes
      SmallVector<Value> subscripts(read.getSubscripts());
      subscripts.insert(subscripts.begin() + first, outer.begin(), outer.end());
      SmallVector<ir::Outside> outside = OutsideOf(read);
      outside.insert(outside.begin() + first, Depth(), ir::Outside::inside);
      auto batched =
          CreateRead(builder, read.getLoc(), batched_[read.getTensor()], subscripts, outside, read.getFill());
      read.replaceAllUsesWith(batched.getResult());
      read.erase();
    }
    for (mlir::tensor::DimOp dim : dims) {
      mlir::OpBuilder builder(dim);
      Value axis = mlir::arith::ConstantIndexOp::create(builder, dim.getLoc(), Depth());
      axis = mlir::arith::AddIOp::create(builder, dim.getLoc(), axis, dim.getIndex());
      Value size = mlir::tensor::DimOp::create(builder, dim.getLoc(), batched_[dim.getSource()], axis);
      dim.replaceAllUsesWith(size);
      dim.erase();
    }
  }

  // The groups of a view with one more group per axis of the loop in front.
  SmallVector<mlir::ReassociationIndices> ShiftedGroups(SmallVector<mlir::ReassociationIndices> inner) const {
    SmallVector<mlir::ReassociationIndices> groups;
    for (unsigned axis = 0; axis < Depth(); ++axis) groups.push_back({axis});
    for (mlir::ReassociationIndices& group : inner) {
      for (int64_t& axis : group) axis += Depth();
      groups.push_back(group);
    }
    return groups;
  }

  mlir::LogicalResult RewriteCollapse(mlir::tensor::CollapseShapeOp collapse) {
    SmallVector<mlir::ReassociationIndices> groups = ShiftedGroups(collapse.getReassociationIndices());
    Value source = Batched(collapse.getSrc());
    batched_[collapse.getResult()] = mlir::tensor::CollapseShapeOp::create(
        builder_, collapse.getLoc(), BatchedType(collapse.getType()), source, groups);
    return mlir::success();
  }

  mlir::LogicalResult RewriteExpand(mlir::tensor::ExpandShapeOp expand) {
    SmallVector<OpFoldResult> shape = extents_;
    for (OpFoldResult size : expand.getMixedOutputShape()) {
      auto value = mlir::dyn_cast<Value>(size);
      if (value && scalars_.contains(value))
        return expand.emitError("has a size that differs between the points of a parallel loop");
      shape.push_back(Outside(size));
    }
    SmallVector<mlir::ReassociationIndices> groups = ShiftedGroups(expand.getReassociationIndices());
    Value source = Batched(expand.getSrc());
    batched_[expand.getResult()] = mlir::tensor::ExpandShapeOp::create(
        builder_, expand.getLoc(), BatchedType(expand.getType()), source, groups, shape);
    return mlir::success();
  }

  mlir::LogicalResult RewriteConcat(mlir::tensor::ConcatOp concat) {
    SmallVector<Value> sources;
    for (Value source : concat.getInputs()) sources.push_back(Batched(source));
    batched_[concat.getResult()] =
        mlir::tensor::ConcatOp::create(builder_, concat.getLoc(), BatchedType(concat.getType()),
                                       static_cast<uint64_t>(concat.getDim() + Depth()), sources);
    return mlir::success();
  }

  // Sorts along the last axis, whatever stands before it.
  mlir::LogicalResult RewriteSort(ir::SortOp sort) {
    SmallVector<Value> sizes;
    for (OpFoldResult extent : extents_)
      if (auto value = mlir::dyn_cast<Value>(extent)) sizes.push_back(value);
    for (Value size : sort.getSizes()) {
      if (scalars_.contains(size))
        return sort.emitError("has a size that differs between the points of a parallel loop");
      sizes.push_back(hoisted_.lookupOrDefault(size));
    }
    Value keys = Batched(sort.getKeys());
    batched_[sort.getOrder()] = ir::SortOp::create(
        builder_, sort.getLoc(), BatchedType(sort.getOrder().getType()), keys, sizes, sort.getDescending());
    return mlir::success();
  }

  mlir::OpBuilder& builder_;
  ir::LoopOp loop_;
  SmallVector<OpFoldResult> extents_;
  llvm::ArrayRef<mlir::Attribute> names_;
  const mlir::Block* body_;
  mlir::IRMapping hoisted_;
  llvm::DenseMap<Value, Value> batched_;
  llvm::DenseSet<Value> scalars_;
  llvm::DenseSet<Value> histories_;  // batched ones whose first axis is positions
};

struct InlineParallelPass : impl::InlineParallelBase<InlineParallelPass> {
  void runOnOperation() override {
    SmallVector<ir::LoopOp> loops;  // inner ones before those around them
    getOperation().walk([&](ir::LoopOp loop) {
      if (loop.isParallel()) loops.push_back(loop);
    });
    mlir::OpBuilder builder(&getContext());
    for (ir::LoopOp loop : loops)
      if (mlir::failed(Batcher(builder, loop).Run())) return signalPassFailure();
  }
};

}  // namespace
}  // namespace weft::passes
