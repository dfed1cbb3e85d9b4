// A recurrence that compares every step with all steps before it goes block by block.

#include <optional>

#include "llvm/ADT/DenseMap.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/fusion/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_BLOCKRECURRENCES
#include "passes/fusion/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Steps of one block: some vectors of results, and few enough that comparing them with each other costs
// little.
constexpr int64_t kBlock = 64;
// Shorter loops go step by step.
constexpr int64_t kShortest = 2 * kBlock;

// keep[i] = f(i, any(j < i) keep[j] and meets(i, j))
// (or first(i) <= j < i), made of blocks of steps:
//
//   of_row[b, k], of_column[b, l]   what `meets` needs of one step alone, once for all steps
//   block b: before[k] = any(j < block) keep[j] and meets(k, j)     all rows at once, kept columns only
//            within[k, l] = l < k and meets(k, l)
//            keep[k] = f(k, before[k] or any(l < k) keep[l] and within[k, l])     step by step, on bits
class Blocking {
 public:
  Blocking(ir::IterateOp iterate, mlir::func::FuncOp step, mlir::SymbolTable& symbols)
      : iterate_(iterate), step_(step), symbols_(symbols), builder_(iterate), loc_(iterate.getLoc()) {}

  // Whether it asks for any earlier step at all.
  bool IsCandidate() {
    return step_
        .walk([](ir::ReduceOp reduce) {
          return reduce.getKind() == ir::ReduceKind::any ? mlir::WalkResult::interrupt()
                                                         : mlir::WalkResult::advance();
        })
        .wasInterrupted();
  }

  bool Matches() {
    if (!MatchLoop() || !MatchStep() || !MatchReduction()) return false;
    InlineScalars();
    return IsTakenApart();
  }

  void Run() {
    label_ = LabelOf(equation_);
    extent_ = AsIndex(builder_, loc_, iterate_.getExtent());
    blocks_ = CountBlocks();
    for (Value value : of_row_) Precompute(value, row_, "row");
    for (Value value : of_column_) Precompute(value, column_, "column");
    if (lower_) tables_.push_back(FirstBlocks());
    mlir::func::FuncOp within = MakeWithinStep();
    mlir::func::FuncOp block = MakeBlockStep(within);
    SmallVector<Value> inputs(tables_.begin(), tables_.end());
    llvm::append_range(inputs, OuterInputs());
    Value kept = Iterate(builder_, block, blocks_, inputs, KeptType());
    auto flat = CreateEquation(builder_, label_, {iterate_.getExtent()}, {builder_.getStringAttr("i")},
                               {builder_.getI1Type()},
                               [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
                                 Value size = Number(body, kBlock);
                                 Value b = arith::DivSIOp::create(body, loc_, at[0], size);
                                 Value k = arith::RemSIOp::create(body, loc_, at[0], size);
                                 return {CreateRead(body, loc_, kept, {b, k})};
                               });
    iterate_->replaceAllUsesWith(flat);
    iterate_->erase();
    symbols_.erase(step_);
  }

 private:
  // ---- What is recognized

  bool MatchLoop() {
    if (iterate_.getOrder() != ir::LoopOrder::up || iterate_->getNumResults() != 1) return false;
    ir::LoopStates states = iterate_.getStates();
    if (states.size() != 1 || states[0].given != 0 || states[0].window != 0 || !states[0].history ||
        states[0].keep != ir::Keep::kAll)
      return false;
    auto kept = mlir::cast<mlir::RankedTensorType>(iterate_->getResult(0).getType());
    if (kept.getRank() != 1 || !kept.getElementType().isInteger(1)) return false;
    std::optional<int64_t> steps = mlir::getConstantIntValue(iterate_.getExtent());
    return !steps || *steps >= kShortest;
  }

