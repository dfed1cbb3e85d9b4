#ifndef WEFT_PASSES_ANALYSIS_BRANCHES_H_
#define WEFT_PASSES_ANALYSIS_BRANCHES_H_

#include "mlir/IR/Value.h"

namespace weft::passes {

// `value` where the condition holds, else `otherwise`.
struct Branches {
  mlir::Value condition, value, otherwise;  // null: no such choice
};

// Of a select, or of a conditional with one result.
Branches BranchesOf(mlir::Value value);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_BRANCHES_H_
