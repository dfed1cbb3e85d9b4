#ifndef WEFT_DSL_PARSER_PARSER_H_
#define WEFT_DSL_PARSER_PARSER_H_

#include <cstdint>
#include <memory>

#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"

namespace weft::dsl {

// Reads one file of `sources`. Always gives a tree; where the text has mistakes, they are reported to
// `diagnostics` and the tree holds what could be read (ast::Invalid in the place of an expression that could
// not).
std::unique_ptr<ast::File> ParseFile(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_PARSER_PARSER_H_
