#ifndef WEFT_DSL_FORMAT_STATEMENT_STARTS_H_
#define WEFT_DSL_FORMAT_STATEMENT_STARTS_H_

#include <cstdint>
#include <set>

#include "dsl/ast/decl.h"

namespace weft::dsl {

// The bytes at which declarations, members, statements and directives begin.
std::set<int32_t> StatementStarts(const ast::File& file);

}  // namespace weft::dsl

#endif  // WEFT_DSL_FORMAT_STATEMENT_STARTS_H_
