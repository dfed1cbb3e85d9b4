#include "compiler/ir/choice.h"
#include "compiler/ir/until.h"
#include "llvm/ADT/StringExtras.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/inline/choice_writer.h"
#include "passes/inline/passes.h"

// `y[r] = [f(x[r]), g(x[r])][k[r]]` computes f and g of every row as it stands. Where the rows are listed by
// k[r], f and g go through the rows of their own alone. Without an index, only what is chosen is computed.

namespace weft::passes {

#define GEN_PASS_DEF_PARTITIONCHOICES
#include "passes/inline/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

struct PartitionChoicesPass : impl::PartitionChoicesBase<PartitionChoicesPass> {
  using PartitionChoicesBase::PartitionChoicesBase;

  // The last one first: what an element has of its own may choose too.
  void runOnOperation() override {
    if (explain) ExplainBranches();
    EraseUnused(getOperation().front());
    for (mlir::scf::IfOp branch = LastChoice(); branch; branch = LastChoice()) {
      if (ir::EquationOp equation = EnclosingEquation(branch)) {
        Choice choice;
        choice.equation = equation;
        choice.branch = branch;
        llvm::StringRef why;
        bool matches = FindElements(choice, why);
        if (explain) Explain(choice, matches, why);
        branch->removeAttr(ir::kChoice);
        if (!matches) continue;
        if (choice.rows.empty()) {
          ComputeChosen(choice);
        } else {
          ComputeByRows(choice);
        }
      } else {
        branch->removeAttr(ir::kChoice);
      }
    }
  }

 private:
  // What nobody uses would seem to be used for more than an element.
  static void EraseUnused(mlir::Block& block) {
    for (mlir::Operation& op : llvm::make_early_inc_range(llvm::reverse(block.getOperations()))) {
      if (mlir::isOpTriviallyDead(&op)) {
        op.erase();
      } else if (auto loop = mlir::dyn_cast<ir::LoopOp>(op)) {
        EraseUnused(loop.getBody().front());
      }
    }
  }

  static void Explain(Choice& choice, bool matches, llvm::StringRef why) {
    SmallVector<std::string> names;
    for (Value index : choice.rows) names.push_back(mlir::cast<mlir::StringAttr>(NameOf(index)).str());
    std::string over = llvm::join(names, ", ");
    mlir::InFlightDiagnostic remark = mlir::emitRemark(choice.branch.getLoc())
                                      << "choice among " << choice.Count() << ": ";
    if (matches && names.empty()) {
      remark << "what is chosen alone";
    } else if (matches) {
      remark << "each of its own " << over << " alone";
    } else {
      remark << "all of them" << (names.empty() ? "" : " for every ") << over << ", because " << why;
    }
  }

  // What `x if c else y` without indices has become: the second side starts with what the first has made.
  void ExplainBranches() {
    getOperation().walk([](ir::LoopOp loop) {
      if (loop->hasAttr(ir::kSide) && !loop.getFrom().empty())
        mlir::emitRemark(loop.getLoc()) << "condition: one side is computed";
    });
  }

  mlir::scf::IfOp LastChoice() {
    mlir::scf::IfOp last;
    getOperation().walk([&](mlir::scf::IfOp branch) {
      if (branch->hasAttr(ir::kChoice)) last = branch;
    });
    return last;
  }
};

}  // namespace
}  // namespace weft::passes
