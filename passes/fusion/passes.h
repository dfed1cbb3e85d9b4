#ifndef WEFT_PASSES_FUSION_PASSES_H_
#define WEFT_PASSES_FUSION_PASSES_H_

#include <memory>

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/target/target.h"

namespace weft::passes {

// Attribute of a module: a dictionary from paths of equations to that of the one whose kernel they are to be
// in; empty: to one of their own.
inline constexpr llvm::StringLiteral kFusion = "weft.fusion";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/fusion/passes.h.inc"

}  // namespace weft::passes

#endif  // WEFT_PASSES_FUSION_PASSES_H_
