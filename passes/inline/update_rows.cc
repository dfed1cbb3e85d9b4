#include "compiler/ir/scatter_ops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/linear_form.h"
#include "passes/inline/passes.h"

// `rec s[t, n, d] = (new[t, d] if n == at[t] else s[t-1, n, d])` computes all of s to change one row. The row
// alone is computed, and `weft.update` puts it into the state.

namespace weft::passes {

#define GEN_PASS_DEF_UPDATEROWS
#include "passes/inline/passes.h.inc"

namespace {

namespace arith = mlir::arith;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Smaller states are computed whole, in one kernel with their loop.
constexpr int64_t kSmallestState = 4096;

// An index of the equation that must have the value of `at`, which knows none of its indices.
struct Position {
  mlir::BlockArgument index;
  LinearForm at;
};

// One state of a loop whose next slice differs from the one before at positions that the step alone decides.
class RowUpdate {
 public:
  RowUpdate(ir::LoopOp loop, unsigned state, ir::EquationOp equation)
      : equation_(equation), builder_(equation), loc_(equation.getLoc()) {
    before_ = loop.getBody().getArgument(1 + loop.getStates()[state].first_argument);
  }

  // The same of a state of the program.
  RowUpdate(ir::WeightOp state, ir::EquationOp equation)
      : equation_(equation), builder_(equation), loc_(equation.getLoc()), before_(state) {}

  bool Matches() {
    mlir::Operation* choice = YieldedValue(equation_, 0).getDefiningOp();
    if (!choice || choice->getBlock() != &equation_.getBody().front() || !IsLarge()) return false;
    Value kept;
    if (auto select = mlir::dyn_cast<arith::SelectOp>(choice)) {
      condition_ = select.getCondition();
      changed_ = select.getTrueValue();
      kept = select.getFalseValue();
    } else if (auto branch = mlir::dyn_cast<mlir::scf::IfOp>(choice)) {
      condition_ = branch.getCondition();
      branch_ = branch;
      changed_ = branch.thenYield().getOperand(0);
      kept = branch.elseYield().getOperand(0);
    } else {
      return false;
    }
    auto read = kept.getDefiningOp<ir::ReadOp>();
    return read && read.getTensor() == before_ && IsInside(read) &&
           llvm::equal(read.getSubscripts(), equation_.getBody().getArguments()) && SolveCondition();
  }

  void Run() {
    SmallVector<Value> positions;
    SmallVector<int64_t> axes;
    for (const Position& position : positions_) {
      axes.push_back(position.index.getArgNumber());
      positions.push_back(ComputePosition(position));
    }
    Value row = ComputeRow(positions);
    auto update = ir::UpdateOp::create(builder_, loc_, before_.getType(), before_, axes, positions, row);
    equation_->getResult(0).replaceAllUsesWith(update.getResult());
    equation_->erase();
  }

 private:
  bool IsLarge() {
    std::optional<int64_t> points = PointCount(equation_);
    return !points || *points > kSmallestState;
  }

  // All of the condition must be equalities with indices, or no row would do.
  bool SolveCondition() {
    SmallVector<Value> open = {condition_};
    while (!open.empty()) {
      Value part = open.pop_back_val();
      if (auto both = part.getDefiningOp<arith::AndIOp>()) {
        open.push_back(both.getLhs());
        open.push_back(both.getRhs());
      } else if (!SolveEquality(part)) {
        return false;
      }
    }
    llvm::sort(positions_, [](const Position& a, const Position& b) {
      return a.index.getArgNumber() < b.index.getArgNumber();
    });
    return true;
  }

  bool SolveEquality(Value part) {
    auto compare = part.getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq) return false;
    mlir::Type type = compare.getLhs().getType();
    if (!type.isIndex() && !type.isInteger(64)) return false;
    LinearForm difference = LinearFormOf(compare.getLhs()), rhs = LinearFormOf(compare.getRhs());
    difference.constant -= rhs.constant;
    for (const LinearForm::Term& term : rhs.terms) difference.terms.push_back({term.atom, -term.coefficient});
    Position found;
    for (const LinearForm::Term& term : difference.terms) {
      auto index = mlir::dyn_cast<mlir::BlockArgument>(term.atom);
      bool own = index && index.getOwner() == &equation_.getBody().front();
      if (!own) {
        if (!IsOfStep(term.atom)) return false;
        continue;
      }
      bool taken = llvm::any_of(positions_, [&](const Position& other) { return other.index == index; });
      if (found.index || taken || std::abs(term.coefficient) != 1) return false;
      found.index = index;
      found.at.constant = -term.coefficient * difference.constant;
      for (const LinearForm::Term& other : difference.terms)
        if (&other != &term) found.at.terms.push_back({other.atom, -term.coefficient * other.coefficient});
    }
    if (!found.index) return false;
    positions_.push_back(found);
    return true;
  }

  bool IsOfStep(Value value) {
    return llvm::none_of(IndicesOf(value), [&](Value index) {
      return mlir::cast<mlir::BlockArgument>(index).getOwner() == &equation_.getBody().front();
    });
  }

  Value ComputePosition(const Position& position) {
    auto equation = CreateEquation(builder_, PartOf(LabelOf(equation_), "at"), {}, {}, builder_.getI64Type(),
                                   [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
                                     mlir::IRMapping mapping;
                                     LinearForm form = position.at;
                                     for (LinearForm::Term& term : form.terms)
                                       term.atom = CloneGuarded(body, term.atom, equation_, mapping);
                                     return {WriteForm(body, loc_, form, body.getI64Type())};
                                   });
    return equation->getResult(0);
  }

