#ifndef WEFT_DSL_FORMAT_SPACING_H_
#define WEFT_DSL_FORMAT_SPACING_H_

#include <set>
#include <vector>

#include "dsl/lexer/token.h"

namespace weft::dsl {

// For every token, whether a space stands between it and the one before on the same line. `written`: whether
// the author left any white space there; `starts`: where statements begin.
std::vector<bool> SpacesBefore(const std::vector<Token>& tokens, const std::vector<bool>& written,
                               const std::set<int32_t>& starts);

}  // namespace weft::dsl

#endif  // WEFT_DSL_FORMAT_SPACING_H_
