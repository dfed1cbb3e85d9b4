#ifndef WEFT_PASSES_WINOGRAD_CONVOLUTION_H_
#define WEFT_PASSES_WINOGRAD_CONVOLUTION_H_

// 3x3 convolutions with stride 1, by their structure.

#include <optional>

#include "passes/analysis/classify.h"
#include "passes/target/target.h"
#include "passes/winograd/minimal_filtering.h"

namespace weft::passes {

// sum(c, r, s) x[.., c, i + r - pad, j + s - pad] * w[k, c, r, s], whatever the order of axes. Each index
// subscripts the weights bare, once, and runs over all of their axis.
struct Convolution {
  Contraction contraction;
  mlir::BlockArgument row, column, filter;           // i, j, k
  llvm::SmallVector<mlir::BlockArgument> others;     // of the domain: those that only the data has
  mlir::BlockArgument channel, row_tap, column_tap;  // c, r, s
  int64_t row_axis = 0, column_axis = 0;             // of the data, that slide
  int64_t row_offset = 0, column_offset = 0;         // -pad
  int64_t channels = 0, filters = 0;                 // extents of c and k
};

// `why`: what is missing to a convolution of three by three taps; empty where there is no likeness.
std::optional<Convolution> MatchConvolution(ir::EquationOp equation, llvm::StringRef* why);

// Time of one core, in cycles: of the direct sum, and with tiles of a filtering.
double DirectCycles(ir::EquationOp equation, const Convolution& convolution, const TargetDescription& target);
double FilteringCycles(ir::EquationOp equation, const Convolution& convolution,
                       const MinimalFiltering& filtering, const TargetDescription& target);

}  // namespace weft::passes

#endif  // WEFT_PASSES_WINOGRAD_CONVOLUTION_H_
