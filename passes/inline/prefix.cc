#include "passes/inline/prefix.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/analysis/body.h"

namespace weft::passes {
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

}  // namespace

std::optional<Prefix> MatchPrefix(ir::ReduceOp reduce, ir::EquationOp equation, unsigned range) {
  Value lower = reduce.getLower()[range], upper = reduce.getUpper()[range];
  Prefix prefix{.range = range, .index = {}, .extent = {}};
  prefix.is_down = mlir::getConstantIntValue(lower) != 0;
  auto bound = MatchShifted(prefix.is_down ? lower : upper, equation);
  if (!bound || bound->by < 0 || bound->by > 1) return std::nullopt;
  prefix.index = bound->index;
  prefix.extent = ExtentsOf(equation)[prefix.index.getArgNumber()];
  prefix.shorter = prefix.is_down ? bound->by : 1 - bound->by;
  prefix.first = prefix.is_down ? bound->by : 0;
  if (prefix.is_down && !SameSize(mlir::getAsOpFoldResult(upper), prefix.extent)) return std::nullopt;
  return prefix;
}

bool IsLong(const Prefix& prefix) {
  std::optional<int64_t> number = mlir::getConstantIntValue(prefix.extent);
  return !number || *number >= kShortest;
}

OpFoldResult CountOf(const Prefix& prefix, mlir::OpBuilder& builder, mlir::Location loc) {
  if (prefix.shorter == 0) return prefix.extent;
  if (auto number = mlir::getConstantIntValue(prefix.extent)) return builder.getIndexAttr(*number - 1);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value less = arith::SubIOp::create(builder, loc, mlir::cast<Value>(prefix.extent), one);
  return arith::MaxSIOp::create(builder, loc, less, zero).getResult();
}

std::optional<Elements> ElementsOf(ir::ReduceOp reduce, llvm::ArrayRef<Value> bounds, ir::EquationOp equation,
                                   Value index) {
  SmallVector<Value> open(bounds);
  for (mlir::Operation& op : reduce.getBody().front())
    for (Value used : UsedFromOutside(&op))
      if (!reduce->isAncestor(used.getParentBlock()->getParentOp())) open.push_back(used);
  Elements elements;
  llvm::SetVector<mlir::Operation*> needed;
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) {
      if (argument == index) return std::nullopt;
      if (argument.getOwner() == &equation.getBody().front()) elements.indices.insert(argument);
      continue;
    }
    mlir::Operation* op = value.getDefiningOp();
    if (op->getBlock() != &equation.getBody().front()) continue;
    if (!mlir::isMemoryEffectFree(op) || !needed.insert(op)) continue;
    for (Value used : UsedFromOutside(op)) open.push_back(used);
  }
  for (mlir::Operation& op : equation.getBody().front())
    if (needed.contains(&op)) elements.needed.push_back(&op);
  return elements;
}

SmallVector<Value> CarryAlong(const Prefix& prefix, ir::EquationOp equation, ir::ReduceOp reduce,
                              mlir::ValueRange indices, llvm::ArrayRef<mlir::TypedAttr> start,
                              StepBuilder step) {
  mlir::OpBuilder builder(equation);
  mlir::Location loc = reduce.getLoc();
  EquationLabel label = LabelOf(equation);
  OpFoldResult count = CountOf(prefix, builder, loc);
  SmallVector<OpFoldResult> rest;
  SmallVector<mlir::Attribute> names;
  for (Value index : indices) {
    unsigned position = mlir::cast<mlir::BlockArgument>(index).getArgNumber();
    rest.push_back(ExtentsOf(equation)[position]);
    names.push_back(equation.getNames()[position]);
  }
  SmallVector<mlir::Type> elements =
      llvm::map_to_vector(start, [](mlir::TypedAttr value) { return value.getType(); });
  auto first =
      CreateEquation(builder, label, rest, names, elements, [&](mlir::OpBuilder& body, mlir::ValueRange) {
        return llvm::map_to_vector(start, [&](mlir::TypedAttr value) -> Value {
          return arith::ConstantOp::create(body, loc, value);
        });
      });
  SmallVector<Value> sizes;
  for (size_t i = 0; i < elements.size(); ++i)
    for (OpFoldResult size : rest)
      if (auto value = mlir::dyn_cast<Value>(size)) sizes.push_back(value);
  int64_t positions =
      mlir::isa<mlir::Attribute>(count) ? *mlir::getConstantIntValue(count) : mlir::ShapedType::kDynamic;
  ir::LoopStates states;
  SmallVector<mlir::Type> slices, histories;
  for (mlir::Type slice : first->getResultTypes()) {
    states.push_back({/*given=*/1, /*window=*/1});
    slices.push_back(slice);
    histories.push_back(ir::HistoryType(mlir::cast<mlir::RankedTensorType>(slice), positions));
  }
  states.Number();
  llvm::StringRef name = mlir::cast<mlir::StringAttr>(reduce.getNames()[prefix.range]).getValue();
  auto loop = ir::LoopOp::create(
      builder, loc, histories, prefix.is_down ? ir::LoopOrder::down : ir::LoopOrder::up, count, name, slices,
      first->getResults(), sizes, states,
      [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange arguments) {
        auto next = CreateEquation(
            inner, label, rest, names, elements, [&](mlir::OpBuilder& body, mlir::ValueRange at) {
              Value element = arguments[0];
              if (prefix.first > 0)
                element = arith::AddIOp::create(body, loc, element,
                                                arith::ConstantIndexOp::create(body, loc, prefix.first));
              SmallVector<Value> carried = llvm::map_to_vector(
                  arguments.drop_front(),
                  [&](Value tensor) -> Value { return CreateRead(body, loc, tensor, at); });
              return step(body, element, carried, at);
            });
        ir::YieldOp::create(inner, loc, next->getResults());
      });
  return SmallVector<Value>(loop.getResults());
}

Value ReadCarried(mlir::OpBuilder& b, const Prefix& prefix, Value carried, mlir::ValueRange indices,
                  Value none) {
  mlir::Location loc = carried.getLoc();
  Value position = prefix.index;
  if (prefix.shift() != 0)
    position =
        arith::AddIOp::create(b, loc, position, arith::ConstantIndexOp::create(b, loc, prefix.shift()));
  SmallVector<Value> subscripts{position};
  llvm::append_range(subscripts, indices);
  SmallVector<ir::Outside> outside(subscripts.size(), ir::Outside::inside);
  if (prefix.shorter > 0) outside[0] = ir::Outside::fill;
  return CreateRead(b, loc, carried, subscripts, outside, prefix.shorter > 0 ? none : Value());
}

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
    default:  // the one that is chosen
      return y;
  }
}

Value IsBetter(mlir::OpBuilder& b, mlir::Location loc, Value x, Value y, bool largest) {
  if (!mlir::isa<mlir::FloatType>(x.getType())) {
    bool is_truth = x.getType().isInteger(1);
    auto more = is_truth ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt;
    return largest ? arith::CmpIOp::create(b, loc, more, x, y) : arith::CmpIOp::create(b, loc, more, y, x);
  }
  // The larger of the two is better, or worse: more, or no number where the other is one.
  Value large = largest ? x : y, small = largest ? y : x;
  Value more = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, large, small);
  Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, large, large);
  Value number = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, small, small);
  return arith::OrIOp::create(b, loc, more, arith::AndIOp::create(b, loc, none, number));
}

}  // namespace weft::passes
