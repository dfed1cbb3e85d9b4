// The states of loops of steps: attributes, syntax and constraints of `weft.loop` and `weft.iterate`.

#include "compiler/ir/loop_states.h"

#include "compiler/ir/until.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace weft::ir {
namespace {

using mlir::LogicalResult;
using mlir::SmallVector;

constexpr llvm::StringLiteral kKeepWords[] = {"none", "last", "all"};

}  // namespace

void LoopStates::Number() {
  unsigned given = 0, arguments = 0;
  int results = 0;
  for (LoopState& state : *this) {
    state.first_given = given;
    state.first_argument = arguments;
    state.result = state.keep == Keep::kNone ? -1 : results++;
    given += static_cast<unsigned>(state.given);
    arguments += state.argument_count();
  }
}

LoopStates ReadStates(mlir::DenseI64ArrayAttr given, mlir::DenseI64ArrayAttr window,
                      mlir::DenseBoolArrayAttr history, mlir::ArrayAttr keep) {
  LoopStates states;
  for (int64_t i = 0; i < given.size(); ++i) {
    const auto* word =
        llvm::find(kKeepWords, mlir::cast<mlir::StringAttr>(keep[static_cast<unsigned>(i)]).getValue());
    states.push_back({given[i], window[i], history[i] != 0,
                      static_cast<Keep>(std::distance(std::begin(kKeepWords), word))});
  }
  states.Number();
  return states;
}

void WriteStates(mlir::Builder& builder, const LoopStates& states, mlir::NamedAttrList& attributes) {
  SmallVector<int64_t> given, window;
  SmallVector<bool> history;
  SmallVector<llvm::StringRef> keep;
  for (const LoopState& state : states) {
    given.push_back(state.given);
    window.push_back(state.window);
    history.push_back(state.history);
    keep.push_back(kKeepWords[static_cast<size_t>(state.keep)]);
  }
  attributes.set("given", builder.getDenseI64ArrayAttr(given));
  attributes.set("window", builder.getDenseI64ArrayAttr(window));
  attributes.set("history", builder.getDenseBoolArrayAttr(history));
  attributes.set("keep", builder.getStrArrayAttr(keep));
}

mlir::RankedTensorType HistoryType(mlir::RankedTensorType slice, int64_t positions) {
  SmallVector<int64_t> shape{positions};
  llvm::append_range(shape, slice.getShape());
  return mlir::RankedTensorType::get(shape, slice.getElementType());
}

namespace {

int64_t Positions(const LoopState& state, int64_t extent) {
  return mlir::ShapedType::isDynamic(extent) ? extent : extent + state.given;
}

// C3: the attributes fit each other, so that states can be read from them.
LogicalResult VerifyStateAttributes(mlir::Operation* op, mlir::DenseI64ArrayAttr given,
                                    mlir::DenseI64ArrayAttr window, mlir::DenseBoolArrayAttr history,
                                    mlir::ArrayAttr keep, size_t slices) {
  auto has = [&](size_t entries) { return entries == slices; };
  if (!given || !window || !history || !keep || !has(given.size()) || !has(window.size()) ||
      !has(history.size()) || !has(keep.size()))
    return op->emitOpError("C3: given, window, history and keep do not have ") << slices << " entries each";
  for (mlir::Attribute word : keep) {
    if (!llvm::is_contained(kKeepWords, mlir::cast<mlir::StringAttr>(word).getValue()))
      return op->emitOpError("C3: unknown word of `keep`: ") << word;
  }
  for (size_t i = 0; i < slices; ++i) {
    if (given[i] < 0 || window[i] < 0 || window[i] > given[i])
      return op->emitOpError("C3: the window ") << window[i] << " of " << given[i] << " given slices";
  }
  return mlir::success();
}

// `weft.iterate` has these constraints in one.
mlir::InFlightDiagnostic Fail(mlir::Operation* op, llvm::StringRef constraint) {
  return op->emitOpError() << (mlir::isa<IterateOp>(op) ? "C2" : constraint) << ": ";
}

// C4 to C7, and the types of what is given.
LogicalResult VerifyStateTypes(mlir::Operation* op, const LoopStates& states, int64_t extent,
                               mlir::TypeRange slices, mlir::TypeRange arguments, mlir::TypeRange from,
                               size_t sizes, mlir::TypeRange results, bool until) {
  size_t count = 0, given = 0, kept = 0, dynamic = 0;
  for (const LoopState& state : states) {
    count += state.argument_count();
    given += static_cast<size_t>(state.given);
    kept += state.result >= 0;
  }
  if (arguments.size() != count)
    return Fail(op, "C4") << "has " << arguments.size() << " arguments of states, not " << count;
  if (from.size() != given) return Fail(op, "C3") << "`from` has " << from.size() << " slices, not " << given;
  if (until) {
    auto is_one = [](mlir::Type type, unsigned width) {
      auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
      return tensor && tensor.getRank() == 0 && tensor.getElementType().isInteger(width);
    };
    const LoopState* last = states.empty() ? nullptr : &states.back();
    if (!last || !is_one(slices.back(), 1) || last->given > 0 || last->history || last->keep != Keep::kNone)
      return Fail(op, "C7") << "with `weft.until` the last state is one i1 of which nothing is kept";
    if (results.empty() || !is_one(results.back(), 64))
      return Fail(op, "C7") << "with `weft.until` the last result is one i64";
    results = results.drop_back();
  }
  if (results.size() != kept) return Fail(op, "C5") << "has " << results.size() << " results, not " << kept;
  for (auto [state, type] : llvm::zip_equal(states, slices)) {
    auto slice = mlir::dyn_cast<mlir::RankedTensorType>(type);
    if (!slice) return Fail(op, "C4") << "a slice is no tensor: " << type;
    dynamic += static_cast<size_t>(slice.getNumDynamicDims());
    for (int64_t i = 0; i < state.given; ++i)
      if (from[state.first_given + i] != slice)
        return Fail(op, "C3") << "gives " << from[state.first_given + i] << " for " << slice;
    for (int64_t i = 0; i < state.window; ++i)
      if (arguments[state.first_argument + i] != slice)
        return Fail(op, "C4") << "reads " << arguments[state.first_argument + i] << " of " << slice;
    mlir::Type whole = HistoryType(slice, Positions(state, extent));
    if (state.history && arguments[state.first_argument + state.window] != whole)
      return Fail(op, "C4") << "reads " << arguments[state.first_argument + state.window] << ", not "
                            << whole;
    mlir::Type kept_type = state.keep == Keep::kAll ? HistoryType(slice, extent) : slice;
    if (state.result >= 0 && results[state.result] != kept_type)
      return Fail(op, "C5") << "result " << results[state.result] << ", not " << kept_type;
  }
  if (sizes != dynamic)
    return Fail(op, "C6") << "has " << sizes << " sizes for " << dynamic << " run-time sizes of slices";
  return mlir::success();
}

// C8: two states over the points in front of the last one, and the points in front of all others.
LogicalResult VerifyPoints(LoopOp loop, mlir::TypeRange slices) {
  if (!EndsByPoint(loop)) return mlir::success();
  if (!EndsEarly(loop) || slices.size() < 3)
    return loop.emitOpError("C8: points end in loops with `weft.until` and two states for that");
  auto tensor = [&](size_t i) { return mlir::cast<mlir::RankedTensorType>(slices[i]); };
  size_t ended = slices.size() - 3, count = slices.size() - 2;
  if (!tensor(ended).getElementType().isInteger(1) || !tensor(count).getElementType().isInteger(64) ||
      tensor(ended).getShape() != tensor(count).getShape())
    return loop.emitOpError("C8: the states of points are i1 and i64 of one shape");
  llvm::ArrayRef<int64_t> points = tensor(ended).getShape();
  for (size_t i = 0; i < ended; ++i)
    if (tensor(i).getShape().take_front(points.size()) != points)
      return loop.emitOpError("C8: a slice without the points as first axes: ") << slices[i];
  return mlir::success();
}

}  // namespace

