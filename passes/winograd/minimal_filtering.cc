#include "passes/winograd/minimal_filtering.h"

#include <cmath>

#include "llvm/ADT/SmallVector.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::passes {
namespace {

using mlir::Value;
namespace arith = mlir::arith;

// The points 0, 1, -1 and infinity.
constexpr double kInput2[] = {1, 0,  -1, 0,  //
                              0, 1,  1,  0,  //
                              0, -1, 1,  0,  //
                              0, 1,  0,  -1};
constexpr double kWeights2[] = {1,   0,    0,    //
                                0.5, 0.5,  0.5,  //
                                0.5, -0.5, 0.5,  //
                                0,   0,    1};
constexpr double kOutput2[] = {1, 1, 1,  0,  //
                               0, 1, -1, -1};

// 2 and -2 as well.
constexpr double kInput4[] = {4, 0,  -5, 0,  1, 0,  //
                              0, -4, -4, 1,  1, 0,  //
                              0, 4,  -4, -1, 1, 0,  //
                              0, -2, -1, 2,  1, 0,  //
                              0, 2,  -1, -2, 1, 0,  //
                              0, 4,  0,  -5, 0, 1};
constexpr double kWeights4[] = {1.0 / 4,  0,         0,         //
                                -1.0 / 6, -1.0 / 6,  -1.0 / 6,  //
                                -1.0 / 6, 1.0 / 6,   -1.0 / 6,  //
                                1.0 / 24, 1.0 / 12,  1.0 / 6,   //
                                1.0 / 24, -1.0 / 12, 1.0 / 6,   //
                                0,        0,         1};
constexpr double kOutput4[] = {1, 1, 1,  1, 1,  0,  //
                               0, 1, -1, 2, -2, 0,  //
                               0, 1, 1,  4, 4,  0,  //
                               0, 1, -1, 8, -8, 1};

// Sums and differences of values with coefficients, in the order in which they are added.
class Sum {
 public:
  Sum(mlir::OpBuilder& builder, mlir::Location location) : builder_(builder), location_(location) {}

  void Add(double coefficient, Value value) {
    if (coefficient == 0) return;
    double size = std::abs(coefficient);
    if (size != 1) {
      // The sign goes into the coefficient: the product becomes part of a fused multiply-add.
      Value factor = arith::ConstantOp::create(
          builder_, location_, builder_.getFloatAttr(value.getType(), sum_ ? coefficient : size));
      value = arith::MulFOp::create(builder_, location_, value, factor);
    }
    if (!sum_) {
      sum_ = coefficient > 0 ? value : arith::NegFOp::create(builder_, location_, value).getResult();
    } else if (size == 1 && coefficient < 0) {
      sum_ = arith::SubFOp::create(builder_, location_, sum_, value);
    } else {
      sum_ = arith::AddFOp::create(builder_, location_, sum_, value);
    }
  }

  Value Get() const { return sum_; }

 private:
  mlir::OpBuilder& builder_;
  mlir::Location location_;
  Value sum_;
};

// Every second value from `first` on, the largest position first and with a positive coefficient; whether the
// sign of all had to be changed for that.
Value WriteHalf(mlir::OpBuilder& builder, mlir::Location location, llvm::ArrayRef<double> row, int64_t first,
                llvm::ArrayRef<Value> values, bool& negative) {
  Sum sum(builder, location);
  double sign = 0;
  for (int64_t i = static_cast<int64_t>(row.size()) - 1; i >= 0; --i) {
    if (i % 2 != first || row[i] == 0) continue;
    if (sign == 0) sign = row[i] < 0 ? -1 : 1;
    sum.Add(sign * row[i], values[i]);
  }
  negative = sign < 0;
  return sum.Get();
}

Value WriteProduct(mlir::OpBuilder& builder, mlir::Location location, llvm::ArrayRef<double> row,
                   llvm::ArrayRef<Value> values) {
  bool even_negative = false, odd_negative = false;
  Value even = WriteHalf(builder, location, row, 0, values, even_negative);
  Value odd = WriteHalf(builder, location, row, 1, values, odd_negative);
  if (!even || (even_negative && odd && !odd_negative)) {
    std::swap(even, odd);
    std::swap(even_negative, odd_negative);
  }
  Sum sum(builder, location);
  sum.Add(even_negative ? -1 : 1, even);
  if (odd) sum.Add(odd_negative ? -1 : 1, odd);
  return sum.Get();
}

}  // namespace

double MinimalFiltering::ErrorOf(int64_t channels) const {
  return error * std::sqrt(static_cast<double>(channels));
}

llvm::ArrayRef<MinimalFiltering> MinimalFilterings() {
  static const MinimalFiltering all[] = {
      {2, 1.5e-7, {4, 4, kInput2}, {4, 3, kWeights2}, {2, 4, kOutput2}},
      {4, 2.1e-6, {6, 6, kInput4}, {6, 3, kWeights4}, {4, 6, kOutput4}},
  };
  return all;
}

Value WriteRow(mlir::OpBuilder& builder, mlir::Location location, const Matrix& matrix, Value index,
               llvm::ArrayRef<Value> values) {
  Value chosen;
  for (int64_t row = matrix.rows - 1; row >= 0; --row) {
    Value product = WriteProduct(builder, location, matrix.Row(row), values);
    if (!chosen) {
      chosen = product;
      continue;
    }
    Value number = arith::ConstantIndexOp::create(builder, location, row);
    Value is = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, index, number);
    chosen = arith::SelectOp::create(builder, location, is, product, chosen);
  }
  return chosen;
}

}  // namespace weft::passes
