#ifndef WEFT_DSL_FORMAT_FORMAT_H_
#define WEFT_DSL_FORMAT_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::dsl {

// The text of a file in the one style: where lines break is the author's choice, how they are indented and
// what stands between two tokens is not. Tokens and comments stay what they are, so the tree does too;
// formatting twice changes nothing more. Nothing if the file has mistakes, which are reported.
std::optional<std::string> Format(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_FORMAT_FORMAT_H_
