#ifndef WEFT_DSL_LEXER_LEXER_H_
#define WEFT_DSL_LEXER_LEXER_H_

#include <cstdint>

#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/lexer/token.h"

namespace weft::dsl {

// The longest text that is read.
inline constexpr int64_t kMostFileBytes = 16 << 20;

// Cuts a file into tokens. Whatever its bytes are, it comes to the end; what is no token is reported once per
// run of such characters and stands as one kInvalid. Where the meaning is plain (`<=` written as one
// character, say) the token that was meant takes the place.
TokenizedText Tokenize(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);

}  // namespace weft::dsl

#endif  // WEFT_DSL_LEXER_LEXER_H_
