#include "compiler/ir/scatter_ops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/extraction.h"
#include "passes/inline/changed_rows.h"
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

// A state whose next value differs from the one before at positions that are known before it is computed.
class RowUpdate {
 public:
  explicit RowUpdate(ir::EquationOp equation)
      : equation_(equation), builder_(equation), loc_(equation.getLoc()) {}

  // Whether it is a state that keeps some of what was before, and is worth it.
  bool IsCandidate() {
    std::optional<int64_t> points = PointCount(equation_);
    if (points && *points <= kSmallestState) return false;
    auto rows = FindChangedRows(equation_);
    if (rows) rows_ = *rows;
    return rows.has_value();
  }

  bool Matches() { return !rows_.parts.empty(); }
  Value before() { return rows_.kept.getTensor(); }

  // Whether the part is one row or element.
  bool IsOne() {
    return llvm::none_of(rows_.parts, [](const ChangedPart& part) { return part.length; });
  }

  void Run() {
    SmallVector<Value> positions;
    SmallVector<int64_t> axes, spans, wraps;
    for (const ChangedPart& part : rows_.parts) {
      axes.push_back(part.index.getArgNumber());
      if (part.length) spans.push_back(axes.back());
      if (part.wraps) wraps.push_back(axes.back());
      positions.push_back(ComputePosition(part));
    }
    Value slice = ComputeSlice(positions);
    auto update = ir::UpdateOp::create(builder_, loc_, before().getType(), before(), axes, positions, slice,
                                       spans, wraps);
    equation_->getResult(0).replaceAllUsesWith(update.getResult());
    equation_->erase();
  }

 private:
  // Where the part begins: inside of the axis if it is longer than one element, so that it need not be longer
  // than the axis either.
  Value ComputePosition(const ChangedPart& part) {
    auto write = [&](mlir::OpBuilder& body, mlir::ValueRange) -> SmallVector<Value> {
      mlir::IRMapping mapping;
      LinearForm form = part.at;
      for (LinearForm::Term& term : form.terms) term.atom = CloneGuarded(body, term.atom, equation_, mapping);
      Value at = WriteForm(body, loc_, form, body.getI64Type());
      if (!part.length) return {at};
      Value zero = arith::ConstantIntOp::create(body, loc_, body.getI64Type(), 0);
      Value size = arith::IndexCastOp::create(body, loc_, body.getI64Type(),
                                              AsIndex(body, loc_, ExtentOf(part.index, equation_)));
      if (!part.wraps) {
        at = arith::MaxSIOp::create(body, loc_, at, zero);
        return {arith::MinSIOp::create(body, loc_, at, size)};
      }
      Value rest = arith::RemSIOp::create(body, loc_, at, size);
      Value negative = arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::slt, rest, zero);
      Value raised = arith::AddIOp::create(body, loc_, rest, size);
      return {arith::SelectOp::create(body, loc_, negative, raised, rest)};
    };
    auto equation =
        CreateEquation(builder_, PartOf(LabelOf(equation_), "at"), {}, {}, builder_.getI64Type(), write);
    return equation->getResult(0);
  }

  OpFoldResult LengthOf(const ChangedPart& part) {
    OpFoldResult size = ExtentOf(part.index, equation_);
    auto length = mlir::getConstantIntValue(part.length), most = mlir::getConstantIntValue(size);
    if (length && most) return builder_.getIndexAttr(std::min(*length, *most));
    return arith::MinSIOp::create(builder_, loc_, AsIndex(builder_, loc_, part.length),
                                  AsIndex(builder_, loc_, size))
        .getResult();
  }

  // What the equation has there; where the positions are outside, zeros that nobody sees.
  Value ComputeSlice(llvm::ArrayRef<Value> positions) {
    SmallVector<OpFoldResult> extents;
    SmallVector<mlir::Attribute> names;
    for (mlir::BlockArgument index : equation_.getBody().getArguments()) {
      const ChangedPart* part = PartOfIndex(index);
      if (part && !part->length) continue;
      extents.push_back(part ? LengthOf(*part) : ExtentOf(index, equation_));
      names.push_back(NameOf(index));
    }
    auto element = mlir::cast<mlir::RankedTensorType>(before().getType()).getElementType();
    auto equation = CreateEquation(
        builder_, PartOf(LabelOf(equation_), IsOne() ? "row" : "rows"), extents, names, element,
        [&](mlir::OpBuilder& body, mlir::ValueRange indices) -> SmallVector<Value> {
          mlir::IRMapping mapping;
          size_t next = 0;
          Value inside;
          const auto* position = positions.begin();
          for (mlir::BlockArgument index : equation_.getBody().getArguments()) {
            const ChangedPart* part = PartOfIndex(index);
            if (!part) {
              mapping.map(index, indices[next++]);
              continue;
            }
            Value at = arith::IndexCastOp::create(body, loc_, body.getIndexType(),
                                                  CreateRead(body, loc_, *position++, {}));
            if (part->length) at = arith::AddIOp::create(body, loc_, at, indices[next++]);
            Value size = AsIndex(body, loc_, ExtentOf(index, equation_));
            Value fits = arith::CmpIOp::create(body, loc_, arith::CmpIPredicate::ult, at, size);
            if (part->wraps) {
              Value around = arith::SubIOp::create(body, loc_, at, size);
              at = arith::SelectOp::create(body, loc_, fits, at, around);
            } else {
              inside = inside ? arith::AndIOp::create(body, loc_, inside, fits).getResult() : fits;
            }
            mapping.map(index, at);
          }
          return {CloneBody(body, mapping, inside)};
        });
    return equation->getResult(0);
  }

  const ChangedPart* PartOfIndex(mlir::BlockArgument index) {
    auto* part = llvm::find_if(rows_.parts, [&](const ChangedPart& p) { return p.index == index; });
    return part == rows_.parts.end() ? nullptr : part;
  }

  Value CloneBody(mlir::OpBuilder& builder, mlir::IRMapping& mapping, Value inside) {
    mlir::Block& block = equation_.getBody().front();
    Value yielded = block.getTerminator()->getOperand(0);
    auto clone = [&](mlir::OpBuilder& b) {
      for (mlir::Operation& op : block.without_terminator()) b.clone(op, mapping);
      return mapping.lookupOrDefault(yielded);
    };
    if (!inside) return clone(builder);
    auto branch = mlir::scf::IfOp::create(
        builder, loc_, inside,
        [&](mlir::OpBuilder& then, mlir::Location) { mlir::scf::YieldOp::create(then, loc_, clone(then)); },
        [&](mlir::OpBuilder& otherwise, mlir::Location) {
          Value zero = arith::ConstantOp::create(otherwise, loc_, otherwise.getZeroAttr(yielded.getType()));
          mlir::scf::YieldOp::create(otherwise, loc_, zero);
        });
    return branch.getResult(0);
  }

  ir::EquationOp equation_;
  mlir::OpBuilder builder_;
  mlir::Location loc_;
  ChangedRows rows_;
};