  // One equation without axes that is the result, others that compute a value of the step for it alone, as
  // the area of its box, and numbers and sizes.
  bool MatchStep() {
    mlir::Block& body = step_.getBody().front();
    equation_ = DefiningEquation(body.getTerminator()->getOperand(0));
    if (!equation_ || equation_->getNumResults() != 1) return false;
    for (mlir::Operation& op : body.without_terminator()) {
      if (auto equation = mlir::dyn_cast<ir::EquationOp>(op)) {
        if (equation != equation_ && !IsPart(equation)) return false;
      } else if (op.getNumRegions() != 0 || !mlir::isMemoryEffectFree(&op) ||
                 llvm::any_of(op.getResultTypes(),
                              [](mlir::Type type) { return mlir::isa<mlir::ShapedType>(type); })) {
        return false;
      }
    }
    auto slice = mlir::cast<mlir::RankedTensorType>(equation_->getResult(0).getType());
    return slice.getRank() == 0 && slice.getElementType().isInteger(1);
  }

  bool IsPart(ir::EquationOp equation) {
    return equation->getNumResults() == 1 && equation.getNames().empty() && !HasReduction(equation) &&
           OnlyReads(equation->getResult(0));
  }

  // The parts are computed where they are read: all of that is taken apart below.
  void InlineScalars() {
    mlir::Block& body = step_.getBody().front();
    for (ir::EquationOp part : llvm::make_early_inc_range(body.getOps<ir::EquationOp>())) {
      if (part == equation_) continue;
      for (ir::ReadOp read : *OnlyReads(part->getResult(0))) {
        mlir::OpBuilder builder(read);
        mlir::IRMapping mapping;
        for (mlir::Operation& op : part.getBody().front().without_terminator()) builder.clone(op, mapping);
        read.getResult().replaceAllUsesWith(mapping.lookupOrDefault(YieldedValue(part, 0)));
        read->erase();
      }
      part->erase();
    }
  }

  // One `any` over all steps before this one, that reads once what they gave, as a condition.
  bool MatchReduction() {
    row_ = step_.getArgument(0);
    Value history = step_.getArgument(1);
    if (!history.hasOneUse()) return false;
    read_ = mlir::dyn_cast<ir::ReadOp>(*history.getUsers().begin());
    if (!read_) return false;
    reduce_ = mlir::dyn_cast<ir::ReduceOp>(read_->getParentOp());
    if (!reduce_ || reduce_.getKind() != ir::ReduceKind::any || reduce_.getLower().size() != 1 ||
        reduce_.getIfEmpty() || reduce_->getBlock() != &equation_.getBody().front() ||
        reduce_.getUpper()[0] != row_)
      return false;
    Value lower = reduce_.getLower()[0];
    if (mlir::getConstantIntValue(lower) != 0) {
      if (lower.getParentBlock() != reduce_->getBlock()) return false;
      lower_ = lower;
    }
    column_ = reduce_.getBody().getArgument(0);
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    return read_.getSubscripts()[0] == column_ && IsInside(read_) && IsRequired(read_.getResult(), yield);
  }

  // Whether what is yielded is false, or does not count, where `condition` is false.
  static bool IsRequired(Value condition, ir::YieldOp yield) {
    while (condition.hasOneUse()) {
      mlir::Operation* user = *condition.getUsers().begin();
      if (user == yield) return true;
      if (user->getBlock() != yield->getBlock()) return false;
      auto choice = mlir::dyn_cast<arith::SelectOp>(user);
      bool or_false = choice && choice.getTrueValue() == condition &&
                      mlir::getConstantIntValue(choice.getFalseValue()) == 0;
      if (!or_false && !mlir::isa<arith::AndIOp>(user)) return false;
      condition = user->getResult(0);
    }
    return false;
  }

  // Splits what the reduction's body is made of into what belongs to one step alone and what compares two.
  bool IsTakenApart() {
    for (mlir::Operation& op : equation_.getBody().front()) {
      if (&op == reduce_) break;
      sides_[&op] = SidesOf(&op);
      alone_.push_back(&op);
    }
    sides_[read_] = {true, true};
    for (mlir::Operation& op : reduce_.getBody().front().without_terminator()) {
      if (&op == read_) continue;
      Sides sides = sides_[&op] = SidesOf(&op);
      (sides.row && sides.column ? pairs_ : alone_).push_back(&op);
    }
    if (lower_) of_row_.insert(lower_);
    for (mlir::Operation* op : pairs_) CollectParts(op);
    CollectParts(reduce_.getBody().front().getTerminator());
    return llvm::all_of(llvm::concat<const Value>(of_row_, of_column_),
                        [](Value value) { return value.getType().isIntOrIndexOrFloat(); });
  }

