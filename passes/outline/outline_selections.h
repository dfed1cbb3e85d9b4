#ifndef WEFT_PASSES_OUTLINE_OUTLINE_SELECTIONS_H_
#define WEFT_PASSES_OUTLINE_OUTLINE_SELECTIONS_H_

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"

namespace weft::passes {

// Moves every weft.sort, weft.segments, weft.update and weft.filter of `function` into a kernel of its own,
// whose class is the name of the operation, and launches it in its place. Sizes of results that are no
// numbers are operands of the kernel.
void OutlineSelections(mlir::func::FuncOp function, mlir::SymbolTable& symbols);

}  // namespace weft::passes

#endif  // WEFT_PASSES_OUTLINE_OUTLINE_SELECTIONS_H_
