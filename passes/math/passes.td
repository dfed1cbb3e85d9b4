include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"weft-expand-math"> {
  let summary = "Compute real functions by arithmetic";
  let description = [{
    `math.exp log tanh erf sin cos tan atan2 powf` of f32 scalars become additions, multiplications, selects and bit
    operations: within 2 ulp everywhere, with the special values of C, without branches or calls. All back ends
    therefore compute the same definition. `exp` of what is never positive, as in softmax, takes fewer steps. f16 and
    bf16 are computed in f32 and rounded; `ipowi` becomes products. f64 is left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}
