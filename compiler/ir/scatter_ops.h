#ifndef WEFT_COMPILER_IR_SCATTER_OPS_H_
#define WEFT_COMPILER_IR_SCATTER_OPS_H_

// Operations of the `weft` dialect that put elements where data says. Every op's constraints are in
// scatter_ops.td.

#include "compiler/ir/weft_dialect.h"

// Generated code needs all of the above first.
// clang-format off
#define GET_OP_CLASSES
#include "compiler/ir/scatter_ops.h.inc"
// clang-format on

namespace weft::ir {

// That a part of a tensor is changed where it lies. Of `weft.iterate`: one entry per state. Of a launch of
// `weft.update`: it changes the next value of a state of the program, see weft-update-in-place.
inline constexpr llvm::StringLiteral kInPlace = "weft.in_place";

// Of `weft.iterate`, one entry per state: the slice of the last step is the next value of a state of the
// program, of which every step changes a part where that belongs; see weft-update-in-place.
inline constexpr llvm::StringLiteral kChangesState = "weft.changes_state";
bool ChangesState(IterateOp iterate, unsigned state);
// Whether `value` is what such steps have made of a state of the program.
bool IsStateOfSteps(mlir::Value value);

// How many slices of a state of `iterate` must have memory while its steps run: those of its window and the
// one that is computed, unless a step writes it over the one before; none where they are a state of the
// program.
int64_t RingSize(IterateOp iterate, unsigned state);

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_SCATTER_OPS_H_
