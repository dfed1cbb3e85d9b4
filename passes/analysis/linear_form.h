#ifndef WEFT_PASSES_ANALYSIS_LINEAR_FORM_H_
#define WEFT_PASSES_ANALYSIS_LINEAR_FORM_H_

// Arithmetic on linear forms, and writing them out again.

#include <utility>

#include "mlir/IR/Builders.h"
#include "passes/analysis/index_range.h"

namespace weft::passes {

// form = divisor * first + second, exactly; second holds what the divisor does not divide, its constant in
// 0..divisor.
std::pair<LinearForm, LinearForm> DivideForm(const LinearForm& form, int64_t divisor);

LinearForm Minus(LinearForm a, const LinearForm& b);

// Additions and multiplications that WriteForm needs.
int64_t OperationCount(const LinearForm& form);

// Writes the value of `form` as `type`, `index` or i64.
mlir::Value WriteForm(mlir::OpBuilder& builder, mlir::Location location, const LinearForm& form,
                      mlir::Type type);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_LINEAR_FORM_H_
