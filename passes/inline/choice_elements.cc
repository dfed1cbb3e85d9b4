#include "passes/inline/choice_elements.h"

#include "compiler/ir/choice.h"
#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/until.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/analysis/body.h"
#include "passes/analysis/extraction.h"
#include "passes/inline/ends_by_point.h"

namespace weft::passes {
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

class ElementFinder {
 public:
  explicit ElementFinder(Choice& choice) : choice_(choice) {}

  bool Run(llvm::StringRef& why) {
    CollectElements();
    if (!FindRows(why)) return false;
    for (ChoiceElement& element : choice_.elements) Assess(element);
    return FindRest(why) && IsWorthwhile(why);
  }

 private:
  bool Asks(Value condition, int64_t number) {
    auto compare = condition.getDefiningOp<arith::CmpIOp>();
    return compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
           compare.getLhs() == choice_.Selector() && mlir::getConstantIntValue(compare.getRhs()) == number;
  }

  // The branches of `if k == 0 ... else if k == 1 ... else ...`.
  void CollectElements() {
    int64_t count = choice_.branch->getAttrOfType<mlir::IntegerAttr>(ir::kChoice).getInt();
    mlir::scf::IfOp branch = choice_.branch;
    for (int64_t number = 0;; ++number) {
      choice_.elements.push_back(
          {branch.thenBlock(), branch.thenYield().getOperand(0), number, number + 1, {}, 0, false, {}});
      Value rest = branch.elseYield().getOperand(0);
      auto next = rest.getDefiningOp<mlir::scf::IfOp>();
      if (!next || next->getBlock() != branch.elseBlock() || number + 2 >= count ||
          !Asks(next.getCondition(), number + 1)) {
        choice_.elements.push_back({branch.elseBlock(), rest, number + 1, count, {}, 0, false, {}});
        return;
      }
      branch = next;
    }
  }

  // Of the equation and of reductions in it.
  SmallVector<Value> OwnIndices(Value value) {
    SmallVector<Value> indices = OrderedIndices(value, choice_.equation);
    llvm::erase_if(indices, [&](Value index) {
      return !choice_.equation->isAncestor(mlir::cast<mlir::BlockArgument>(index).getOwner()->getParentOp());
    });
    return indices;
  }

  // The indices that the selector depends on.
  bool FindRows(llvm::StringRef& why) {
    for (mlir::Operation* op = choice_.branch->getParentOp(); op != choice_.equation; op = op->getParentOp())
      if (!mlir::isa<ir::ReduceOp>(op)) why = "it stands in a branch";
    choice_.rows = OwnIndices(choice_.Selector());
    for (Value index : choice_.rows) {
      OpFoldResult extent = ExtentOf(index, choice_.equation);
      if (!extent) why = "it depends on an index that does not count from 0 to a size";
      choice_.row_extents.push_back(extent);
    }
    return why.empty();
  }

  void Assess(ChoiceElement& element) {
    CollectOwn(element);
    for (mlir::Operation* op : SliceOf(element.value, choice_.equation)) element.cost += CostOf(op, kUnknown);
    element.cost *= Points(Others(OwnIndices(element.value)));
    for (mlir::Operation* op : element.own)
      element.cost += CostOfAll(op) / (choice_.rows.empty() ? 1 : Points(choice_.rows));
  }

  static double Points(llvm::ArrayRef<OpFoldResult> extents) {
    double points = 1;
    for (OpFoldResult extent : extents)
      points *= extent ? static_cast<double>(mlir::getConstantIntValue(extent).value_or(kUnknown)) : kUnknown;
    return points;
  }
  double Points(llvm::ArrayRef<Value> indices) {
    return Points(llvm::map_to_vector(
        indices, [&](Value index) -> OpFoldResult { return ExtentOf(index, choice_.equation); }));
  }

  static double CostOfAll(mlir::Operation* op) {
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(op))
      return CostPerPoint(equation, kUnknown) * Points(ExtentsOf(equation));
    double cost = 0;
    if (auto loop = mlir::dyn_cast<ir::LoopOp>(op)) {
      for (mlir::Operation& inner : loop.getBody().front()) cost += CostOfAll(&inner);
      cost *= Points(ExtentsOf(loop));
    }
    if (mlir::isa<ir::SortOp, ir::FilterOp, ir::SegmentsOp>(op)) cost = kCheapest * kUnknown;
    return cost;
  }

