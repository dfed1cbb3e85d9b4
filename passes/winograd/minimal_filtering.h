#ifndef WEFT_PASSES_WINOGRAD_MINIMAL_FILTERING_H_
#define WEFT_PASSES_WINOGRAD_MINIMAL_FILTERING_H_

// The minimal filtering algorithms F(m, 3): m neighbouring results of a filter of three taps by m + 2
// products. results = output * ((weights * w) . (input * x)), where . multiplies element by element.

#include <cstdint>

#include "llvm/ADT/ArrayRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace weft::passes {

// Rows of a matrix one after the other.
struct Matrix {
  int64_t rows, columns;
  llvm::ArrayRef<double> elements;
  llvm::ArrayRef<double> Row(int64_t row) const { return elements.slice(row * columns, columns); }
};

struct MinimalFiltering {
  int64_t outputs;                // m
  double error;                   // for one channel, of F(m x m, 3 x 3), relative to the largest result
  Matrix input, weights, output;  // B transposed, G, A transposed
  int64_t Products() const { return outputs + 2; }
  // What is expected at most where `channels` are summed over.
  double ErrorOf(int64_t channels) const;
};

// By rising m.
llvm::ArrayRef<MinimalFiltering> MinimalFilterings();

// Writes row `index` of matrix * values: a choice among the rows, written out without their zeros. Halves
// that rows share, as those of opposite points do, are written the same way in each.
mlir::Value WriteRow(mlir::OpBuilder& builder, mlir::Location location, const Matrix& matrix,
                     mlir::Value index, llvm::ArrayRef<mlir::Value> values);

}  // namespace weft::passes

#endif  // WEFT_PASSES_WINOGRAD_MINIMAL_FILTERING_H_
