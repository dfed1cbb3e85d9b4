#include "compiler/tune/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "compiler/page/page.h"

namespace weft::tune {
namespace {

constexpr double kWidth = 320, kHeight = 90;

constexpr char kStyle[] = R"(th, td { text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; font-family: monospace; }
th:last-child, td:last-child { text-align: left; }
polyline { fill: none; stroke: var(--good); stroke-width: 1.5; }
svg text { font-size: 10px; fill: var(--soft); }
)";

// The gain behind each candidate, as steps; from 1 to the best.
std::string Curve(const KernelProgress& kernel) {
  if (kernel.gains.empty()) return "";
  double top = std::max(1.05, kernel.gain);
  auto count = static_cast<double>(kernel.gains.size());
  auto x = [&](double candidates) { return 30 + (kWidth - 35) * candidates / count; };
  auto y = [&](double gain) { return 5 + (kHeight - 20) * (top - gain) / (top - 1); };
  std::string points = absl::StrFormat("%.1f,%.1f", x(0), y(1));
  double gain = 1;
  for (size_t i = 0; i < kernel.gains.size(); ++i) {
    auto candidates = static_cast<double>(i + 1);
    absl::StrAppendFormat(&points, " %.1f,%.1f %.1f,%.1f", x(candidates), y(gain), x(candidates),
                          y(kernel.gains[i]));
    gain = kernel.gains[i];
  }
  std::string svg = absl::StrFormat("<svg width=\"%.0f\" height=\"%.0f\">", kWidth, kHeight);
  absl::StrAppendFormat(&svg, "<line class=\"axis\" x1=\"30\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", y(1),
                        kWidth - 5, y(1));
  absl::StrAppendFormat(&svg, "<text x=\"0\" y=\"%.1f\">1.00</text><text x=\"0\" y=\"%.1f\">%.2f</text>",
                        y(1) + 3, y(top) + 8, top);
  absl::StrAppendFormat(&svg, "<text x=\"%.1f\" y=\"%.1f\">%d candidates</text>", kWidth - 80, kHeight - 3,
                        kernel.gains.size());
  return absl::StrCat(svg, "<polyline points=\"", points, "\"/></svg>");
}

std::string Row(const KernelProgress& kernel) {
  std::string row = absl::StrFormat(
      "<tr><td>%s</td><td>%.1f "
      "%%</td><td>%d</td><td>%.1f</td><td>%.1f</td><td>%.2f</td><td>%d</td><td>%d</td>",
      page::Escaped(kernel.name), 100 * kernel.share, kernel.launches, 1e6 * kernel.seconds,
      1e6 * kernel.seconds / kernel.gain, kernel.gain, kernel.candidates, kernel.rejected);
  std::string changes = kernel.problem.empty() ? absl::StrJoin(kernel.accepted, "; ") : kernel.problem;
  return absl::StrCat(row, "<td>", Curve(kernel), "<br>", page::Escaped(changes), "</td></tr>\n");
}

}  // namespace

std::string HtmlReport(absl::string_view title, const TuneResult& result) {
  std::string body;
  if (result.scheduled == 0) {
    absl::StrAppend(&body, "<p>No kernel has a faster schedule than the default.</p>\n");
  } else if (result.program.problem.empty()) {
    absl::StrAppendFormat(
        &body,
        "<p>The program takes %.3f ms instead of %.3f: %.2f times as fast (quartiles %.2f to %.2f "
        "of %d rounds).</p>\n",
        1e3 * result.program.challenger_seconds, 1e3 * result.program.incumbent_seconds,
        result.program.median, result.program.lower_quartile, result.program.upper_quartile,
        result.program.count);
  }
  absl::StrAppend(
      &body,
      "<table>\n<tr><th>kernel</th><th>share</th><th>calls</th><th>default, us</th><th>best, us</th>"
      "<th>gain</th><th>tried</th><th>rejected</th><th>best gain against candidates</th></tr>\n");
  for (const KernelProgress& kernel : result.kernels) absl::StrAppend(&body, Row(kernel));
  return page::HtmlPage(title, kStyle, absl::StrCat(body, "</table>\n"));
}

}  // namespace weft::tune
