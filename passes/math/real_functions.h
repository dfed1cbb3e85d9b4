#ifndef WEFT_PASSES_MATH_REAL_FUNCTIONS_H_
#define WEFT_PASSES_MATH_REAL_FUNCTIONS_H_

#include "passes/math/scalar_builder.h"

namespace weft::passes {

// Functions of f32 scalars, within 2 ulp for every argument (expand_math_test.cc measures it), special values
// as in C, denormals kept. Straight-line code: no branch, no call, no table.
mlir::Value BuildExp(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildExpOfNeverPositive(ScalarBuilder& m, mlir::Value x);  // for x <= 0 and NaN, in fewer steps
mlir::Value BuildLog(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildTanh(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildErf(ScalarBuilder& m, mlir::Value x);

// These compute in f64 and round once. Arguments of sin, cos and tan may be as large as f32 goes.
mlir::Value BuildSin(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildCos(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildTan(ScalarBuilder& m, mlir::Value x);
mlir::Value BuildAtan2(ScalarBuilder& m, mlir::Value y, mlir::Value x);
mlir::Value BuildPow(ScalarBuilder& m, mlir::Value x, mlir::Value y);

// Integers of one type, wrapping: x^y, where a negative y gives 1/x truncated (0 for x = 0).
mlir::Value BuildIntegerPow(ScalarBuilder& m, mlir::OpBuilder& builder, mlir::Location loc, mlir::Value x,
                            mlir::Value y);

}  // namespace weft::passes

#endif  // WEFT_PASSES_MATH_REAL_FUNCTIONS_H_
