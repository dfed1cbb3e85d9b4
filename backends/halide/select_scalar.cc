#include "backends/halide/select_scalar.h"

#include <algorithm>

namespace weft::backends {

using Halide::Expr;

Scalar SelectScalar(const Expr& condition, const Scalar& a, const Scalar& b, mlir::Type type) {
  if (a.narrow && b.narrow) {
    return Scalar::Index(Halide::select(condition, a.e, b.e), std::min(a.low, b.low),
                         std::max(a.high, b.high));
  }
  Expr x = ToCompute(a, type), y = ToCompute(b, type);
  if (type.isInteger(1)) return Scalar::Of((condition && x) || (!condition && y));
  return Scalar::Of(Halide::select(condition, x, y));
}

Scalar FillOutside(const Scalar& element, const Scalar& fill, const std::vector<Expr>& insides,
                   mlir::Type type) {
  bool by_loops = std::none_of(insides.begin(), insides.end(), ReadsElements);
  Scalar value = element;
  for (auto inside = insides.rbegin(); inside != insides.rend(); ++inside) {
    if (by_loops) value.e = Halide::likely(value.e);
    value = SelectScalar(*inside, value, fill, type);
  }
  return value;
}

}  // namespace weft::backends
