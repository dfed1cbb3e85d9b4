#include "compiler/ir/scatter_ops.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/memory/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_UPDATEINPLACE
#include "passes/memory/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Whether the slice of one state is the slice before it with a part replaced, and nothing reads that later.
class InPlace {
 public:
  InPlace(mlir::func::FuncOp step, const ir::LoopState& state, unsigned number, mlir::SymbolTable& symbols)
      : block_(step.getBody().front()),
        before_(step.getArgument(1 + state.first_argument)),
        after_(block_.getTerminator()->getOperand(number)),
        symbols_(symbols) {}

  // Moves what reads the slice before in front of the update, if it can.
  bool Arrange() {
    auto update = after_.getDefiningOp<ir::LaunchOp>();
    if (!update || update->getParentRegion() != block_.getParent() || update.getInputs()[0] != before_)
      return false;
    auto kernel = symbols_.lookup<ir::KernelOp>(update.getCallee());
    if (kernel.getBody().getOps<ir::UpdateOp>().empty()) return false;
    llvm::DenseSet<mlir::Operation*> later = DependOn(update);
    for (mlir::Operation* user : before_.getUsers())
      if (user != update &&
          (later.contains(user) || !mlir::isa<ir::LaunchOp, ir::IterateOp, mlir::tensor::DimOp>(user)))
        return false;
    SmallVector<mlir::Operation*> moved = {update};
    for (mlir::Operation& op : block_.without_terminator())
      if (later.contains(&op)) moved.push_back(&op);
    for (mlir::Operation* op : moved) op->moveBefore(block_.getTerminator());
    return true;
  }

  // Whether that still holds where other states have been arranged, too.
  bool IsReadFirst() {
    mlir::Operation* update = after_.getDefiningOp();
    return llvm::all_of(before_.getUsers(), [&](mlir::Operation* user) {
      return user == update || user->isBeforeInBlock(update);
    });
  }

 private:
  llvm::DenseSet<mlir::Operation*> DependOn(mlir::Operation* op) {
    llvm::DenseSet<mlir::Operation*> found;
    SmallVector<mlir::Operation*> open = {op};
    while (!open.empty())
      for (mlir::Operation* user : open.pop_back_val()->getUsers())
        if (user != block_.getTerminator() && found.insert(user).second) open.push_back(user);
    return found;
  }

  mlir::Block& block_;
  Value before_, after_;
  mlir::SymbolTable& symbols_;
};

struct UpdateInPlacePass : impl::UpdateInPlaceBase<UpdateInPlacePass> {
  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    getOperation().walk([&](ir::IterateOp iterate) {
      auto step = symbols.lookup<mlir::func::FuncOp>(iterate.getCallee());
      SmallVector<InPlace> states;
      for (auto [number, state] : llvm::enumerate(iterate.getStates()))
        states.emplace_back(step, state, static_cast<unsigned>(number), symbols);
      SmallVector<bool> in_place;
      for (auto [state, candidate] : llvm::zip_equal(iterate.getStates(), states))
        in_place.push_back(state.window == 1 && candidate.Arrange());
      for (auto [arranged, candidate] : llvm::zip_equal(in_place, states))
        arranged = arranged && candidate.IsReadFirst();
      if (llvm::is_contained(in_place, true))
        iterate->setAttr("weft.in_place", mlir::DenseBoolArrayAttr::get(&getContext(), in_place));
    });
  }
};

}  // namespace
}  // namespace weft::passes
