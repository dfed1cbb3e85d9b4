#include "compiler/ir/scatter_ops.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/outputs.h"
#include "passes/memory/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_UPDATEINPLACE
#include "passes/memory/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// The launch that makes `value` from its first input by replacing a part, or null.
ir::LaunchOp UpdateOf(Value value, mlir::SymbolTable& symbols) {
  auto launch = value.getDefiningOp<ir::LaunchOp>();
  if (!launch) return nullptr;
  auto kernel = symbols.lookup<ir::KernelOp>(launch.getCallee());
  return kernel.getBody().getOps<ir::UpdateOp>().empty() ? nullptr : launch;
}

// What depends on `op`, but for the end of the block.
llvm::DenseSet<mlir::Operation*> DependentsOf(mlir::Operation* op) {
  llvm::DenseSet<mlir::Operation*> found;
  SmallVector<mlir::Operation*> open = {op};
  while (!open.empty())
    for (mlir::Operation* user : open.pop_back_val()->getUsers())
      if (user != op->getBlock()->getTerminator() && found.insert(user).second) open.push_back(user);
  return found;
}

// Moves what reads the tensor that `update` replaces a part of in front of it, if it can.
bool ReadFirst(ir::LaunchOp update) {
  mlir::Block& block = *update->getBlock();
  llvm::DenseSet<mlir::Operation*> later = DependentsOf(update);
  for (mlir::Operation* user : update.getInputs()[0].getUsers())
    if (user != update &&
        (later.contains(user) || !mlir::isa<ir::LaunchOp, ir::IterateOp, mlir::tensor::DimOp>(user)))
      return false;
  SmallVector<mlir::Operation*> moved = {update};
  for (mlir::Operation& op : block.without_terminator())
    if (later.contains(&op)) moved.push_back(&op);
  for (mlir::Operation* op : moved) op->moveBefore(block.getTerminator());
  return true;
}

// Whether that holds, where others have been moved since, too.
bool IsReadFirst(ir::LaunchOp update) {
  return llvm::all_of(update.getInputs()[0].getUsers(),
                      [&](mlir::Operation* user) { return user == update || user->isBeforeInBlock(update); });
}

