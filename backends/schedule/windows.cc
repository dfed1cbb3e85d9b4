#include "backends/schedule/windows.h"

#include <algorithm>

#include "backends/schedule/motion.h"
#include "llvm/ADT/STLExtras.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {
namespace {

// What one row of windows reads anew of the product's block and of the rows that are multiplied for it.
double BytesWithProduct(const EquationView& product, const ReadView& read, mlir::Value row) {
  auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
  double block = static_cast<double>(product.packed_block) /
                 static_cast<double>(std::max<int64_t>(1, type.getDimSize(product.packed_axis)));
  double bytes = BytesPerStep(read, {row}) * block;
  for (size_t axis = 0; axis < read.subscripts.size(); ++axis) {
    AffineForm form;
    if (!MatchAffine(read.subscripts[axis], &form) || form.Coefficient(row) == 0) continue;
    double most = 0;
    for (const ReadView* factor : InnerReads(product))
      most = std::max(most, BytesPerStep(*factor, {product.indices[axis]}));
    bytes += static_cast<double>(std::abs(form.Coefficient(row))) * most;
  }
  return bytes;
}

// What one row of windows reads anew.
double RowBytes(const KernelView& kernel, const EquationView& view, mlir::Value row) {
  const EquationView* product = WindowedProduct(kernel);
  double bytes = 0;
  for (const ReadView* read : InnerReads(view)) {
    bool computed = product && read->tensor == product->results[0];
    bytes = std::max(bytes, computed ? BytesWithProduct(*product, *read, row) : BytesPerStep(*read, {row}));
  }
  return bytes;
}

}  // namespace

const EquationView* WindowedProduct(const KernelView& kernel) {
  if (kernel.equations.size() != 2) return nullptr;
  const EquationView& product = kernel.equations[0];
  bool is_returned = llvm::is_contained(kernel.returned, product.results[0]);
  bool windowed =
      product.packed_axis >= 0 && product.common == std::vector<int>{product.packed_axis} && !is_returned;
  return windowed ? &product : nullptr;
}

void PlaceWindows(Plan& plan, const KernelView& kernel, const std::pair<std::string, int64_t>& columns,
                  int rows, bool by_threads, const Target& target, Knobs& knobs,
                  std::vector<std::pair<std::string, int64_t>>& outer) {
  auto at = outer.begin() + rows;
  auto [name, extent] = *at;
  int64_t outside = 1;
  for (int i = 0; i < rows; ++i) outside = outer[i].second < 0 ? outside : outside * outer[i].second;
  double bytes = RowBytes(kernel, *plan.view, plan.domain_indices[rows].back());
  int64_t blocks = 1;
  const int64_t cores = target.cores;
  if (by_threads && outside == 1 && extent >= 2 * cores) blocks = extent >= 12 * cores ? 2 * cores : cores;
  while (extent >= 8 * blocks &&
         bytes * static_cast<double>(extent) > 0.5 * static_cast<double>(target.l2_bytes * blocks)) {
    blocks += by_threads ? cores : 1;
  }
  std::vector<KnobValue> others;
  for (int64_t other : {int64_t{1}, cores, 2 * cores, 4 * cores, 8 * cores})
    if (extent >= 2 * other) others.push_back({other, 1.05});
  blocks = knobs.Choose("blocks", blocks, std::move(others));
  if (blocks > 1) {
    int64_t size = (extent + blocks - 1) / blocks;
    std::string block, row;
    plan.Split(name, size, &block, &row);
    *at = {row, size};
    at = outer.insert(at, {block, (extent + size - 1) / size}) + 1;
  }
  bool stay =
      WindowedProduct(kernel) || knobs.Choose("columns_around_rows", target.vector_registers >= 32, 1.2);
  outer.insert(stay ? at : outer.end(), columns);
}

}  // namespace weft::backends
