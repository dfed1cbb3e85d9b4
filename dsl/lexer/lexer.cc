#include "dsl/lexer/lexer.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace weft::dsl {
namespace {

struct Spelling {
  TokenKind kind;
  const char* text;
};
constexpr Spelling kSigns[] = {
#define WEFT_TOKEN(kind, spelling) {TokenKind::kind, spelling},
#define WEFT_KEYWORD(kind, spelling)
#include "dsl/lexer/token_kinds.def"
#undef WEFT_TOKEN
#undef WEFT_KEYWORD
};
constexpr Spelling kKeywords[] = {
#define WEFT_TOKEN(kind, spelling)
#define WEFT_KEYWORD(kind, spelling) {TokenKind::kind, spelling},
#include "dsl/lexer/token_kinds.def"
#undef WEFT_TOKEN
#undef WEFT_KEYWORD
};

// What people coming from mathematics or another language write, and what it is here.
struct Foreign {
  const char* text;
  TokenKind kind;
  const char* help;
};
constexpr Foreign kForeign[] = {
    {"&&", TokenKind::kAnd, "`and` is written as a word"},
    {"||", TokenKind::kOr, "`or` is written as a word"},
    {"\u2264", TokenKind::kLessEqual, "write `<=`"},
    {"\u2265", TokenKind::kGreaterEqual, "write `>=`"},
    {"\u2260", TokenKind::kNotEqual, "write `!=`"},
    {"\u2212", TokenKind::kMinus, "write `-`"},
    {"\u2013", TokenKind::kMinus, "write `-`"},
    {"\u00d7", TokenKind::kStar, "write `*`"},
    {"\u00b7", TokenKind::kStar, "write `*`"},
    {"\u2192", TokenKind::kArrow, "write `->`"},
    {"\u2026", TokenKind::kDotDot, "write `..`"},
};

bool IsNameStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsNamePart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

class Lexer {
 public:
  Lexer(const SourceManager& sources, int32_t file, Diagnostics& diagnostics)
      : text_(sources.file(file).text()), file_(file), diagnostics_(diagnostics) {}

