#ifndef WEFT_COMPILER_IR_WEFT_DIALECT_H_
#define WEFT_COMPILER_IR_WEFT_DIALECT_H_

// The `weft` dialect: equations, reductions, reads, kernels and launches. Every op's constraints are in
// weft_ops.td.

#include <optional>

#include "compiler/ir/loop_states.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

// Generated code needs all of the above first.
// clang-format off
#include "compiler/ir/weft_dialect.h.inc"
#include "compiler/ir/weft_enums.h.inc"

#define GET_OP_CLASSES
#include "compiler/ir/weft_ops.h.inc"
// clang-format on

#endif  // WEFT_COMPILER_IR_WEFT_DIALECT_H_