struct UpdateInPlacePass : impl::UpdateInPlaceBase<UpdateInPlacePass> {
  using UpdateInPlaceBase::UpdateInPlaceBase;

  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    getOperation().walk([&](ir::IterateOp iterate) { UpdateSteps(iterate, symbols); });
    for (auto method : getOperation().getOps<mlir::func::FuncOp>()) {
      if (method.isExternal()) continue;
      UpdateStates(method, symbols);
      UpdateStatesInSteps(method);
    }
  }

 private:
  // The update of a state of a step, if it has the slice before it with a part replaced and nothing reads
  // that later.
  static ir::LaunchOp ArrangeStep(mlir::func::FuncOp step, const ir::LoopState& state, size_t number,
                                  mlir::SymbolTable& symbols) {
    mlir::Block& block = step.front();
    ir::LaunchOp update = UpdateOf(block.getTerminator()->getOperand(static_cast<unsigned>(number)), symbols);
    bool matches = update && state.window == 1 && update->getBlock() == &block &&
                   update.getInputs()[0] == step.getArgument(1 + state.first_argument) && ReadFirst(update);
    return matches ? update : nullptr;
  }

  static void UpdateSteps(ir::IterateOp iterate, mlir::SymbolTable& symbols) {
    auto step = symbols.lookup<mlir::func::FuncOp>(iterate.getCallee());
    SmallVector<ir::LaunchOp> updates;
    for (auto [number, state] : llvm::enumerate(iterate.getStates()))
      updates.push_back(ArrangeStep(step, state, number, symbols));
    SmallVector<bool> in_place;
    for (ir::LaunchOp update : updates) in_place.push_back(update && IsReadFirst(update));
    if (llvm::is_contained(in_place, true))
      iterate->setAttr(ir::kInPlace, mlir::DenseBoolArrayAttr::get(iterate.getContext(), in_place));
  }

  // States of the program of which every step of a loop changes a part: the loop needs no memory of its own
  // for them either.
  void UpdateStatesInSteps(mlir::func::FuncOp method) {
    for (unsigned result = 0; result < method.getNumResults(); ++result) {
      auto path = method.getResultAttrOfType<mlir::StringAttr>(result, "weft.next");
      Value value = method.front().getTerminator()->getOperand(result);
      auto iterate = value.getDefiningOp<ir::IterateOp>();
      auto in_place = iterate ? iterate->getAttrOfType<mlir::DenseBoolArrayAttr>(ir::kInPlace) : nullptr;
      if (!path || !in_place) continue;
      SmallVector<bool> changes(in_place.size(), false);
      if (auto known = iterate->getAttrOfType<mlir::DenseBoolArrayAttr>(ir::kChangesState))
        changes.assign(known.asArrayRef().begin(), known.asArrayRef().end());
      for (auto [number, state] : llvm::enumerate(iterate.getStates())) {
        bool is_result = state.result >= 0 && value == iterate.getResult(static_cast<unsigned>(state.result));
        bool is_carried = state.given == 1 && !state.history && state.keep == ir::Keep::kLast;
        if (!in_place[static_cast<int64_t>(number)] || !is_result || !is_carried) continue;
        auto before = iterate.getFrom()[state.first_given].getDefiningOp<ir::WeightOp>();
        changes[number] = before && before.getPathAttr() == path;
        if (explain && changes[number])
          mlir::emitRemark(iterate.getLoc())
              << "next " << path.getValue() << ": what changes is written alone";
      }
      iterate->setAttr(ir::kChangesState, mlir::DenseBoolArrayAttr::get(iterate.getContext(), changes));
    }
  }

  // What makes the next value of a state of the program out of the state, the last one first.
  struct StateUpdates {
    mlir::StringAttr path;
    SmallVector<ir::LaunchOp> updates;
    bool in_place = false;
  };

  // A state of the program is in memory twice, and before the run both are the same: the one that the run
  // leaves behind is written without regard to who reads the other. It is the place of values between two
  // updates as well, so these are read before the next.
  void UpdateStates(mlir::func::FuncOp method, mlir::SymbolTable& symbols) {
    SmallVector<StateUpdates> states;
    for (unsigned result = 0; result < method.getNumResults(); ++result) {
      auto path = method.getResultAttrOfType<mlir::StringAttr>(result, "weft.next");
      if (!path) continue;
      StateUpdates state{.path = path, .updates = {}};
      Value value = method.front().getTerminator()->getOperand(result);
      for (; ir::LaunchOp update = UpdateOf(value, symbols); value = update.getInputs()[0])
        state.updates.push_back(update);
      auto before = value.getDefiningOp<ir::WeightOp>();
      if (state.updates.empty() || !before || before.getPathAttr() != path) continue;
      state.in_place =
          llvm::none_of(state.updates, TakesState) && llvm::all_of(llvm::drop_end(state.updates), ReadFirst);
      states.push_back(std::move(state));
    }
    for (StateUpdates& state : states) {
      state.in_place = state.in_place && llvm::all_of(llvm::drop_end(state.updates), IsReadFirst);
      if (explain) Explain(state);
      if (!state.in_place) continue;
      for (ir::LaunchOp update : state.updates)
        update->setAttr(ir::kInPlace, mlir::UnitAttr::get(update.getContext()));
    }
  }

  // Whether what it writes is a state itself, which may have changed when it is written once more.
  static bool TakesState(ir::LaunchOp update) {
    return llvm::any_of(llvm::drop_begin(update.getInputs()), [](Value input) {
      auto state = ViewedValue(input).getDefiningOp<ir::WeightOp>();
      return state && state.getChanges();
    });
  }

  static void Explain(const StateUpdates& state) {
    mlir::InFlightDiagnostic remark = mlir::emitRemark(state.updates.front()->getLoc())
                                      << "next " << state.path.getValue() << ": ";
    if (state.in_place) {
      remark << "what changes is written alone";
    } else if (llvm::any_of(state.updates, TakesState)) {
      remark << "all of it is written, because what is put into it is a state, too";
    } else {
      remark << "all of it is written, because what is between two changes is read later";
    }
  }
};

}  // namespace
}  // namespace weft::passes
