#ifndef WEFT_PASSES_INLINE_CHANGED_ROWS_H_
#define WEFT_PASSES_INLINE_CHANGED_ROWS_H_

// Where a tensor differs from one that its equation reads: `y[n, d] = new[d] if n == at else x[n, d]`.

#include <optional>

#include "passes/analysis/equation.h"
#include "passes/analysis/linear_form.h"

namespace weft::passes {

// Values of an index of the equation outside of which it keeps what it reads: the one that `at` says, or
// `length` from there on. `at` knows no index of the equation. With `wraps` they go on at 0 behind the last.
struct ChangedPart {
  mlir::BlockArgument index;
  LinearForm at;
  mlir::OpFoldResult length;  // null: one
  bool wraps = false;
};

struct ChangedRows {
  ir::ReadOp kept;                       // of the tensor at the indices themselves
  llvm::SmallVector<ChangedPart> parts;  // in the order of the indices; none: it may change everywhere
};

// Nothing where `equation` is not of this form: a choice, or a guarded read, with `kept` on one side.
std::optional<ChangedRows> FindChangedRows(ir::EquationOp equation);

}  // namespace weft::passes

#endif  // WEFT_PASSES_INLINE_CHANGED_ROWS_H_
