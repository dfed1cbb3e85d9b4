#include "dsl/parser/brackets.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace weft::dsl {
namespace {

bool Opens(TokenKind kind) {
  return kind == TokenKind::kLeftParen || kind == TokenKind::kLeftBracket || kind == TokenKind::kLeftBrace;
}
bool Closes(TokenKind kind) {
  return kind == TokenKind::kRightParen || kind == TokenKind::kRightBracket || kind == TokenKind::kRightBrace;
}
TokenKind CloserOf(TokenKind open) { return static_cast<TokenKind>(static_cast<int>(open) + 1); }

// True if every bracket has its partner.
bool AreBalanced(const std::vector<Token>& tokens) {
  std::vector<TokenKind> open;
  for (const Token& token : tokens) {
    if (Opens(token.kind)) open.push_back(CloserOf(token.kind));
    if (!Closes(token.kind)) continue;
    if (open.empty() || open.back() != token.kind) return false;
    open.pop_back();
  }
  return open.empty();
}

// Blanks at the beginning of the line on which a token stands.
int Indentation(const SourceFile& source, const Token& token) {
  absl::string_view line = source.Line(source.Locate(token.span.begin).line);
  size_t end = line.find_first_not_of(" \t");
  return static_cast<int>(end == absl::string_view::npos ? line.size() : end);
}

}  // namespace

bool BeginsDeclaration(const std::vector<Token>& tokens, size_t at) {
  static const char* const kWords[] = {"op", "model", "entry", "test", "schedule", "import", "extern"};
  if (tokens[at].kind != TokenKind::kName || at + 1 >= tokens.size()) return false;
  const Token& next = tokens[at + 1];
  if (next.first_on_line || (next.kind != TokenKind::kName && next.kind != TokenKind::kString)) return false;
  return std::find(std::begin(kWords), std::end(kWords), tokens[at].text) != std::end(kWords);
}

Brackets::Brackets(const SourceFile& source, const std::vector<Token>& tokens, Diagnostics& diagnostics)
    : partner_(tokens.size(), kNoToken), end_(tokens.size(), kNoToken) {
  // Only where something is wrong do indentation and declarations have a say.
  Match(source, tokens, AreBalanced(tokens) ? nullptr : &diagnostics);
  for (size_t at = 0; at < tokens.size(); ++at) {
    if (IsUnclosed(at)) unclosed_.push_back(at);
  }
}

void Brackets::Match(const SourceFile& source, const std::vector<Token>& tokens, Diagnostics* diagnostics) {
  std::vector<size_t> open;
  // Everything above `height` is unclosed. One mistake is likelier than several: only the innermost is
  // reported.
  auto give_up = [&](size_t height, size_t at) {
    if (open.size() <= height) return;
    diagnostics->Report(tokens[open.back()].span, kUnclosedBracket, tokens[open.back()].text);
    for (; open.size() > height; open.pop_back()) end_[open.back()] = at;
  };
  auto pair = [&](size_t at) {
    partner_[open.back()] = at;
    partner_[at] = open.back();
    open.pop_back();
  };

  for (size_t at = 0; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    if (diagnostics != nullptr && token.first_on_line && BeginsDeclaration(tokens, at)) give_up(0, at);
    if (Opens(token.kind)) open.push_back(at);
    if (!Closes(token.kind)) continue;
    if (diagnostics == nullptr) {
      pair(at);
      continue;
    }
    // The nearest bracket that this one closes, looking no further out than the block.
    size_t found = open.size();
    bool leaves_block = false;
    while (found > 0 && !leaves_block && CloserOf(tokens[open[found - 1]].kind) != token.kind) {
      leaves_block = tokens[open[found - 1]].kind == TokenKind::kLeftBrace;
      --found;
    }
    if (found == 0 || leaves_block) {
      // `(a, b]`: most likely the wrong kind of bracket, unless a block lies between.
      bool wrong_kind = !open.empty() && tokens[open.back()].kind != TokenKind::kLeftBrace &&
                        token.kind != TokenKind::kRightBrace;
      if (!wrong_kind) continue;
      diagnostics->Report(tokens[open.back()].span, kUnclosedBracket, tokens[open.back()].text)
          .Label(token.span, absl::StrCat("this is a `", token.text, "`"));
      pair(at);
      continue;
    }
    // A `}` that begins its line belongs to the `{` whose line is indented like it.
    if (token.kind == TokenKind::kRightBrace && token.first_on_line) {
      int indentation = Indentation(source, token);
      size_t outer = found;
      while (outer > 0 && Indentation(source, tokens[open[outer - 1]]) > indentation) --outer;
      bool fits = outer > 0 && tokens[open[outer - 1]].kind == TokenKind::kLeftBrace &&
                  Indentation(source, tokens[open[outer - 1]]) == indentation;
      if (fits) found = outer;
    }
    give_up(found, at);
    pair(at);
  }
  if (!open.empty()) give_up(0, tokens.size() - 1);
}

}  // namespace weft::dsl
