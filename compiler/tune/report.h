#ifndef WEFT_COMPILER_TUNE_REPORT_H_
#define WEFT_COMPILER_TUNE_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "compiler/tune/tune.h"

namespace weft::tune {

// A page of its own for a browser: a table of the kernels, and for each how the best one's gain grew with the
// candidates.
std::string HtmlReport(absl::string_view title, const TuneResult& result);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_REPORT_H_
