#ifndef WEFT_PASSES_ANALYSIS_COMPOSITION_H_
#define WEFT_PASSES_ANALYSIS_COMPOSITION_H_

// Reading an equation's result without storing it: the equation's body, its indices replaced by the read's
// subscripts.

#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/Builders.h"

namespace weft::passes {

// Writes before `read` what it reads, computed from the body of the equation that defines its tensor, and
// returns the value. The read itself is left for the caller to replace and erase. What the read declares
// outside is kept: guards move to the reads of the body where they say the same there, else the body stands
// in a branch that runs inside only. Always possible. The tensor must be defined by an equation above the
// read's equation.
mlir::Value ComposeRead(mlir::OpBuilder& builder, ir::ReadOp read);

// Composes every read in `reads` and erases the reads.
void ComposeReads(mlir::OpBuilder& builder, llvm::ArrayRef<ir::ReadOp> reads);

// Whether guards of a read of `producer`'s result on axis `axis` can move into its body: the body is one read
// that uses the index of this axis as one bare subscript over an axis of the same size.
bool GuardMoves(ir::EquationOp producer, unsigned axis);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_COMPOSITION_H_