  TokenizedText Run() {
    if (static_cast<int64_t>(text_.size()) > kMostFileBytes) {
      diagnostics_.Report(SpanFrom(0), kFileTooLarge, static_cast<Count>(text_.size()), kMostFileBytes);
      text_ = text_.substr(0, 0);
    }
    if (absl::StartsWith(text_, "\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (SkipBlanksAndComments(), at_ < text_.size()) LexToken();
    Push(TokenKind::kEnd, at_, "");
    return std::move(out_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Span SpanFrom(size_t begin) const {
    return {file_, static_cast<int32_t>(begin), static_cast<int32_t>(at_)};
  }

  void Push(TokenKind kind, size_t begin, std::string text) {
    out_.tokens.push_back({kind, line_is_fresh_, SpanFrom(begin), std::move(text), std::move(doc_)});
    doc_.clear();
    line_is_fresh_ = line_is_blank_ = false;
  }

  void SkipBlanksAndComments() {
    while (at_ < text_.size()) {
      char c = Peek();
      if (c == '\n' || c == '\r') {
        // A blank line parts a comment from what follows.
        if (line_is_blank_) doc_.clear();
        line_is_fresh_ = line_is_blank_ = true;
        at_ += c == '\r' && Peek(1) == '\n' ? 2 : 1;
      } else if (c == ' ' || c == '\t') {
        ++at_;
      } else if (c == '/' && Peek(1) == '/') {
        LexComment();
      } else {
        break;
      }
    }
  }

  void LexComment() {
    size_t begin = at_;
    while (at_ < text_.size() && Peek() != '\n' && Peek() != '\r') {
      int length = Utf8Length(text_, at_);
      if (length == 0) {
        ++at_;
        ReportUtf8(at_ - 1);
      } else {
        at_ += length;
      }
    }
    absl::string_view text = text_.substr(begin, at_ - begin);
    bool is_doc = absl::StartsWith(text, "///") && !absl::StartsWith(text, "////");
    out_.comments.push_back({SpanFrom(begin), is_doc, line_is_fresh_});
    line_is_blank_ = false;
    if (!is_doc || !line_is_fresh_) return;
    absl::string_view line = text.substr(3);
    if (absl::StartsWith(line, " ")) line.remove_prefix(1);
    absl::StrAppend(&doc_, doc_.empty() ? "" : "\n", absl::StripTrailingAsciiWhitespace(line));
  }

  // Once per file: a file in another encoding has such bytes everywhere.
  void ReportUtf8(size_t begin) {
    if (utf8_reported_) return;
    utf8_reported_ = true;
    diagnostics_.Report({file_, static_cast<int32_t>(begin), static_cast<int32_t>(begin + 1)}, kInvalidUtf8)
        .Suggest("save the file as UTF-8");
  }

  void LexToken() {
    char c = Peek();
    if (IsNameStart(c)) return LexName();
    if (absl::ascii_isdigit(c)) return LexNumber();
    if (c == '"') return LexString();
    for (const Foreign& foreign : kForeign) {
      absl::string_view text = foreign.text;
      if (!absl::StartsWith(text_.substr(at_), text)) continue;
      size_t begin = at_;
      at_ += text.size();
      diagnostics_.Report(SpanFrom(begin), kInvalidCharacter, absl::StrCat("`", text, "`"))
          .Suggest(foreign.help);
      return Push(foreign.kind, begin, "");
    }
    const Spelling* longest = nullptr;
    for (const Spelling& sign : kSigns) {
      absl::string_view text = sign.text;
      if (!absl::StartsWith(text_.substr(at_), text)) continue;
      if (longest == nullptr || text.size() > absl::string_view(longest->text).size()) longest = &sign;
    }
    if (longest == nullptr) return LexInvalid();
    size_t begin = at_;
    at_ += absl::string_view(longest->text).size();
    Push(longest->kind, begin, longest->text);
  }

  void LexName() {
    size_t begin = at_;
    while (IsNamePart(Peek())) ++at_;
    std::string text(text_.substr(begin, at_ - begin));
    TokenKind kind = TokenKind::kName;
    for (const Spelling& keyword : kKeywords) {
      if (text == keyword.text) kind = keyword.kind;
    }
    Push(kind, begin, std::move(text));
  }

  // NUM := digits [ "." digits ] [ ( "e" | "E" ) [ "+" | "-" ] digits ]. A dot belongs to it only before a
  // digit: `0..N`.
  void LexNumber() {
    size_t begin = at_;
    bool is_real = false;
    auto digits = [&] {
      while (absl::ascii_isdigit(Peek())) ++at_;
    };
    digits();
    if (Peek() == '.' && absl::ascii_isdigit(Peek(1))) {
      is_real = true;
      ++at_;
      digits();
    }
    if (Peek() == 'e' || Peek() == 'E') {
      size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
      if (absl::ascii_isdigit(Peek(sign))) {
        is_real = true;
        at_ += sign;
        digits();
      }
    }
    size_t end = at_;
    while (IsNamePart(Peek())) ++at_;
    std::string text(text_.substr(begin, at_ - begin));
    if (at_ > end) {
      diagnostics_.Report(SpanFrom(begin), kInvalidNumber, text, WhyNoNumber(text));
      return Push(TokenKind::kNumber, begin, "0");
    }
    int64_t whole;
    if (!is_real && !absl::SimpleAtoi(text, &whole)) {
      diagnostics_.Report(SpanFrom(begin), kNumberTooLarge, text, "the largest whole number, 2^63 - 1");
      text = "0";
    }
    if (is_real && std::isinf(std::strtod(text.c_str(), nullptr))) {
      diagnostics_.Report(SpanFrom(begin), kNumberTooLarge, text, "the largest real number, about 1.8e308");
      text = "0.0";
    }
    Push(TokenKind::kNumber, begin, std::move(text));
  }

  static std::string WhyNoNumber(absl::string_view text) {
    if (absl::StartsWith(text, "0x") || absl::StartsWith(text, "0b") || absl::StartsWith(text, "0o")) {
      return "numbers are decimal";
    }
    if (absl::StrContains(text, "_")) return "digits are not grouped";
    return "a name cannot begin with a digit, and a product is written with `*`";
  }

  void LexString() {
    size_t begin = at_++;
    std::string value;
    while (at_ < text_.size() && Peek() != '"' && Peek() != '\n' && Peek() != '\r') {
      if (Peek() == '\\') {
        LexEscape(value);
        continue;
      }
      int length = Utf8Length(text_, at_);
      if (length == 0) ReportUtf8(at_);
      length = std::max(1, length);
      absl::StrAppend(&value, text_.substr(at_, length));
      at_ += length;
    }
    if (Peek() == '"' && at_ < text_.size()) {
      ++at_;
    } else {
      diagnostics_.Report(SpanFrom(begin), kUnterminatedString);
      return Push(TokenKind::kInvalid, begin, "");  // who knows what of the line belongs to it
    }
    Push(TokenKind::kString, begin, std::move(value));
  }

  void LexEscape(std::string& value) {
    static constexpr std::pair<char, char> kEscapes[] = {{'\\', '\\'}, {'"', '"'}, {'n', '\n'}, {'t', '\t'}};
    size_t begin = at_++;
    for (auto [letter, meaning] : kEscapes) {
      if (Peek() != letter) continue;
      ++at_;
      value.push_back(meaning);
      return;
    }
    bool at_line_end = at_ >= text_.size() || Peek() == '\n' || Peek() == '\r';
    if (at_line_end) return;  // reported as a string without an end
    at_ += std::max(1, Utf8Length(text_, at_));
    diagnostics_.Report(SpanFrom(begin), kInvalidEscape, std::string(text_.substr(begin, at_ - begin)));
  }

  // Everything up to the next byte that may begin a token or a blank.
  void LexInvalid() {
    size_t begin = at_;
    int first_length = Utf8Length(text_, at_);
    do {
      int length = Utf8Length(text_, at_);
      if (length == 0) ReportUtf8(at_);
      at_ += std::max(1, length);
    } while (at_ < text_.size() && (Utf8Length(text_, at_) != 1 || absl::ascii_iscntrl(Peek())) &&
             Peek() != '\n' && Peek() != '\r' && Peek() != '\t');
    if (first_length > 0) ReportCharacter(begin, first_length);
    Push(TokenKind::kInvalid, begin, "");
  }

  void ReportCharacter(size_t begin, int length) {
    char c = text_[begin];
    std::string shown = length > 1 || absl::ascii_isprint(c)
                            ? absl::StrCat("`", text_.substr(begin, length), "`")
                            : absl::StrFormat("the control character 0x%02X", c);
    Span span{file_, static_cast<int32_t>(begin), static_cast<int32_t>(begin + length)};
    DiagnosticBuilder report = diagnostics_.Report(span, kInvalidCharacter, shown);
    if (c == '#') report.Suggest("a comment begins with `//`");
    if (c == '\'' || shown == "`\u201c`" || shown == "`\u201d`")
      report.Suggest("a string stands between two `\"`");
    if (c == '!') report.Suggest("negation is the word `not`");
    if (c == '&') report.Suggest("`and` is written as a word");
    if (c == '\\') report.Suggest("lines need no mark to go on; remove it");
    if (length > 1) report.Note("names are made of the letters a to z, digits and `_`");
  }

  absl::string_view text_;
  int32_t file_;
  Diagnostics& diagnostics_;
  TokenizedText out_;
  size_t at_ = 0;
  bool line_is_fresh_ = true;  // no token on this line yet
  bool line_is_blank_ = true;  // no comment either
  bool utf8_reported_ = false;
  std::string doc_;
};

}  // namespace

std::string Describe(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "the end of the file";
    case TokenKind::kInvalid:
      return "an invalid character";
    case TokenKind::kName:
      return "a name";
    case TokenKind::kNumber:
      return "a number";
    case TokenKind::kString:
      return "a string";
    default:
      break;
  }
  for (const Spelling& sign : kSigns) {
    if (sign.kind == kind) return absl::StrCat("`", sign.text, "`");
  }
  for (const Spelling& keyword : kKeywords) {
    if (keyword.kind == kind) return absl::StrCat("`", keyword.text, "`");
  }
  return "a token";
}

bool IsKeyword(TokenKind kind) { return kind >= TokenKind::kLet; }

TokenizedText Tokenize(const SourceManager& sources, int32_t file, Diagnostics& diagnostics) {
  return Lexer(sources, file, diagnostics).Run();
}

}  // namespace weft::dsl
