#ifndef WEFT_COMPILER_PAGE_PAGE_H_
#define WEFT_COMPILER_PAGE_PAGE_H_

// Pages in HTML that need nothing else, all in one style (style.css, which benchmarks/chart_page.py uses,
// too).

#include <string>

#include "absl/strings/string_view.h"

namespace weft::page {

// Text as it stands in HTML.
std::string Escaped(absl::string_view text);

// `title` is text, which is the page's heading as well; `style` has rules beside those of all pages; `body`
// is HTML.
std::string HtmlPage(absl::string_view title, absl::string_view style, absl::string_view body);

}  // namespace weft::page

#endif  // WEFT_COMPILER_PAGE_PAGE_H_
