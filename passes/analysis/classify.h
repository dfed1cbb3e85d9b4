#ifndef WEFT_PASSES_ANALYSIS_CLASSIFY_H_
#define WEFT_PASSES_ANALYSIS_CLASSIFY_H_

// What kind of computation an equation is: the question behind fusion, layout and schedules.

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringRef.h"

namespace weft::passes {

// A sum of products whose factors are each read for several results: matrix products and convolutions. `rows`
// are the indices of the domain that only the first factor has, `columns` those that only the second has,
// `batch` those that both have; indices of unit axes are in none. The second factor is the one with weights,
// if one of them has.
struct Contraction {
  ir::ReduceOp reduce;
  ir::ReadOp data, weights;  // the factors, behind casts; null where a factor is no single read
  mlir::Value data_factor, weight_factor;
  llvm::SetVector<mlir::Value> rows, columns, batch;
};
std::optional<Contraction> MatchContraction(ir::EquationOp equation);

// The same for any sum of products of two factors that is the one reduction of a body: also where a factor
// serves one result alone, as in a window of its own per channel.
std::optional<Contraction> MatchSumOfProducts(ir::EquationOp equation);

// Of indices along any of which results could lie densely: the last that fills a vector, else the longest.
mlir::BlockArgument DensestOf(const llvm::SetVector<mlir::Value>& indices, ir::EquationOp equation);

// Whether a tensor depends on weights and constants alone.
bool IsLoadTime(mlir::Value tensor);

// Whether a value is computed from an element of a tensor inside `within`: an equation, or a reduction of
// one.
bool DependsOnRead(mlir::Value value, mlir::Operation* within);

// `pointwise`, `row_reduction`, `contraction`, `depthwise` (a window slides over an axis), `gather` (a
// subscript depends on data) or `copy` (nothing is computed).
llvm::StringRef ClassOf(ir::EquationOp equation);

// The class of equations that share a kernel: `attention` where contractions meet reductions of rows.
llvm::StringRef ClassOf(llvm::ArrayRef<ir::EquationOp> equations);

}  // namespace weft::passes

#endif  // WEFT_PASSES_ANALYSIS_CLASSIFY_H_
