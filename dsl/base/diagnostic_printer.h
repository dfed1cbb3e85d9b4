#ifndef WEFT_DSL_BASE_DIAGNOSTIC_PRINTER_H_
#define WEFT_DSL_BASE_DIAGNOSTIC_PRINTER_H_

#include <string>

#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::dsl {

// One diagnostic as people read it, ending in a newline:
//
//   mlp.weft:7:11: error: inner dimensions of `matmul` differ: 3 and 4 [matmul-inner-dims]
//      7 |   let h = matmul(x, w)
//        |           ^^^^^^ -  - f32[4, 8]
//        |                  f32[2, 3]
//   mlp.weft:2:3: note: `w` declared here
std::string PrintDiagnostic(const SourceManager& sources, const Diagnostic& diagnostic);

// All of them in the order of their places; of very many the first ones and how many more there are.
std::string PrintDiagnostics(const SourceManager& sources, const Diagnostics& diagnostics);

// A JSON array of objects with `severity`, `code`, `message`, `file`, `line`, `column`, `end_line`,
// `end_column`, and the lists `labels`, `notes` (each with `message` and, if it has one, the place) and
// `suggestions`. Ends in a newline.
std::string DiagnosticsToJson(const SourceManager& sources, const Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_BASE_DIAGNOSTIC_PRINTER_H_
