#ifndef WEFT_PASSES_LAYOUT_RESOLVE_PACKING_H_
#define WEFT_PASSES_LAYOUT_RESOLVE_PACKING_H_

// What a schedule says of the order in which a weight lies, on the read that it means.

#include <variant>

#include "llvm/ADT/SmallVector.h"
#include "passes/layout/packed_copy.h"

namespace weft::passes {

// The reads of `equation` that the text calls `operand`.
llvm::SmallVector<ir::ReadOp> ReadsOf(ir::EquationOp equation, llvm::StringRef operand);

// The names by which `equation` reads, each once.
std::vector<std::string> OperandsOf(ir::EquationOp equation);

// The axes of the copy, or why there is none: `read` is known too late or not linear in indices of known
// lengths, or the order lacks a part of one of these or has one that is not read.
std::variant<llvm::SmallVector<PackedAxis>, PackingProblem> ResolvePacking(ir::ReadOp read,
                                                                           const Packing& packing);

// Whether a copy with these axes is the tensor of `read` as it is.
bool IsAsItLies(ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes);

}  // namespace weft::passes

#endif  // WEFT_PASSES_LAYOUT_RESOLVE_PACKING_H_
