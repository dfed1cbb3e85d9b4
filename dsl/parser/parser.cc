#include "dsl/parser/parser.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "dsl/lexer/lexer.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Name;

Parser::Parser(const SourceManager& sources, int32_t file, Diagnostics& diagnostics)
    : sources_(sources),
      source_(sources.file(file)),
      diagnostics_(diagnostics),
      tokens_(Tokenize(sources, file, diagnostics).tokens),
      brackets_(source_, tokens_, diagnostics),
      file_(std::make_unique<ast::File>()) {
  file_->source = file;
  for (const Diagnostic& report : diagnostics.reports()) {
    if (report.span.file == file) early_mistakes_.push_back(report.span.begin);
  }
  std::sort(early_mistakes_.begin(), early_mistakes_.end());
  mistakes_taken_ = diagnostics.error_count();
}

std::unique_ptr<ast::File> Parser::Run() {
  ParseVersion();
  ParseDecls(&Parser::ParseDecl);
  return std::move(file_);
}

std::unique_ptr<ast::File> Parser::RunOnSchedules() {
  if (AtWord("weft")) ParseVersion();
  ParseDecls(&Parser::ParseScheduleOnly);
  return std::move(file_);
}

void Parser::ParseDecls(ast::Decl* (Parser::*parse)()) {
  while (!AtEnd()) {
    TakeMistakes(pos_);
    panic_ = false;
    in_test_ = false;
    size_t before = pos_;
    ast::Decl* decl = (this->*parse)();
    if (decl != nullptr) file_->decls.push_back(decl);
    if (panic_) {
      if (pos_ == before) SkipToken();
      while (!AtEnd() &&
             !(Peek().first_on_line && (BeginsDeclaration(tokens_, pos_) || At(TokenKind::kLet)))) {
        SkipToken();
      }
    }
    bool broken = TakeMistakes(before);
    if (decl != nullptr) decl->broken = broken;
  }
}

const Token& Parser::Peek(size_t ahead) const { return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)]; }

Token Parser::Take() {
  const Token& token = Peek();
  if (token.kind != TokenKind::kEnd) ++pos_;
  return token;
}

bool Parser::TakeIf(TokenKind kind) {
  if (!At(kind)) return false;
  Take();
  return true;
}

bool Parser::TakeWord(absl::string_view word) {
  if (!AtWord(word)) return false;
  Take();
  return true;
}

Token Parser::Expect(TokenKind kind, absl::string_view expected) {
  if (At(kind)) return Take();
  Unexpected(expected);
  Token nothing;
  nothing.kind = TokenKind::kInvalid;
  nothing.span = {Peek().span.file, Peek().span.begin, Peek().span.begin};
  return nothing;
}

void Parser::ExpectWord(absl::string_view word) {
  if (!TakeWord(word)) Unexpected(absl::StrCat("`", word, "`"));
}

Name Parser::ExpectName(absl::string_view what) {
  if (IsKeyword(Peek().kind) && !panic_) {
    // Taken for the name it was meant to be, so that nothing follows from it, unless the line has broken off
    // before.
    const Token& word = Peek();
    if (word.first_on_line) {
      Unexpected(what);
    } else {
      Report(word.span, kReservedWord, word.text, std::string(what));
      Token token = Take();
      return {token.text, token.span};
    }
  }
  Token token = Expect(TokenKind::kName, what);
  return {token.text, token.span};
}

std::string Parser::ExpectString(absl::string_view what) { return Expect(TokenKind::kString, what).text; }

void Parser::Close(size_t open, absl::string_view expected) {
  if (brackets_.IsUnclosed(open)) {  // reported where it opens
    panic_ = true;
    return;
  }
  size_t partner = brackets_.Partner(open);
  if (pos_ != partner) Unexpected(expected);
  if (partner != Brackets::kNoToken && partner >= pos_) pos_ = partner + 1;
}

std::string Parser::DescribeHere() const {
  const Token& token = Peek();
  switch (token.kind) {
    case TokenKind::kName:
      return absl::StrCat("`", token.text, "`");
    case TokenKind::kNumber:
      return absl::StrCat("the number `", token.text, "`");
    case TokenKind::kString:
      return "a string";
    default:
      return IsKeyword(token.kind) ? absl::StrCat("the word `", token.text, "`") : Describe(token.kind);
  }
}

DiagnosticBuilder Parser::Unexpected(absl::string_view expected) {
  if (panic_) return DiagnosticBuilder();
  panic_ = true;
  const Token& token = Peek();
  if (token.kind == TokenKind::kInvalid) return DiagnosticBuilder();  // the lexer has reported it
  bool closes = token.kind == TokenKind::kRightParen || token.kind == TokenKind::kRightBracket ||
                token.kind == TokenKind::kRightBrace;
  if (closes && brackets_.Partner(pos_) == Brackets::kNoToken) {
    return diagnostics_.Report(token.span, kStrayBracket, token.text);
  }
  // Inside a bracket that is never closed everything is unexpected.
  for (size_t open : brackets_.Unclosed()) {
    bool block = tokens_[open].kind == TokenKind::kLeftBrace;
    bool around = open < pos_ && brackets_.End(open) >= pos_;
    if (!block && around && brackets_around_ > 0) return DiagnosticBuilder();
  }
  return diagnostics_.Report(token.span, kUnexpectedToken, std::string(expected), DescribeHere());
}