  // Which of the two steps an operation of the reduction's body belongs to.
  struct Sides {
    bool row = false, column = false;
  };

  Sides SidesOf(mlir::Operation* op) {
    Sides sides;
    for (Value used : UsedFromOutside(op)) {
      Sides known = sides_.lookup(used.getDefiningOp());
      sides.row |= used == row_ || known.row;
      sides.column |= used == column_ || known.column;
    }
    return sides;
  }

  // What an operation on pairs takes from one step alone.
  void CollectParts(mlir::Operation* op) {
    for (Value used : UsedFromOutside(op)) {
      if (used == read_.getResult() || !used.getDefiningOp()) continue;
      Sides sides = sides_.lookup(used.getDefiningOp());
      if (sides.row && !sides.column) of_row_.insert(used);
      if (sides.column && !sides.row) of_column_.insert(used);
    }
  }

  // ---- What is written

  Value Number(mlir::OpBuilder& builder, int64_t number) {
    return arith::ConstantIndexOp::create(builder, loc_, number);
  }

  mlir::RankedTensorType BlockType() { return mlir::RankedTensorType::get({kBlock}, builder_.getI1Type()); }

  // Of all blocks.
  mlir::RankedTensorType KeptType() {
    return ir::HistoryType(BlockType(),
                           mlir::getConstantIntValue(blocks_).value_or(mlir::ShapedType::kDynamic));
  }

  OpFoldResult CountBlocks() {
    if (std::optional<int64_t> steps = mlir::getConstantIntValue(iterate_.getExtent()))
      return builder_.getIndexAttr((*steps + kBlock - 1) / kBlock);
    Value more = arith::AddIOp::create(builder_, loc_, extent_, Number(builder_, kBlock - 1));
    return arith::DivSIOp::create(builder_, loc_, more, Number(builder_, kBlock)).getResult();
  }

  SmallVector<Value> OuterInputs() {
    SmallVector<Value> inputs(iterate_.getInputs());
    inputs.push_back(extent_);
    return inputs;
  }

  // Step b * 64 + k, or the last one where there are fewer.
  Value StepAt(mlir::OpBuilder& body, Value b, Value k, Value extent) {
    Value at =
        arith::AddIOp::create(body, loc_, arith::MulIOp::create(body, loc_, b, Number(body, kBlock)), k);
    return arith::MinSIOp::create(body, loc_, at, arith::SubIOp::create(body, loc_, extent, Number(body, 1)));
  }

  // The step's own numbers and sizes, and its inputs, as `mapping` finds them at the loop.
  void MapStep(mlir::OpBuilder& builder, mlir::IRMapping& mapping, mlir::ValueRange inputs) {
    unsigned first = step_.getNumArguments() - static_cast<unsigned>(iterate_.getInputs().size());
    for (auto [number, input] : llvm::enumerate(inputs))
      mapping.map(step_.getArgument(first + static_cast<unsigned>(number)), input);
    for (mlir::Operation& op : step_.getBody().front().without_terminator())
      if (!mlir::isa<ir::EquationOp>(op)) builder.clone(op, mapping);
  }

  // A table over all blocks of one value that belongs to one step alone.
  void Precompute(Value value, Value index, llvm::StringRef part) {
    mlir::IRMapping outside;
    MapStep(builder_, outside, iterate_.getInputs());
    SmallVector<OpFoldResult> extents{blocks_, builder_.getIndexAttr(kBlock)};
    SmallVector<mlir::Attribute> names{builder_.getStringAttr("block"), builder_.getStringAttr(part)};
    bool counts = value.getType().isIndex();  // elements of tensors are no `index`
    mlir::Type type = counts ? builder_.getI64Type() : value.getType();
    auto table = CreateEquation(builder_, PartOf(label_, part), extents, names, {type},
                                [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
                                  mlir::IRMapping mapping = outside;
                                  mapping.map(index, StepAt(body, at[0], at[1], extent_));
                                  for (mlir::Operation* op : alone_)
                                    if (index == row_ ? !sides_[op].column : !sides_[op].row)
                                      body.clone(*op, mapping);
                                  Value entry = mapping.lookup(value);
                                  if (counts) entry = arith::IndexCastOp::create(body, loc_, type, entry);
                                  return {entry};
                                });
    tables_.push_back(table->getResult(0));
  }

