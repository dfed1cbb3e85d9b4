#ifndef WEFT_DSL_LEXER_TOKEN_H_
#define WEFT_DSL_LEXER_TOKEN_H_

#include <string>
#include <vector>

#include "dsl/base/span.h"

namespace weft::dsl {

enum class TokenKind {
  kEnd,      // after the last token; an empty span at the end of the file
  kInvalid,  // something that is no token; an error has been reported
  kName,
  kNumber,
  kString,
#define WEFT_TOKEN(kind, spelling) kind,
#define WEFT_KEYWORD(kind, spelling) kind,
#include "dsl/lexer/token_kinds.def"
#undef WEFT_TOKEN
#undef WEFT_KEYWORD
};

// "`(`", "`let`", "a name": how messages call it.
std::string Describe(TokenKind kind);
// True for the reserved words.
bool IsKeyword(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool first_on_line = false;
  Span span;
  std::string text;  // names, keywords and numbers: as written; strings: without quotes, escapes resolved
  std::string doc;   // the `///` lines right above, without the marks, joined by "\n"
};

// `// ...` or `/// ...`, without the line break. Meaning nothing, they are kept for the formatter.
struct Comment {
  Span span;
  bool is_doc = false;
  bool first_on_line = false;
};

struct TokenizedText {
  std::vector<Token> tokens;  // the last is kEnd
  std::vector<Comment> comments;
};

}  // namespace weft::dsl

#endif  // WEFT_DSL_LEXER_TOKEN_H_