  SmallVector<Value> Others(llvm::ArrayRef<Value> indices) {
    SmallVector<Value> others(indices);
    llvm::erase_if(others, [&](Value index) { return llvm::is_contained(choice_.rows, index); });
    return others;
  }

  // What is used for this element alone, each value row by row. What reads of a tensor that is not stays
  // outside, and so does what that needs; so it goes from the equation back, until nothing changes.
  void CollectOwn(ChoiceElement& element) {
    llvm::DenseSet<mlir::Operation*> refused;
    for (bool changed = true; changed;) {
      changed = false;
      element.own.clear();
      for (mlir::Operation* op = choice_.equation->getPrevNode(); op; op = op->getPrevNode())
        if (!refused.contains(op) && IsOwn(op, element)) element.own.insert(op);
      if (choice_.rows.empty()) break;
      for (mlir::Operation* op : element.own) {
        bool is_view = !mlir::isa<ir::EquationOp, ir::LoopOp>(op);
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

  bool IsOwn(mlir::Operation* op, const ChoiceElement& element) {
    if (op->getNumResults() == 0 || op->use_empty() || !mlir::isMemoryEffectFree(op)) return false;
    if (choice_.rows.empty())
      return llvm::all_of(op->getUsers(), [&](mlir::Operation* user) { return IsFor(user, element); });
    bool all_are_for =
        llvm::all_of(op->getUsers(), [&](mlir::Operation* user) { return IsFor(user, element); });
    if (auto loop = mlir::dyn_cast<ir::LoopOp>(op)) return all_are_for && GoesByRows(loop);
    return all_are_for && GoesByRows(op);
  }

  // The axes along which all uses of the results go with the rows: nothing where one does not.
  std::optional<SmallVector<unsigned>> AxesOfUses(mlir::ResultRange results) {
    std::optional<SmallVector<unsigned>> axes;
    for (Value result : results) {
      for (mlir::OpOperand& use : result.getUses()) {
        ir::EquationOp user = EnclosingEquation(use.getOwner());
        if (user && AsksForEnd(user)) continue;
        SmallVector<unsigned> used;
        if (!FindAxes(use, used) || (axes && *axes != used)) return std::nullopt;
        axes = used;
      }
    }
    return axes;
  }

  bool GoesByRows(mlir::Operation* op) {
    if (!mlir::isa<ir::EquationOp, mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp,
                   mlir::tensor::ConcatOp, mlir::tensor::CastOp, ir::SortOp>(op))
      return false;
    auto axes = AxesOfUses(op->getResults());
    if (!axes) return false;
    for (Value result : op->getResults()) {
      for (auto [axis, extent] : llvm::zip_equal(*axes, choice_.row_extents))
        if (!AxisHasSize(result, axis, extent)) return false;
      choice_.axes[result] = *axes;
    }
    return true;
  }

  // A loop of steps, where each of its states has the rows. What its steps compute has them too, or is the
  // same for all. It goes from the results back through the steps, from the states that are known to others.
  // Where points end by themselves the last state is none: it is asked of the rows alone.
  bool GoesByRows(ir::LoopOp loop) {
    if (loop.isParallel() || loop->hasAttr(ir::kSide)) return false;
    if (ir::EndsEarly(loop) && !(ir::EndsByPoint(loop) && ir::StepCount(loop).use_empty())) return false;
    if (StepsAreRows(loop)) return true;
    ir::LoopStates states = StatesOfRows(loop);
    mlir::Block& body = loop.getBody().front();
    choice_.state_axes[loop].assign(states.size(), {});
    for (mlir::Operation& op : body)
      for (Value result : op.getResults()) choice_.axes.erase(result);
    size_t known = 0;
    for (size_t before = states.size() + 1; known != before;) {
      before = known;
      for (mlir::Operation& op : llvm::reverse(body.without_terminator())) Visit(&op);
      SmallVector<SmallVector<unsigned>>& axes = choice_.state_axes[loop];
      for (auto [state, of_state] : llvm::zip_equal(states, axes))
        if (of_state.empty()) FindStateAxes(loop, state, of_state);
      if (ir::EndsByPoint(loop)) FindEndAxes(loop, states, axes);
      known = llvm::count_if(axes, [](llvm::ArrayRef<unsigned> of_state) { return !of_state.empty(); });
    }
    bool goes = known == states.size() && AreStatesAsFound(loop);
    for (mlir::Operation& op : llvm::reverse(body.without_terminator()))
      goes = goes &&
             (AsksForEnd(&op) || (KnowsRows(&op) ? Visit(&op) && CanRead(&op, loop) : IsSameForAll(&op)));
    if (!goes) choice_.state_axes.erase(loop);
    return goes;
  }

  // Those that have the rows.
  static ir::LoopStates StatesOfRows(ir::LoopOp loop) {
    ir::LoopStates states = loop.getStates();
    if (ir::EndsByPoint(loop)) states.pop_back();
    return states;
  }

  // Whether this asks if all points have ended.
  static bool AsksForEnd(mlir::Operation* op) {
    auto loop = mlir::dyn_cast_or_null<ir::LoopOp>(op->getParentOp());
    return loop && ir::EndsByPoint(loop) && EndOfStep(loop) == op;
  }

  // A loop that computes one row after the other, each by itself; of several indices a loop in a loop.
  bool StepsAreRows(ir::LoopOp loop) {
    SmallVector<ir::LoopOp> loops;
    for (ir::LoopOp inner = loop; inner && IsOfEqualSteps(inner); inner = OnlyLoopIn(inner))
      if (loops.push_back(inner); loops.size() == choice_.rows.size()) break;
    if (loops.empty() || loops.size() != choice_.rows.size()) return false;
    auto axes = AxesOfUses(loop->getResults());
    if (!axes) return false;
    SmallVector<Value> indices;
    for (auto [axis, extent] : llvm::zip_equal(*axes, choice_.row_extents)) {
      if (axis >= loops.size() || !SameSize(loops[axis].getMixedExtents()[0], extent)) return false;
      indices.push_back(loops[axis].getBody().getArgument(0));
    }
    for (Value result : loop->getResults()) choice_.axes[result] = *axes;
    choice_.row_loops[loop] = indices;
    return true;
  }

  // Whether its steps read none of each other, and take their number for nothing but positions of elements.
  static bool IsOfEqualSteps(ir::LoopOp loop) {
    bool are_alone = llvm::all_of(loop.getStates(), [](const ir::LoopState& state) {
      return state.given == 0 && !state.history && state.keep == ir::Keep::kAll;
    });
    return are_alone && !loop.isParallel() && !ir::EndsEarly(loop) && !loop->hasAttr(ir::kSide) &&
           llvm::all_of(loop.getBody().getArgument(0).getUsers(),
                        [](mlir::Operation* user) { return EnclosingEquation(user) != nullptr; });
  }

  // The loop whose results each step gives, where there is nothing else in a step.
  static ir::LoopOp OnlyLoopIn(ir::LoopOp loop) {
    mlir::Block& body = loop.getBody().front();
    auto inner = mlir::dyn_cast<ir::LoopOp>(body.front());
    bool is_all = inner && inner->getNextNode() == body.getTerminator() &&
                  llvm::equal(inner->getResults(), body.getTerminator()->getOperands());
    return is_all ? inner : ir::LoopOp();
  }

  bool Visit(mlir::Operation* op) {
    auto inner = mlir::dyn_cast<ir::LoopOp>(op);
    return inner ? GoesByRows(inner) : op->getNumResults() > 0 && GoesByRows(op);
  }

  // What is no equation reads by rows what is by rows; before the loop that may yet turn out not to be.
  bool CanRead(mlir::Operation* op, ir::LoopOp loop) {
    return mlir::isa<ir::EquationOp, ir::LoopOp>(op) || llvm::all_of(op->getOperands(), [&](Value operand) {
             return !mlir::isa<mlir::RankedTensorType>(operand.getType()) ||
                    (choice_.axes.contains(operand) &&
                     loop->isAncestor(operand.getParentBlock()->getParentOp()));
           });
  }

  bool KnowsRows(mlir::Operation* op) {
    return llvm::any_of(op->getResults(), [&](Value result) { return choice_.axes.contains(result); });
  }

  bool IsSameForAll(mlir::Operation* op) {
    bool reads_rows = false;
    op->walk([&](mlir::Operation* inner) {
      for (Value operand : inner->getOperands()) reads_rows |= choice_.axes.contains(operand);
    });
    return !reads_rows;
  }

  // The values that hold slices of a state, those with an axis of steps in front marked.
  SmallVector<std::pair<Value, bool>> ValuesOf(ir::LoopOp loop, const ir::LoopState& state) {
    SmallVector<std::pair<Value, bool>> values;
    if (state.result >= 0)
      values.emplace_back(loop.getResult(static_cast<unsigned>(state.result)), state.keep == ir::Keep::kAll);
    for (unsigned i = 0; i < state.argument_count(); ++i)
      values.emplace_back(loop.getBody().getArgument(1 + state.first_argument + i),
                          i >= static_cast<unsigned>(state.window));
    return values;
  }

  // By what reads one of its slices.
  void FindStateAxes(ir::LoopOp loop, const ir::LoopState& state, SmallVector<unsigned>& axes) {
    for (auto [value, is_history] : ValuesOf(loop, state)) {
      for (mlir::OpOperand& use : value.getUses()) {
        SmallVector<unsigned> used;
        if (!FindAxes(use, used) || (is_history && llvm::is_contained(used, 0))) continue;
        for (unsigned& axis : used) axis -= is_history;
        axes = used;
      }
    }
    if (!axes.empty()) SetStateAxes(loop, state, axes);
  }

  // The points are the first axes of all states: of whether one has ended, and after how many steps, too.
  void FindEndAxes(ir::LoopOp loop, const ir::LoopStates& states,
                   llvm::MutableArrayRef<SmallVector<unsigned>> axes) {
    auto known = llvm::find_if(axes, [](llvm::ArrayRef<unsigned> of_state) { return !of_state.empty(); });
    if (known == axes.end()) return;
    SmallVector<unsigned> of_points = *known;
    auto points = mlir::cast<mlir::RankedTensorType>(EndedSlice(loop).getType());
    if (llvm::any_of(of_points, [&](unsigned axis) { return axis >= points.getRank(); })) return;
    for (size_t i = axes.size() - 2; i < axes.size(); ++i)
      if (axes[i].empty()) SetStateAxes(loop, states[i], axes[i] = of_points);
  }

  void SetStateAxes(ir::LoopOp loop, const ir::LoopState& state, llvm::ArrayRef<unsigned> axes) {
    for (auto [value, is_history] : ValuesOf(loop, state)) {
      SmallVector<unsigned>& of_value = choice_.axes[value];
      of_value.assign(axes.begin(), axes.end());
      for (unsigned& axis : of_value) axis += is_history;
      if (is_history) choice_.histories.insert(value);
    }
  }

  bool AreStatesAsFound(ir::LoopOp loop) {
    for (const ir::LoopState& state : StatesOfRows(loop)) {
      for (auto [value, is_history] : ValuesOf(loop, state)) {
        for (mlir::OpOperand& use : value.getUses()) {
          SmallVector<unsigned> used;
          bool is_read = mlir::isa<ir::ReadOp>(use.getOwner());
          if (!FindAxes(use, used) || used != choice_.axes.at(value) || (is_history && !is_read))
            return false;
        }
      }
    }
    return true;
  }

  bool IsFor(mlir::Operation* user, const ChoiceElement& element) {
    if (element.block->getParent()->isAncestor(user->getParentRegion())) return true;
    mlir::Operation* whole = choice_.equation->getBlock()->findAncestorOpInBlock(*user);
    return whole && element.own.contains(whole);
  }

  // The axes of a value along which a use of it goes with the rows.
  bool FindAxes(mlir::OpOperand& use, SmallVector<unsigned>& axes) {
    mlir::Operation* user = use.getOwner();
    if (mlir::isa<ir::YieldOp, ir::LoopOp>(user)) return FindAxesOfState(use, axes);
    if (auto read = mlir::dyn_cast<ir::ReadOp>(user)) {
      ir::EquationOp reader = EnclosingEquation(read);
      SmallVector<Value> rows = choice_.rows;
      if (const SmallVector<Value>* counted = RowsOfLoopAround(reader)) {
        rows = *counted;
      } else if (reader != choice_.equation) {
        rows.clear();
        auto known = choice_.axes.find(reader->getResult(0));
        if (known == choice_.axes.end()) return false;
        for (unsigned axis : known->second) rows.push_back(reader.getBody().getArgument(axis));
      }
      for (Value index : rows) {
        auto place = llvm::find(read.getSubscripts(), index);
        if (place == read.getSubscripts().end()) return false;
        axes.push_back(static_cast<unsigned>(place - read.getSubscripts().begin()));
        if (read.getOutsideAt(axes.back()) != ir::Outside::inside) return false;
      }
      return true;
    }
    auto known = user->getNumResults() > 0 ? choice_.axes.find(user->getResult(0)) : choice_.axes.end();
    if (known == choice_.axes.end()) return false;
    axes = known->second;
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

  // The indices of the rows in a loop of which each step is one; null outside of such loops.
  const SmallVector<Value>* RowsOfLoopAround(mlir::Operation* op) {
    for (auto loop = op->getParentOfType<ir::LoopOp>(); loop; loop = loop->getParentOfType<ir::LoopOp>())
      if (auto known = choice_.row_loops.find(loop); known != choice_.row_loops.end()) return &known->second;
    return nullptr;
  }

  // Of what a step yields, or what a loop begins with.
  bool FindAxesOfState(mlir::OpOperand& use, SmallVector<unsigned>& axes) {
    mlir::Operation* user = use.getOwner();
    auto loop = mlir::dyn_cast<ir::LoopOp>(mlir::isa<ir::YieldOp>(user) ? user->getParentOp() : user);
    auto known = loop ? choice_.state_axes.find(loop) : choice_.state_axes.end();
    if (known == choice_.state_axes.end()) return false;
    if (loop != user) {
      if (use.getOperandNumber() < known->second.size()) axes = known->second[use.getOperandNumber()];
      return !axes.empty();
    }
    for (auto [state, of_state] : llvm::zip(loop.getStates(), known->second)) {
      unsigned begin = loop.getFrom().getBeginOperandIndex() + state.first_given;
      if (use.getOperandNumber() < begin ||
          use.getOperandNumber() >= begin + static_cast<unsigned>(state.given))
        continue;
      axes = of_state;
      return !axes.empty();
    }
    return false;
  }

  // The indices that costly elements depend on besides the rows.
  bool FindRest(llvm::StringRef& why) {
    for (ChoiceElement& element : choice_.elements) {
      SmallVector<Value> others = Others(OwnIndices(element.value));
      element.is_costly =
          element.cost >= kCheapest * Points(others) && !mlir::isa<mlir::IndexType>(element.value.getType());
      if (!element.is_costly) continue;
      for (Value index : others) {
        if (llvm::is_contained(choice_.rest, index)) continue;
        choice_.rest.push_back(index);
        if (!ExtentOf(index, choice_.equation)) {
          why = "its elements depend on an index that does not count from 0 to a size";
          return false;
        }
      }
    }
    for (Value index : choice_.rest) choice_.rest_extents.push_back(ExtentOf(index, choice_.equation));
    return true;
  }

  bool IsWorthwhile(llvm::StringRef& why) {
    double cost = 0;
    for (const ChoiceElement& element : choice_.elements)
      if (element.is_costly) cost += element.cost;
    if (cost == 0) {
      why = llvm::any_of(choice_.elements,
                         [&](const ChoiceElement& element) { return ReadsSharedSteps(element); })
                ? "a loop that they read ends for all at once"
                : "they take little";
    } else if (choice_.rows.empty() ? cost < kLeastWorkOnce : cost * Points(choice_.rows) < kLeastWork) {
      why = "there are so few that computing all is cheaper";
    }
    return why.empty();
  }

  // Whether it reads slices of a loop that ends early, but not by point.
  bool ReadsSharedSteps(const ChoiceElement& element) {
    return llvm::any_of(SliceOf(element.value, choice_.equation), [](mlir::Operation* op) {
      auto read = mlir::dyn_cast<ir::ReadOp>(op);
      mlir::Operation* source = read ? read.getTensor().getDefiningOp() : nullptr;
      while (mlir::isa_and_nonnull<mlir::tensor::ExtractSliceOp, mlir::tensor::CollapseShapeOp,
                                   mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp>(source))
        source = source->getOperand(0).getDefiningOp();
      return mlir::isa_and_nonnull<ir::LoopOp>(source) && ir::EndsEarly(source) && !ir::EndsByPoint(source);
    });
  }

  Choice& choice_;
};

}  // namespace

bool FindElements(Choice& choice, llvm::StringRef& why) { return ElementFinder(choice).Run(why); }

}  // namespace weft::passes
