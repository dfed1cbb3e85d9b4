#include "dsl/format/spacing.h"

#include <string>

namespace weft::dsl {

namespace {

using enum TokenKind;

// Words that are words only in their place; a bracket after them begins an expression of its own.
bool IsPlaceWord(const Token& token) {
  static const std::set<std::string> words = {"expect", "within", "hot", "step", "by",
                                              "into",   "as",     "of",  "on",   "at"};
  return token.kind == kName && words.contains(token.text);
}

bool EndsOperand(const Token& token) {
  switch (token.kind) {
    case kName:
    case kNumber:
    case kString:
    case kRightParen:
    case kRightBracket:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNone:
    case kQuestion:
      return true;
    default:
      return false;
  }
}

// `2*H + 1`, `2 * H`, `0..N`: tight or not is the author's choice, the same on both sides.
bool HasFreeSpacing(TokenKind kind) {
  return kind == kPlus || kind == kMinus || kind == kStar || kind == kSlash || kind == kPercent ||
         kind == kDotDot;
}

class Spacing {
 public:
  Spacing(const std::vector<Token>& tokens, const std::vector<bool>& written, const std::set<int32_t>& starts)
      : tokens_(tokens), written_(written), starts_(starts) {}

  std::vector<bool> Run() {
    std::vector<bool> spaces(tokens_.size(), false);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (i > 0) spaces[i] = Between(i);
      Follow(i);
    }
    return spaces;
  }

 private:
  bool IsPrefix(size_t i) const {  // `-x`, `..s`
    if (tokens_[i].kind == kDotDot) return i == 0 || !EndsOperand(tokens_[i - 1]);
    if (tokens_[i].kind != kMinus) return false;
    // `argsort(n) -score[n]`: the body of a reduction, as the author's space says.
    bool begins_body = i > 0 && tokens_[i - 1].kind == kRightParen && written_[i] && i + 1 < tokens_.size() &&
                       !written_[i + 1];
    return i == 0 || begins_body || !EndsOperand(tokens_[i - 1]) ||
           (tokens_[i - 1].text == "expect" && starts_.contains(tokens_[i - 1].span.begin));
  }
  bool IsSpacedOperator(size_t i) const { return written_[i] || (i + 1 < tokens_.size() && written_[i + 1]); }

  void Follow(size_t i) {
    switch (tokens_[i].kind) {
      case kLeftParen:
      case kLeftBracket:
        open_.push_back(tokens_[i].kind);
        break;
      case kLeftBrace:  // of `hot {1, 8}` and `knob k in {16, 32}`: no block
        open_.push_back(i > 0 && (tokens_[i - 1].text == "hot" || tokens_[i - 1].kind == kIn) ? kComma
                                                                                              : kLeftBrace);
        break;
      case kRightParen:
      case kRightBracket:
      case kRightBrace:
        if (!open_.empty()) open_.pop_back();
        break;
      default:
        break;
    }
  }

  bool Between(size_t i) const {
    const Token &left = tokens_[i - 1], &right = tokens_[i];
    TokenKind a = left.kind, b = right.kind;
    bool in_set = !open_.empty() && open_.back() == kComma;
    if (a == kLeftParen || a == kLeftBracket || b == kRightParen || b == kRightBracket) return false;
    if (b == kComma || b == kSemicolon || b == kQuestion || a == kDot || b == kDot) return false;
    if (b == kColon) return a == kComma || a == kSemicolon;
    if (a == kColon) return open_.empty() || open_.back() != kLeftBracket;
    if (a == kComma || a == kSemicolon) return true;
    if (a == kCaret || b == kCaret) return false;
    if (IsPrefix(i - 1)) return false;
    if (a == kLeftBrace && b == kRightBrace) return false;
    if (a == kLeftBrace || b == kRightBrace) return !in_set;
    if (HasFreeSpacing(a)) return IsSpacedOperator(i - 1);
    if (HasFreeSpacing(b) && !IsPrefix(i)) return IsSpacedOperator(i);
    if (b == kLeftParen || b == kLeftBracket) {
      if (a == kName) return IsPlaceWord(left) && written_[i];
      if (EndsOperand(left)) return written_[i];
    }
    return true;
  }

  const std::vector<Token>& tokens_;
  const std::vector<bool>& written_;
  const std::set<int32_t>& starts_;
  std::vector<TokenKind> open_;  // kComma: the braces of a set
};

}  // namespace

std::vector<bool> SpacesBefore(const std::vector<Token>& tokens, const std::vector<bool>& written,
                               const std::set<int32_t>& starts) {
  return Spacing(tokens, written, starts).Run();
}

}  // namespace weft::dsl
