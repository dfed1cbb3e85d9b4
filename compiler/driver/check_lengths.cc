#include "compiler/driver/check_lengths.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "backends/schedule/kernel_view.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/index_range.h"

namespace weft::driver {
namespace {

using backends::Directive;
using passes::IndexRange;

// What a size of the kernel can be in `launch`.
IndexRange RangeIn(ir::LaunchOp launch, const backends::KernelView& kernel, mlir::Value length) {
  auto passed = [&](mlir::Value argument) {
    auto place = std::find(kernel.arguments.begin(), kernel.arguments.end(), argument);
    return place == kernel.arguments.end() ? mlir::Value()
                                           : launch.getInputs()[place - kernel.arguments.begin()];
  };
  auto dim = length.getDefiningOp<mlir::tensor::DimOp>();
  if (!dim) {
    mlir::Value value = passed(length);
    return value ? passes::RangeOf(value) : IndexRange();
  }
  mlir::Value tensor = passed(dim.getSource());
  std::optional<int64_t> axis = dim.getConstantIndex();
  if (!tensor || !axis) return IndexRange();
  // Asked of a size that is written for this alone.
  mlir::OpBuilder builder(launch);
  mlir::Operation* before = launch->getPrevNode();
  mlir::OpFoldResult size = passes::SizeOf(builder, launch.getLoc(), tensor, *axis);
  IndexRange range;
  if (auto number = mlir::getConstantIntValue(size)) {
    range = {*number, *number};
  } else {
    range = passes::RangeOf(mlir::cast<mlir::Value>(size));
  }
  while (launch->getPrevNode() != before) launch->getPrevNode()->erase();
  return range;
}

}  // namespace

void CheckLengths(const Kernel& kernel, const std::vector<ir::LaunchOp>& launches,
                  dsl::Diagnostics& diagnostics) {
  backends::KernelView view = backends::ViewKernel(kernel.op);
  for (size_t i = 0; i < view.equations.size(); ++i) {
    for (const Directive& directive : kernel.schedule.equations[i].directives) {
      if (directive.kind != backends::DirectiveKind::kSpecialize || launches.empty()) continue;
      mlir::Value length = backends::LengthOf(view.equations[i], directive.names[0]);
      if (!length) continue;
      IndexRange all = RangeIn(launches[0], view, length);
      for (ir::LaunchOp launch : launches) {
        IndexRange range = RangeIn(launch, view, length);
        all = {std::min(all.lo, range.lo), std::max(all.hi, range.hi)};
      }
      for (size_t n = 0; n < directive.length_spans.size(); ++n) {
        if (directive.lengths[n] >= all.lo && directive.lengths[n] <= all.hi) continue;
        diagnostics.Report(directive.length_spans[n], dsl::kScheduleValue,
                           absl::StrCat("`", directive.names[0], "` is from ", std::max<int64_t>(all.lo, 0),
                                        " to ", all.hi, " long, and never ", directive.lengths[n]));
      }
    }
  }
}

}  // namespace weft::driver