struct UpdateRowsPass : impl::UpdateRowsBase<UpdateRowsPass> {
  using UpdateRowsBase::UpdateRowsBase;

  void runOnOperation() override {
    SmallVector<ir::LoopOp> loops;
    getOperation().walk([&](ir::LoopOp loop) {
      if (!loop.isParallel()) loops.push_back(loop);
    });
    for (ir::LoopOp loop : loops) UpdateSteps(loop);
    if (getOperation().empty()) return;
    for (unsigned result = 0; result < getOperation().getNumResults(); ++result)
      if (auto path = getOperation().getResultAttrOfType<mlir::StringAttr>(result, "weft.next"))
        UpdateState(path, result);
  }

 private:
  // States of the program.
  void UpdateState(mlir::StringAttr path, unsigned result) {
    SmallVector<RowUpdate> updates;  // one for each time that the method changes it, the last one first
    Value value = getOperation().front().getTerminator()->getOperand(result);
    while (ir::EquationOp equation = DefiningEquation(value)) {
      RowUpdate update(equation);
      if (!update.IsCandidate()) return;
      if (!update.Matches()) {
        if (explain)
          mlir::emitRemark(equation.getLoc())
              << "next " << path.getValue() << ": all of it is written, because any of it may change";
        return;
      }
      updates.push_back(update);
      value = update.before();
    }
    auto state = value.getDefiningOp<ir::WeightOp>();
    if (!state || state.getPathAttr() != path) return;
    for (RowUpdate& update : llvm::reverse(updates)) update.Run();
  }

  void UpdateSteps(ir::LoopOp loop) {
    for (auto [number, state] : llvm::enumerate(loop.getStates())) {
      auto slice = loop.getBody().front().getTerminator()->getOperand(static_cast<unsigned>(number));
      auto equation = DefiningEquation(slice);
      if (!equation || equation->getParentOp() != loop || state.window < 1) continue;
      RowUpdate update(equation);
      if (!update.IsCandidate() || !update.Matches() ||
          update.before() != loop.getBody().getArgument(1 + state.first_argument))
        continue;
      if (explain)
        mlir::emitRemark(equation.getLoc())
            << "state " << number + 1 << " of the recurrence: one slice is computed";
      update.Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
