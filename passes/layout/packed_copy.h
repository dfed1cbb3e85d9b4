#ifndef WEFT_PASSES_LAYOUT_PACKED_COPY_H_
#define WEFT_PASSES_LAYOUT_PACKED_COPY_H_

// A copy of weights whose axes are indices of the equation that reads them, or parts of indices. Zero behind
// the end of an index that its parts do not divide.

#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/weft_dialect.h"
#include "passes/analysis/packing.h"

namespace weft::passes {

// index / divisor % modulus, with no remainder where the modulus is 0.
struct PackedAxis {
  mlir::Value index;
  int64_t length = 0;  // of the whole index
  int64_t divisor = 1, modulus = 0;
  std::string name;

  bool IsWhole() const { return divisor == 1 && modulus == 0; }
  int64_t Extent() const { return modulus > 0 ? modulus : (length + divisor - 1) / divisor; }
};

// The indices of the equation, and of the reductions, around `read` by name, the innermost first.
std::vector<std::pair<std::string, mlir::BlockArgument>> IndicesAround(ir::ReadOp read);

// How far `index`, an index around `read`, goes, starting from 0; nothing is known of it otherwise. A
// reduction along an axis is taken to go along all of it.
std::optional<int64_t> LengthOf(mlir::BlockArgument index, ir::ReadOp read);

// The axes as a schedule writes them.
Packing AsWritten(llvm::StringRef operand, ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes);

// Writes the equation `part` of `equation` in front of it, and reads that in place of `read`, whose
// subscripts are linear in the indices of `axes`. The new read.
ir::ReadOp ReadPackedCopy(ir::EquationOp equation, ir::ReadOp read, llvm::ArrayRef<PackedAxis> axes,
                          llvm::StringRef part);

}  // namespace weft::passes

#endif  // WEFT_PASSES_LAYOUT_PACKED_COPY_H_
