#ifndef WEFT_BACKENDS_HALIDE_SCALAR_OPS_H_
#define WEFT_BACKENDS_HALIDE_SCALAR_OPS_H_

// The scalar operations of equation bodies as Halide expressions. Halide by itself takes floats for real
// numbers (no NaN, no infinity, reassociation) and integers for unbounded ones; here floats keep IEEE
// semantics through its strict operations, and integers wrap where their range does not show that they need
// not.

#include <Halide.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Types.h"

namespace weft::backends {

// An index or extent.
inline Halide::Expr Number(int64_t value) { return Halide::Expr(static_cast<int32_t>(value)); }

// One scalar. f16 and bf16 values are held in 32-bit floats and rounded after each operation. Whole numbers
// of type index and i64 are held in 32 bits (`narrow`) while their range allows it, since Halide understands
// subscripts only so.
struct Scalar {
  Halide::Expr e;
  bool narrow = false;
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();

  static Scalar Of(Halide::Expr e) { return {std::move(e)}; }
  static Scalar Index(Halide::Expr e, int64_t low, int64_t high) { return {std::move(e), true, low, high}; }
};

// How elements of `type` lie in memory (bool as a byte, bf16 as its bits). None: a type that no kernel holds.
absl::StatusOr<Halide::Type> StorageType(mlir::Type type);
// From and to memory.
Scalar FromStorage(const Halide::Expr& stored, mlir::Type type);
Halide::Expr ToStorage(const Scalar& value, mlir::Type type);
// The type in which a value of `type` is computed (for accumulators); ToCompute gives a value in that type,
// widening one that is held in 32 bits.
Halide::Type ComputeType(mlir::Type type);
Halide::Expr ToCompute(const Scalar& value, mlir::Type type);
// A float rounded to bf16.
Scalar RoundedToBf16(const Halide::Expr& value);
// Subscripts: 32-bit, whatever it was held in.
Halide::Expr ToIndex(const Scalar& value);

// Whether `e` depends on elements of tensors or found positions: Halide bounds neither, whatever was proved
// of them.
bool ReadsElements(const Halide::Expr& e);
// `e`, in a form that Halide does not look into. Halide leaves out the steps of a reduction that it takes for
// no-ops, and takes what a product with zero is added to for unchanged, whatever the other factor.
Halide::Expr Opaque(const Halide::Expr& e);

// The result of `op` (arith or math, one result). An operation that is not known is an Unimplemented error.
absl::StatusOr<Scalar> TranslateScalarOp(mlir::Operation* op, const std::vector<Scalar>& operands);

// The remainder of a whole number by a positive one, 0 to divisor - 1.
Scalar FloorRemainder(const Scalar& value, int64_t divisor);

// Sums and extremes as reductions need them, on values in ComputeType(type). Extremes of floats propagate
// NaN.
Halide::Expr Add(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr Multiply(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr Maximum(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr Minimum(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr Less(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr IsNan(const Halide::Expr& a);
Halide::Expr Infinity(Halide::Type type, bool negative);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_SCALAR_OPS_H_