  // The first block that some row of a block is compared with.
  Value FirstBlocks() {
    mlir::Type type = builder_.getI64Type();
    auto first = CreateEquation(
        builder_, PartOf(label_, "first"), {blocks_}, {builder_.getStringAttr("block")}, {type},
        [&](mlir::OpBuilder& body, mlir::ValueRange b) -> SmallVector<Value> {
          auto least = ir::ReduceOp::create(
              body, loc_, type, ir::ReduceKind::min, mlir::ValueRange{Number(body, 0)},
              mlir::ValueRange{Number(body, kBlock)}, {"row"}, Value(),
              [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange k) {
                ir::YieldOp::create(inner, loc_,
                                    CreateRead(inner, loc_, tables_[0], {b[0], k[0]}).getResult());
              });
          Value size = arith::ConstantOp::create(body, loc_, builder_.getI64IntegerAttr(kBlock));
          Value zero = arith::ConstantOp::create(body, loc_, builder_.getI64IntegerAttr(0));
          Value natural = arith::MaxSIOp::create(body, loc_, least, zero);
          return {arith::DivSIOp::create(body, loc_, natural, size)};
        });
    return first->getResult(0);
  }

  // Whether two steps meet: the row (b, k) and the column (c, l). `outside` maps the step's numbers and
  // sizes.
  Value Meets(mlir::OpBuilder& body, const mlir::IRMapping& outside, Value extent, mlir::ValueRange tables,
              mlir::ValueRange row, mlir::ValueRange column) {
    mlir::IRMapping mapping = outside;
    mapping.map(row_, StepAt(body, row[0], row[1], extent));
    Value other = StepAt(body, column[0], column[1], extent);
    mapping.map(column_, other);
    mapping.map(read_.getResult(),
                arith::ConstantOp::create(body, loc_, builder_.getBoolAttr(true)).getResult());
    unsigned number = 0;
    auto read = [&](Value value, mlir::ValueRange at) {
      Value entry = CreateRead(body, loc_, tables[number++], at);
      if (value.getType().isIndex()) entry = arith::IndexCastOp::create(body, loc_, value.getType(), entry);
      mapping.map(value, entry);
    };
    for (Value value : of_row_) read(value, row);
    for (Value value : of_column_) read(value, column);
    for (mlir::Operation* op : alone_)
      if (!sides_[op].row && !sides_[op].column) body.clone(*op, mapping);
    for (mlir::Operation* op : pairs_) body.clone(*op, mapping);
    auto yield = mlir::cast<ir::YieldOp>(reduce_.getBody().front().getTerminator());
    Value meets = mapping.lookupOrDefault(yield.getValues()[0]);
    if (yield.getCondition())
      meets = arith::AndIOp::create(body, loc_, meets, mapping.lookupOrDefault(yield.getCondition()));
    if (!lower_) return meets;
    Value counts =
        arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::sge, other, mapping.lookup(lower_));
    return arith::AndIOp::create(body, loc_, meets, counts);
  }

  mlir::func::FuncOp MakeFunction(llvm::StringRef suffix, mlir::TypeRange arguments) {
    std::string name = (step_.getSymName() + suffix).str();
    auto function = mlir::func::FuncOp::create(loc_, name, builder_.getFunctionType(arguments, {}));
    function.setPrivate();
    function->setAttr("weft.step", builder_.getUnitAttr());
    symbols_.insert(function);
    function.addEntryBlock();
    return function;
  }

  // What inputs of the method are called by says how large their sizes can be.
  void KeepShapes(mlir::func::FuncOp function, unsigned first) {
    unsigned own = step_.getNumArguments() - static_cast<unsigned>(iterate_.getInputs().size());
    for (unsigned i = 0; i < iterate_.getInputs().size(); ++i)
      if (mlir::Attribute shape = step_.getArgAttr(own + i, "weft.shape"))
        function.setArgAttr(first + i, "weft.shape", shape);
  }

  void Return(mlir::OpBuilder& builder, mlir::func::FuncOp function, Value value) {
    mlir::func::ReturnOp::create(builder, loc_, value);
    function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), value.getType()));
  }

  Value Iterate(mlir::OpBuilder& builder, mlir::func::FuncOp step, OpFoldResult extent,
                mlir::ValueRange inputs, mlir::Type result) {
    ir::LoopStates states{{/*given=*/0, /*window=*/0, /*history=*/true}};
    states.Number();
    mlir::NamedAttrList attributes;
    ir::WriteStates(builder, states, attributes);
    SmallVector<Value> extents;
    SmallVector<int64_t> numbers;
    mlir::dispatchIndexOpFoldResults(extent, extents, numbers);
    auto iterate = ir::IterateOp::create(builder, loc_, mlir::TypeRange{result}, ir::LoopOrder::up,
                                         step.getSymName(), extents, builder.getDenseI64ArrayAttr(numbers),
                                         inputs, mlir::ValueRange{}, mlir::ValueRange{},
                                         mlir::cast<mlir::DenseI64ArrayAttr>(attributes.get("given")),
                                         mlir::cast<mlir::DenseI64ArrayAttr>(attributes.get("window")),
                                         mlir::cast<mlir::DenseBoolArrayAttr>(attributes.get("history")),
                                         mlir::cast<mlir::ArrayAttr>(attributes.get("keep")));
    return iterate->getResult(0);
  }

  // (k, keep of the block, before, within, inputs, b, extent) -> whether step k of the block holds.
  mlir::func::FuncOp MakeWithinStep() {
    SmallVector<mlir::Type> types{builder_.getIndexType(), BlockType(), BlockType(),
                                  mlir::RankedTensorType::get({kBlock, kBlock}, builder_.getI1Type())};
    llvm::append_range(types, iterate_.getInputs().getTypes());
    types.append(2, builder_.getIndexType());
    mlir::func::FuncOp function = MakeFunction("_within", types);
    KeepShapes(function, 4);
    mlir::Block& entry = function.getBody().front();
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(&entry);
    mlir::ValueRange arguments = entry.getArguments();
    mlir::IRMapping outside;
    MapStep(builder, outside, arguments.drop_front(4).drop_back(2));
    Value k = arguments[0], b = arguments[types.size() - 2], extent = arguments[types.size() - 1];
    auto step = CreateEquation(
        builder, label_, {}, {}, {builder_.getI1Type()},
        [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
          mlir::IRMapping mapping = outside;
          mapping.map(row_, StepAt(body, b, k, extent));
          for (mlir::Operation& op : equation_.getBody().front().without_terminator()) {
            if (&op != reduce_) {
              body.clone(op, mapping);
              continue;
            }
            auto any = ir::ReduceOp::create(
                body, loc_, builder_.getI1Type(), ir::ReduceKind::any, mlir::ValueRange{Number(body, 0)},
                mlir::ValueRange{Number(body, kBlock)}, {"column"}, Value(),
                [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange l) {
                  Value kept = CreateRead(inner, loc_, arguments[1], l);
                  Value meets = CreateRead(inner, loc_, arguments[3], {k, l[0]});
                  Value both = arith::AndIOp::create(inner, loc_, kept, meets);
                  Value earlier = arith::CmpIOp::create(inner, loc_, arith::CmpIPredicate::slt, l[0], k);
                  ir::YieldOp::create(inner, loc_, mlir::ValueRange{both}, earlier);
                });
            Value before = CreateRead(body, loc_, arguments[2], {k});
            mapping.map(reduce_.getResult(), arith::OrIOp::create(body, loc_, before, any).getResult());
          }
          Value holds = mapping.lookupOrDefault(equation_.getBody().front().getTerminator()->getOperand(0));
          return {holds};
        });
    Return(builder, function, step->getResult(0));
    return function;
  }

  // (b, keep of the blocks before, tables, inputs, extent) -> keep of the block.
  mlir::func::FuncOp MakeBlockStep(mlir::func::FuncOp within) {
    SmallVector<mlir::Type> types{builder_.getIndexType(), KeptType()};
    for (Value table : tables_) types.push_back(table.getType());
    llvm::append_range(types, iterate_.getInputs().getTypes());
    types.push_back(builder_.getIndexType());
    mlir::func::FuncOp function = MakeFunction("_block", types);
    KeepShapes(function, 2 + static_cast<unsigned>(tables_.size()));
    mlir::Block& entry = function.getBody().front();
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(&entry);
    mlir::ValueRange arguments = entry.getArguments();
    mlir::ValueRange tables = arguments.slice(2, tables_.size());
    mlir::ValueRange inputs = arguments.drop_front(2 + tables_.size()).drop_back();
    mlir::IRMapping outside;
    MapStep(builder, outside, inputs);
    Value b = arguments[0], extent = arguments.back();
    mlir::Type bit = builder_.getI1Type();
    SmallVector<OpFoldResult> square(2, builder_.getIndexAttr(kBlock));
    SmallVector<mlir::Attribute> names{builder_.getStringAttr("row"), builder_.getStringAttr("column")};
    auto before =
        CreateEquation(builder, PartOf(label_, "before"), {square[0]}, {names[0]}, {bit},
                       [&](mlir::OpBuilder& body, mlir::ValueRange k) -> SmallVector<Value> {
                         Value zero = Number(body, 0), first = zero;
                         if (lower_)
                           first = arith::IndexCastOp::create(body, loc_, builder_.getIndexType(),
                                                              CreateRead(body, loc_, tables.back(), {b}));
                         auto any = ir::ReduceOp::create(
                             body, loc_, bit, ir::ReduceKind::any, mlir::ValueRange{first, zero},
                             mlir::ValueRange{b, Number(body, kBlock)}, {"block", "column"}, Value(),
                             [&](mlir::OpBuilder& inner, mlir::Location, mlir::ValueRange at) {
                               Value kept = CreateRead(inner, loc_, arguments[1], at);
                               Value meets = Meets(inner, outside, extent, tables, {b, k[0]}, at);
                               ir::YieldOp::create(inner, loc_, mlir::ValueRange{meets}, kept);
                             });
                         return {any.getResult()};
                       });
    auto among = CreateEquation(builder, PartOf(label_, "within"), square, names, {bit},
                                [&](mlir::OpBuilder& body, mlir::ValueRange at) -> SmallVector<Value> {
                                  return {Meets(body, outside, extent, tables, {b, at[0]}, {b, at[1]})};
                                });
    SmallVector<Value> given{before->getResult(0), among->getResult(0)};
    llvm::append_range(given, inputs);
    given.append({b, extent});
    Return(builder, function, Iterate(builder, within, builder_.getIndexAttr(kBlock), given, BlockType()));
    return function;
  }

  ir::IterateOp iterate_;
  mlir::func::FuncOp step_;
  mlir::SymbolTable& symbols_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  EquationLabel label_{loc_, nullptr};
  ir::EquationOp equation_;
  ir::ReduceOp reduce_;
  ir::ReadOp read_;
  Value lower_;         // the first step that a step is compared with, if not 0
  Value row_, column_;  // the step, and the one before that it is compared with
  llvm::DenseMap<mlir::Operation*, Sides> sides_;
  SmallVector<mlir::Operation*> alone_, pairs_;  // of the reduction's body, in order
  llvm::SetVector<Value> of_row_, of_column_;
  Value extent_;
  OpFoldResult blocks_;
  SmallVector<Value> tables_;  // of the rows, then of the columns
};

struct BlockRecurrencesPass : impl::BlockRecurrencesBase<BlockRecurrencesPass> {
  using BlockRecurrencesBase::BlockRecurrencesBase;

  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    SmallVector<ir::IterateOp> loops;
    getOperation().walk([&](ir::IterateOp iterate) { loops.push_back(iterate); });
    for (ir::IterateOp iterate : loops) {
      Blocking blocking(iterate, symbols.lookup<mlir::func::FuncOp>(iterate.getCallee()), symbols);
      bool is_candidate = explain && blocking.IsCandidate(), matches = blocking.Matches();
      if (is_candidate)
        mlir::emitRemark(iterate.getLoc())
            << "any of the steps before: "
            << (matches ? "in blocks of 64"
                        : "one after the other, because a step is more than one such question");
      if (matches) blocking.Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