LoopStates LoopOp::getStates() {
  return ReadStates(getGivenAttr(), getWindowAttr(), getHistoryAttr(), getKeepAttr());
}

LogicalResult VerifySteps(LoopOp loop) {
  auto yield = mlir::dyn_cast_or_null<YieldOp>(
      loop.getBody().front().empty() ? nullptr : &loop.getBody().front().back());
  if (loop.getStaticExtents().size() != 1 || loop.getNames().size() != 1 ||
      loop.getBody().getNumArguments() == 0 || !loop.getBody().getArgument(0).getType().isIndex())
    return loop.emitOpError("C1: steps have one index and one extent");
  if (!yield || yield.getCondition()) return loop.emitOpError("C4: must yield one slice per state");
  if (mlir::failed(VerifyStateAttributes(loop, loop.getGivenAttr(), loop.getWindowAttr(),
                                         loop.getHistoryAttr(), loop.getKeepAttr(),
                                         yield.getValues().size())))
    return mlir::failure();
  SmallVector<mlir::Type> arguments(llvm::drop_begin(loop.getBody().getArgumentTypes()));
  if (mlir::failed(VerifyStateTypes(loop, loop.getStates(), loop.getStaticExtents()[0],
                                    yield.getValues().getTypes(), arguments, loop.getFrom().getTypes(),
                                    loop.getSizes().size(), loop.getResultTypes(), EndsEarly(loop))))
    return mlir::failure();
  return VerifyPoints(loop, yield.getValues().getTypes());
}

mlir::OpFoldResult IterateOp::getExtent() {
  return mlir::getMixedValues(getStaticExtents(), getExtents(), getContext())[0];
}

LoopStates IterateOp::getStates() {
  return ReadStates(getGivenAttr(), getWindowAttr(), getHistoryAttr(), getKeepAttr());
}

LogicalResult IterateOp::verify() {
  if (getStaticExtents().size() != 1 ||
      getExtents().size() != static_cast<size_t>(mlir::ShapedType::isDynamic(getStaticExtents()[0])))
    return emitOpError("C1: has one extent");
  return mlir::success();
}

LogicalResult IterateOp::verifySymbolUses(mlir::SymbolTableCollection& symbols) {
  auto step = symbols.lookupNearestSymbolFrom<mlir::FunctionOpInterface>(*this, getCalleeAttr());
  if (!step || !step->hasAttr("weft.step")) return emitOpError("C1: no step is called ") << getCallee();
  llvm::ArrayRef<mlir::Type> arguments = step.getArgumentTypes();
  if (mlir::failed(VerifyStateAttributes(*this, getGivenAttr(), getWindowAttr(), getHistoryAttr(),
                                         getKeepAttr(), step.getResultTypes().size())))
    return mlir::failure();
  LoopStates states = getStates();
  size_t of_states = states.empty() ? 0 : states.back().first_argument + states.back().argument_count();
  if (arguments.size() != 1 + of_states + getInputs().size() || !arguments[0].isIndex() ||
      llvm::to_vector(arguments.drop_front(1 + of_states)) != llvm::to_vector(getInputs().getTypes()))
    return emitOpError("C1: the step takes ") << arguments.size() << " other arguments";
  return VerifyStateTypes(*this, states, getStaticExtents()[0], step.getResultTypes(),
                          arguments.slice(1, of_states), getFrom().getTypes(), getSizes().size(),
                          getResultTypes(), EndsEarly(*this));
}

}  // namespace weft::ir
