#ifndef WEFT_PASSES_INLINE_CHOICE_ELEMENTS_H_
#define WEFT_PASSES_INLINE_CHOICE_ELEMENTS_H_

// Of `y[r] = [f(x[r]), g(x[r])][k[r]]`: the elements of the list, and what is computed for each alone.

#include "llvm/ADT/SetVector.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/analysis/equation.h"

namespace weft::passes {

// One element: what stands in its branch, and what is computed for it alone before.
struct ChoiceElement {
  mlir::Block* block;
  mlir::Value value;
  int64_t first, last;  // chosen by first..last
  llvm::SetVector<mlir::Operation*> own;
  double cost = 0;  // of a row, or of all where there are none
  bool is_costly = false;
  mlir::Value results;  // its values, one row after the other; where there are no rows, of what is chosen
};

struct Choice {
  ir::EquationOp equation;
  mlir::scf::IfOp branch;  // `if k == 0 ... else if k == 1 ... else ...`
  llvm::SmallVector<ChoiceElement> elements;
  llvm::SmallVector<mlir::Value> rows;  // the indices that choose
  llvm::SmallVector<mlir::Value> rest;  // the others of costly elements
  llvm::SmallVector<mlir::OpFoldResult> row_extents, rest_extents;
  // Of what elements have of their own: the axes of the rows; in steps of a loop of what knows rows.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<unsigned>> axes;
  // Of a loop of their own: the axes of the rows in the slices of each state.
  llvm::DenseMap<mlir::Operation*, llvm::SmallVector<llvm::SmallVector<unsigned>>> state_axes;
  // What has the steps as its first axis, in front of the rows.
  llvm::DenseSet<mlir::Value> histories;
  // Loops of their own of which each step is a row, or a loop of rows: what counts each index of the rows.
  llvm::DenseMap<mlir::Operation*, llvm::SmallVector<mlir::Value>> row_loops;

  int64_t Count() const { return elements.back().last; }
  mlir::Value Selector() { return branch.getCondition().getDefiningOp<mlir::arith::CmpIOp>().getLhs(); }
};

// Fills in what is known of a choice from its equation and branch. False where computing each element where
// it is chosen alone is not possible, or not worth it; `why` says so.
bool FindElements(Choice& choice, llvm::StringRef& why);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_CHOICE_ELEMENTS_H_
