#ifndef WEFT_PASSES_MATH_PASSES_H_
#define WEFT_PASSES_MATH_PASSES_H_

#include <memory>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/Pass.h"

namespace weft::passes {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/math/passes.h.inc"

}  // namespace weft::passes

#endif  // WEFT_PASSES_MATH_PASSES_H_
