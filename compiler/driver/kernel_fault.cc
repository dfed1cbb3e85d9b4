#include "compiler/driver/kernel_fault.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "compiler/ir/location.h"

namespace weft::driver {

namespace {

constexpr size_t kLongestText = 300;

// From the place that `location` leads to, to the end of its line.
dsl::Span SpanOf(mlir::Location location, const dsl::SourceManager& sources) {
  mlir::FileLineColLoc place = ir::FilePlace(location);
  for (int32_t file = 0; place && file < sources.size(); ++file) {
    const dsl::SourceFile& source = sources.file(file);
    int line = static_cast<int>(place.getLine());
    if (source.name() != place.getFilename().str() || line < 1 || line > source.line_count()) continue;
    absl::string_view text = source.Line(line);
    size_t at = 0;
    for (unsigned column = 1; column < place.getColumn() && at < text.size(); ++column)
      at += static_cast<size_t>(std::max(1, dsl::Utf8Length(text, at)));
    int32_t begin = source.LineBegin(line);
    return {file, begin + static_cast<int32_t>(at), begin + static_cast<int32_t>(text.size())};
  }
  return {};
}

// The place of the kernel's last equation, which the others were fused into.
mlir::Location PlaceOf(ir::KernelOp kernel) {
  mlir::Location place = kernel.getLoc();
  for (auto equation : kernel.getOps<ir::EquationOp>()) {
    if (ir::FilePlace(equation.getLoc())) place = equation.getLoc();
  }
  return place;
}

}  // namespace

void ReportFault(const Kernel& kernel, const ChildEnd& end, const dsl::SourceManager& sources,
                 dsl::Diagnostics& diagnostics) {
  auto report =
      diagnostics.Report(SpanOf(PlaceOf(kernel.op), sources), dsl::kKernelFault, kernel.name, end.cause);
  absl::string_view said = absl::StripSuffix(absl::string_view(end.said).substr(0, kLongestText), "\n");
  if (!said.empty()) report.Note(absl::StrCat("it said: ", said));
  if (kernel.has_own_schedule) report.Suggest("leave out the directives of its schedule");
  report.Suggest("split the equation by names of its own, or compile with `--backend loops`");
  if (end.limited) {
    report.Suggest("allow more by the variables WEFT_KERNEL_SECONDS and WEFT_KERNEL_MEGABYTES");
  } else {
    report.Suggest("this is a fault of the compiler, not of the file: please report it with the file");
  }
}

}  // namespace weft::driver
