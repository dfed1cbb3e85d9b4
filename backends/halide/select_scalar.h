#ifndef WEFT_BACKENDS_HALIDE_SELECT_SCALAR_H_
#define WEFT_BACKENDS_HALIDE_SELECT_SCALAR_H_

#include <Halide.h>

#include <vector>

#include "backends/halide/scalar_ops.h"

namespace weft::backends {

// `a` where the condition holds, else `b`; both are values of `type`.
Scalar SelectScalar(const Halide::Expr& condition, const Scalar& a, const Scalar& b, mlir::Type type);

// An element of a tensor, and `fill` where one of the conditions `insides` (one for each subscript that may
// lie outside) does not hold. Loops that decide one of them have code of their own between the edges; none is
// expected of places that are read from data.
Scalar FillOutside(const Scalar& element, const Scalar& fill, const std::vector<Halide::Expr>& insides,
                   mlir::Type type);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_SELECT_SCALAR_H_