bool Parser::TakeMistakes(size_t first) {
  size_t early = early_mistakes_taken_;
  while (early < early_mistakes_.size() && (AtEnd() || early_mistakes_[early] < Peek().span.begin)) ++early;
  bool any = early > early_mistakes_taken_ || diagnostics_.error_count() > mistakes_taken_;
  early_mistakes_taken_ = early;
  mistakes_taken_ = diagnostics_.error_count();
  for (size_t at = first; any && at < pos_; ++at) {
    if (tokens_[at].kind == TokenKind::kName) file_->uncertain.insert(tokens_[at].text);
  }
  return any;
}

bool Parser::TooDeep() {
  if (nesting_ <= kMostNesting) return false;
  Report(Peek().span, kNestingTooDeep, kMostNesting);
  panic_ = true;
  return true;
}

void Parser::SkipToken() {
  size_t partner = brackets_.Partner(pos_);
  if (partner != Brackets::kNoToken && partner > pos_) pos_ = partner;
  Take();
}

Span Parser::SpanFrom(size_t first) const {
  if (pos_ <= first) return {file_->source, tokens_[first].span.begin, tokens_[first].span.begin};
  return Cover(tokens_[first].span, tokens_[pos_ - 1].span);
}

std::string Parser::Quote(Span span) const {
  constexpr size_t kLongest = 60;
  std::string text;
  for (char c : TextOf(span)) {
    bool blank = absl::ascii_isspace(c);
    if (blank && (text.empty() || text.back() == ' ')) continue;
    text.push_back(blank ? ' ' : c);
  }
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

Span Parser::ElementSpan() const {
  Span span = Peek().span;
  for (size_t at = pos_; at < tokens_.size(); ++at) {
    TokenKind kind = tokens_[at].kind;
    bool ends = kind == TokenKind::kComma || kind == TokenKind::kSemicolon || kind == TokenKind::kEnd ||
                kind == TokenKind::kRightParen || kind == TokenKind::kRightBracket ||
                kind == TokenKind::kRightBrace || kind == TokenKind::kAssign;
    if (ends && at > pos_) break;
    size_t partner = brackets_.Partner(at);
    if (partner != Brackets::kNoToken && partner > at) at = partner;
    span = Cover(span, tokens_[at].span);
    if (ends) break;
  }
  return span;
}

bool Parser::AtNextStatement() const {
  if (brackets_around_ > 0 || !At(TokenKind::kName) || !Peek().first_on_line) return false;
  size_t at = pos_ + 1;
  while (at + 1 < tokens_.size() && tokens_[at].kind == TokenKind::kDot) at += 2;
  if (at < tokens_.size() && tokens_[at].kind == TokenKind::kLeftBracket) {
    if (brackets_.Partner(at) == Brackets::kNoToken) return false;
    at = brackets_.Partner(at) + 1;
  }
  return at < tokens_.size() && tokens_[at].kind == TokenKind::kAssign;
}

void Parser::CheckCapital(const Name& name, absl::string_view what) {
  if (name.text.empty() || absl::ascii_isupper(name.text[0]) || !miscased_.insert(name.text).second) return;
  std::string better = name.text;
  better[0] = absl::ascii_toupper(better[0]);
  DiagnosticBuilder report = Report(name.span, kNameCase, std::string(what), "capital", name.text);
  if (better != name.text) report.Suggest(absl::StrCat("call it `", better, "`"));
}

void Parser::CheckSmall(const Name& name, absl::string_view what) {
  if (name.text.empty() || !absl::ascii_isupper(name.text[0]) || !miscased_.insert(name.text).second) return;
  std::string better = name.text;
  better[0] = absl::ascii_tolower(better[0]);
  Report(name.span, kNameCase, std::string(what), "small", name.text)
      .Suggest(absl::StrCat("call it `", better, "`"));
}

bool Parser::BracesEnd(size_t open) const {
  if (AtEnd()) return true;
  if (open == Brackets::kNoToken) {
    return At(TokenKind::kRightBrace) || (Peek().first_on_line && BeginsDeclaration(tokens_, pos_));
  }
  return brackets_.IsUnclosed(open) ? pos_ >= brackets_.End(open) : pos_ >= brackets_.Partner(open);
}

int Parser::Column(size_t token) const {
  int32_t begin = tokens_[token].span.begin;
  return begin - source_.LineBegin(source_.Locate(begin).line);
}

// To the next line that begins with something an item can begin with and that is indented no more than the
// item was.
void Parser::SkipToItem(size_t open, size_t first) {
  int column = tokens_[first].first_on_line ? Column(first) : -1;
  while (!BracesEnd(open)) {
    const Token& token = Peek();
    bool can_begin = token.kind == TokenKind::kName || token.kind == TokenKind::kLet ||
                     token.kind == TokenKind::kFor || token.kind == TokenKind::kRec ||
                     token.kind == TokenKind::kNext || token.kind == TokenKind::kParam ||
                     token.kind == TokenKind::kState;
    if (pos_ > first && token.first_on_line && can_begin && (column < 0 || Column(pos_) <= column)) return;
    SkipToken();
  }
}

std::unique_ptr<ast::File> ParseFile(const SourceManager& sources, int32_t file, Diagnostics& diagnostics) {
  return Parser(sources, file, diagnostics).Run();
}

std::unique_ptr<ast::File> ParseScheduleFile(const SourceManager& sources, int32_t file,
                                             Diagnostics& diagnostics) {
  return Parser(sources, file, diagnostics).RunOnSchedules();
}

}  // namespace weft::dsl
