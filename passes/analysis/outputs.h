#ifndef WEFT_PASSES_ANALYSIS_OUTPUTS_H_
#define WEFT_PASSES_ANALYSIS_OUTPUTS_H_

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

// What a function returns: each output has memory of its own.
namespace weft::passes {

// What a chain of views looks at.
mlir::Value ViewedValue(mlir::Value value);

// An equation with the elements of a tensor.
mlir::Value CreateCopy(mlir::OpBuilder& builder, mlir::Location location, mlir::Value tensor);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_OUTPUTS_H_