  // The slice at the positions; where they are outside, zeros that nobody sees.
  Value ComputeRow(llvm::ArrayRef<Value> positions) {
    SmallVector<OpFoldResult> extents;
    SmallVector<mlir::Attribute> names;
    for (mlir::BlockArgument index : equation_.getBody().getArguments())
      if (!IsPlaced(index)) {
        extents.push_back(ExtentsOf(equation_)[index.getArgNumber()]);
        names.push_back(equation_.getNames()[index.getArgNumber()]);
      }
    auto element = mlir::cast<mlir::RankedTensorType>(before_.getType()).getElementType();
    auto equation = CreateEquation(
        builder_, PartOf(LabelOf(equation_), "row"), extents, names, element,
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          mlir::IRMapping mapping;
          size_t next = 0;
          Value inside;
          auto* position = positions.begin();
          for (mlir::BlockArgument index : equation_.getBody().getArguments()) {
            if (!IsPlaced(index)) {
              mapping.map(index, indices[next++]);
              continue;
            }
            Value at = CreateRead(body, loc_, *position++, {});
            Value number = arith::IndexCastOp::create(body, loc_, body.getIndexType(), at);
            Value size = AsIndex(body, loc_, ExtentsOf(equation_)[index.getArgNumber()]);
            Value fits = arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::ult, number, size);
            inside = inside ? arith::AndIOp::create(body, loc_, inside, fits).getResult() : fits;
            mapping.map(index, number);
          }
          auto branch = mlir::scf::IfOp::create(
              body, loc_, inside,
              [&](mlir::OpBuilder& then, mlir::Location) {
                mapping.map(condition_,
                            arith::ConstantOp::create(then, loc_, then.getBoolAttr(true)).getResult());
                CloneBody(then, mapping);
                mlir::scf::YieldOp::create(then, loc_, mapping.lookupOrDefault(changed_));
              },
              [&](mlir::OpBuilder& otherwise, mlir::Location) {
                Value zero = arith::ConstantOp::create(otherwise, loc_, otherwise.getZeroAttr(element));
                mlir::scf::YieldOp::create(otherwise, loc_, zero);
              });
          return {branch.getResult(0)};
        });
    return equation->getResult(0);
  }

  bool IsPlaced(mlir::BlockArgument index) {
    return llvm::any_of(positions_, [&](const Position& position) { return position.index == index; });
  }

  // What the changed value needs, in the order of the body.
  void CloneBody(mlir::OpBuilder& builder, mlir::IRMapping& mapping) {
    llvm::SetVector<mlir::Operation*> needed = SliceOf(changed_, equation_);
    if (branch_) {
      for (mlir::Operation& op : branch_.getThenRegion().front().without_terminator())
        for (Value used : UsedFromOutside(&op))
          if (mlir::Operation* definer = used.getDefiningOp())
            if (equation_->isProperAncestor(definer)) needed.insert_range(SliceOf(used, equation_));
    }
    for (mlir::Operation& op : equation_.getBody().front().without_terminator())
      if (needed.contains(&op) && !mapping.contains(op.getResult(0))) builder.clone(op, mapping);
    if (!branch_) return;
    for (mlir::Operation& op : branch_.getThenRegion().front().without_terminator())
      builder.clone(op, mapping);
  }

  ir::EquationOp equation_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  Value before_, condition_, changed_;
  mlir::scf::IfOp branch_;
  SmallVector<Position> positions_;
};

struct UpdateRowsPass : impl::UpdateRowsBase<UpdateRowsPass> {
  using UpdateRowsBase::UpdateRowsBase;

  void runOnOperation() override {
    SmallVector<ir::LoopOp> loops;
    getOperation().walk([&](ir::LoopOp loop) {
      if (!loop.isParallel()) loops.push_back(loop);
    });
    for (ir::LoopOp loop : loops) Update(loop);
    if (explain) ExplainStates();
  }

 private:
  // A state of the program is written whole: a run that fails leaves the one before as it is.
  void ExplainStates() {
    mlir::Operation* end = getOperation().empty() ? nullptr : getOperation().front().getTerminator();
    for (unsigned result = 0; end && result < end->getNumOperands(); ++result) {
      auto path = getOperation().getResultAttrOfType<mlir::StringAttr>(result, "weft.next");
      ir::EquationOp equation = path ? DefiningEquation(end->getOperand(result)) : nullptr;
      if (!equation || equation->getNumResults() != 1) continue;
      getOperation().walk([&](ir::WeightOp state) {
        if (state.getPath() != path.getValue() || !RowUpdate(state, equation).Matches()) return;
        mlir::emitRemark(equation.getLoc())
            << "next " << path.getValue()
            << ": all of it is written, because a run that fails keeps the one before";
      });
    }
  }

  void Update(ir::LoopOp loop) {
    for (auto [number, state] : llvm::enumerate(loop.getStates())) {
      auto slice = loop.getBody().front().getTerminator()->getOperand(static_cast<unsigned>(number));
      auto equation = DefiningEquation(slice);
      if (!equation || equation->getParentOp() != loop || equation->getNumResults() != 1 || state.window < 1)
        continue;
      RowUpdate update(loop, static_cast<unsigned>(number), equation);
      if (!update.Matches()) continue;
      if (explain)
        mlir::emitRemark(equation.getLoc())
            << "state " << number + 1 << " of the recurrence: one slice is computed";
      update.Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
