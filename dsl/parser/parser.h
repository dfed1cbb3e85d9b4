#ifndef WEFT_DSL_PARSER_PARSER_H_
#define WEFT_DSL_PARSER_PARSER_H_

#include <cstdint>
#include <memory>

#include "absl/strings/string_view.h"
#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::dsl {

// Reads one file of `sources`. Always gives a tree; where the text has mistakes, they are reported to
// `diagnostics` and the tree holds what could be read (ast::Invalid in the place of an expression that could
// not).
std::unique_ptr<ast::File> ParseFile(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);

// The same for a file of nothing but `schedule` blocks, which need not begin with the version.
std::unique_ptr<ast::File> ParseScheduleFile(const SourceManager& sources, int32_t file,
                                             Diagnostics& diagnostics);

// Whether a loop of this name is written in quotes inside a schedule: reserved words and those of directives.
bool IsScheduleWord(absl::string_view name);

}  // namespace weft::dsl

#endif  // WEFT_DSL_PARSER_PARSER_H_
