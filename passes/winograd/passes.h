#ifndef WEFT_PASSES_WINOGRAD_PASSES_H_
#define WEFT_PASSES_WINOGRAD_PASSES_H_

#include <memory>

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "passes/target/target.h"

namespace weft::passes {

// Attribute of a module: a dictionary from paths of equations to the errors that they may have, relative to
// their largest result.
inline constexpr llvm::StringLiteral kTolerances = "weft.tolerances";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/winograd/passes.h.inc"

}  // namespace weft::passes

#endif  // WEFT_PASSES_WINOGRAD_PASSES_H_
