#ifndef WEFT_DSL_PARSER_BRACKETS_H_
#define WEFT_DSL_PARSER_BRACKETS_H_

#include <cstddef>
#include <vector>

#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/lexer/token.h"

namespace weft::dsl {

// Which bracket belongs to which, found before parsing so that a missing one is reported where it opens,
// once.
class Brackets {
 public:
  static constexpr size_t kNoToken = static_cast<size_t>(-1);

  // Reports brackets that are never closed. Closing ones that close nothing are left to the parser, which
  // knows whether another mistake has caused them.
  Brackets(const SourceFile& source, const std::vector<Token>& tokens, Diagnostics& diagnostics);

  // The other bracket of a pair, kNoToken if it has none or the token is no bracket. A pair may be of two
  // kinds (`(` and
  // `]`); that is reported.
  size_t Partner(size_t token) const { return partner_[token]; }
  // The first token that surely lies behind an unclosed bracket; kNoToken if the bracket is closed.
  size_t End(size_t open) const { return end_[open]; }
  bool IsUnclosed(size_t open) const { return end_[open] != kNoToken; }
  // All that are never closed, in the order of the text.
  const std::vector<size_t>& Unclosed() const { return unclosed_; }

 private:
  void Match(const SourceFile& source, const std::vector<Token>& tokens, Diagnostics* diagnostics);

  std::vector<size_t> partner_, end_, unclosed_;
};

// True where a declaration begins, judged by the next two tokens: `op NAME`, `test STRING`, ...
bool BeginsDeclaration(const std::vector<Token>& tokens, size_t at);

}  // namespace weft::dsl

#endif  // WEFT_DSL_PARSER_BRACKETS_H_
