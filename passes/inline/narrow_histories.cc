#include "compiler/ir/until.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"
#include "passes/inline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_NARROWHISTORIES
#include "passes/inline/passes.h.inc"

namespace {

namespace tensor = mlir::tensor;
using mlir::OpFoldResult;
using mlir::SmallVector;
using mlir::Value;

// Keeps of one loop's states what is used behind it.
class Narrower {
 public:
  explicit Narrower(ir::LoopOp loop)
      : loop_(loop), builder_(loop), extent_(ExtentsOf(loop)[0]), states_(loop.getStates()) {}

  void Run(bool explain) {
    bool changed = false;
    for (ir::LoopState& state : states_) {
      if (state.keep != ir::Keep::kAll) continue;
      Value result = loop_.getResult(static_cast<unsigned>(state.result));
      if (result.use_empty()) {
        state.keep = ir::Keep::kNone;
      } else if (llvm::all_of(result.getUsers(), [&](mlir::Operation* user) { return AsksForLast(user); })) {
        state.keep = ir::Keep::kLast;
      }
      changed |= state.keep != ir::Keep::kAll;
      if (explain) {
        llvm::StringRef kept = state.keep == ir::Keep::kAll    ? "all steps are kept: they are used behind it"
                               : state.keep == ir::Keep::kLast ? "the last step alone is kept"
                                                               : "no step is kept";
        mlir::emitRemark(loop_.getLoc())
            << "state " << std::distance(states_.begin(), &state) + 1 << " of the recurrence: " << kept;
      }
    }
    if (changed) Rebuild();
  }

 private:
  // Whether `user` looks at the slice of the step that is run last, or at sizes alone.
  bool AsksForLast(mlir::Operation* user) {
    if (auto dim = mlir::dyn_cast<tensor::DimOp>(user)) return dim.getConstantIndex().has_value();
    auto read = mlir::dyn_cast<ir::ReadOp>(user);
    if (!read || read.getOutsideAt(0) != ir::Outside::inside) return false;
    LinearForm at = LinearFormOf(read.getSubscripts()[0]), last;
    if (loop_.getOrder() == ir::LoopOrder::up) {
      auto number = mlir::getConstantIntValue(extent_);
      if (!number) last = LinearFormOf(mlir::cast<Value>(extent_));
      last.constant += number.value_or(0) - 1;
    }
    return at.constant == last.constant && at.terms.size() == last.terms.size() &&
           llvm::all_of(at.terms, [&](const LinearForm::Term& term) {
             return llvm::any_of(last.terms, [&](const LinearForm::Term& other) {
               return term.atom == other.atom && term.coefficient == other.coefficient;
             });
           });
  }

  void Rebuild() {
    SmallVector<mlir::Type> types;
    SmallVector<Value> before;  // by result
    ir::LoopStates loop_states = loop_.getStates();
    for (ir::LoopState& state : states_) {
      if (state.keep == ir::Keep::kNone) continue;
      Value old = loop_.getResult(static_cast<unsigned>(state.result));
      auto type = mlir::cast<mlir::RankedTensorType>(old.getType());
      bool is_narrowed = loop_states[static_cast<size_t>(&state - states_.begin())].keep == ir::Keep::kAll;
      if (state.keep == ir::Keep::kLast && is_narrowed)
        type = mlir::RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
      types.push_back(type);
      before.push_back(old);
    }
    states_.Number();
    mlir::OperationState state(loop_.getLoc(), ir::LoopOp::getOperationName());
    state.addOperands(loop_->getOperands());
    state.addTypes(types);
    state.addAttributes(loop_->getAttrs());
    ir::WriteStates(builder_, states_, state.attributes);
    state.addRegion()->takeBody(loop_.getBody());
    auto narrow = mlir::cast<ir::LoopOp>(builder_.create(state));
    for (auto [old, result] : llvm::zip_equal(before, narrow->getResults())) {
      if (old.getType() == result.getType()) {
        old.replaceAllUsesWith(result);
      } else {
        for (mlir::Operation* user : llvm::make_early_inc_range(old.getUsers())) UseLast(user, result);
      }
    }
    loop_->erase();
  }

  void UseLast(mlir::Operation* user, Value last) {
    mlir::OpBuilder at(user);
    Value value;
    if (auto dim = mlir::dyn_cast<tensor::DimOp>(user)) {
      int64_t axis = *dim.getConstantIndex();
      value = axis == 0 ? AsIndex(at, user->getLoc(), extent_)
                        : tensor::DimOp::create(at, user->getLoc(), last, axis - 1).getResult();
    } else {
      auto read = mlir::cast<ir::ReadOp>(user);
      value = CreateRead(at, user->getLoc(), last, read.getSubscripts().drop_front(),
                         llvm::ArrayRef(OutsideOf(read)).drop_front(), read.getFill());
    }
    user->getResult(0).replaceAllUsesWith(value);
    user->erase();
  }

  ir::LoopOp loop_;
  mlir::OpBuilder builder_;
  OpFoldResult extent_;
  ir::LoopStates states_;
};

struct NarrowHistoriesPass : impl::NarrowHistoriesBase<NarrowHistoriesPass> {
  using NarrowHistoriesBase::NarrowHistoriesBase;

  void runOnOperation() override {
    SmallVector<ir::LoopOp> loops;
    getOperation().walk([&](ir::LoopOp loop) {
      // Which step is the last of a loop that ends early is seen when it has run.
      if (!loop.isParallel() && !ir::EndsEarly(loop)) loops.push_back(loop);
    });
    for (ir::LoopOp loop : loops) Narrower(loop).Run(explain);
  }
};

}  // namespace
}  // namespace weft::passes
