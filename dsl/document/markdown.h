#ifndef WEFT_DSL_DOCUMENT_MARKDOWN_H_
#define WEFT_DSL_DOCUMENT_MARKDOWN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::dsl {

// What a file offers, as a chapter in Markdown: every op, model and entry with its signature and its `///`
// comment; comments that stand alone are text between them. Nothing if the file has mistakes, which are
// reported.
std::optional<std::string> Markdown(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_DOCUMENT_MARKDOWN_H_
