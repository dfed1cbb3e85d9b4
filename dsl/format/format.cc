#include "dsl/format/format.h"

#include <algorithm>

#include "dsl/format/spacing.h"
#include "dsl/format/statement_starts.h"
#include "dsl/lexer/lexer.h"
#include "dsl/parser/parser.h"

namespace weft::dsl {

namespace {

constexpr int kIndent = 2;  // of a block
constexpr int kContinuation =
    4;  // of the further lines of a statement, at least: the author may line things up

class Formatter {
 public:
  Formatter(const SourceFile& file, const TokenizedText& text, const std::set<int32_t>& starts)
      : file_(file), tokens_(text.tokens), comments_(text.comments), starts_(starts) {}

  std::string Run() {
    std::vector<bool> written(tokens_.size(), false);
    for (size_t i = 1; i < tokens_.size(); ++i) written[i] = tokens_[i].span.begin > tokens_[i - 1].span.end;
    std::vector<bool> spaces = SpacesBefore(tokens_, written, starts_);
    size_t comment = 0;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      while (comment < comments_.size() && comments_[comment].span.begin < tokens_[i].span.begin)
        WriteComment(comments_[comment++], tokens_[i]);
      if (tokens_[i].kind == TokenKind::kEnd) break;
      WriteToken(i, spaces[i]);
    }
    if (!out_.empty()) out_ += '\n';
    return std::move(out_);
  }

 private:
  struct Open {
    bool is_block;
    int line_indent;       // of the line it stands on; of a block: of its statement
    int column;            // right after it
    int written_column;    // the same in the author's text
    bool ends_line;        // nothing follows it on its line
    int statement_indent;  // of the statement around, for when a block closes
    int statement_written;
  };

  int WrittenColumn(int32_t offset) const { return file_.Locate(offset).column - 1; }
  int LineOf(int32_t offset) const { return file_.Locate(offset).line; }

  bool EndsLine(size_t i) const {
    if (i + 1 >= tokens_.size()) return true;
    return LineOf(tokens_[i + 1].span.begin) > LineOf(tokens_[i].span.begin);
  }

  // Ends the line that is open, and leaves one line free where the author left some, but not at the edges of
  // blocks.
  void BreakLine(int32_t next, bool closes_block) {
    if (out_.empty()) return;
    bool gap = LineOf(next) > last_line_ + 1 && !closes_block && out_.back() != '{';
    out_ += gap ? "\n\n" : "\n";
  }

  int IndentOf(const Token& token) const {
    bool closes = token.kind == TokenKind::kRightParen || token.kind == TokenKind::kRightBracket ||
                  token.kind == TokenKind::kRightBrace;
    if (!open_.empty() && closes) {
      const Open& open = open_.back();
      return open.is_block || open.ends_line ? open.line_indent : open.column - 1;
    }
    int written = WrittenColumn(token.span.begin);
    if (!open_.empty() && !open_.back().is_block) {
      const Open& open = open_.back();
      if (open.ends_line) return open.line_indent + kIndent;
      if (written >= open.written_column) return open.column + written - open.written_column;
      return Continuation(written, kContinuation);
    }
    int block = open_.empty() ? 0 : open_.back().line_indent + kIndent;
    if (starts_.contains(token.span.begin) || token.kind == TokenKind::kEnd || first_) return block;
    if (token.kind == TokenKind::kLeftBrace) return statement_indent_;
    bool is_clause = token.kind == TokenKind::kFrom || token.kind == TokenKind::kUntil;
    return Continuation(written, is_clause ? kIndent : kContinuation);
  }

  int Continuation(int written, int least) const {
    return statement_indent_ + std::max(least, written - statement_written_);
  }

  void WriteComment(const Comment& comment, const Token& next) {
    std::string text(file_.text().substr(comment.span.begin, comment.span.end - comment.span.begin));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
      text.pop_back();
    if (comment.first_on_line) {
      BreakLine(comment.span.begin, false);
      bool inside = next.kind == TokenKind::kRightBrace && !open_.empty() && open_.back().is_block;
      out_.append(inside ? open_.back().line_indent + kIndent : IndentOf(next), ' ');
    } else {
      out_.append(std::max<int>(2, comment.span.begin - last_end_), ' ');
    }
    out_ += text;
    Advance(comment.span);
    after_comment_ = true;
  }

  void WriteToken(size_t i, bool space) {
    const Token& token = tokens_[i];
    if (first_ || after_comment_ || LineOf(token.span.begin) > last_line_) {
      int indent = IndentOf(token);
      BreakLine(token.span.begin, token.kind == TokenKind::kRightBrace);
      out_.append(indent, ' ');
      line_indent_ = indent;
      line_written_ = WrittenColumn(token.span.begin);
    } else if (space) {
      out_ += ' ';
    }
    if (starts_.contains(token.span.begin)) {
      statement_indent_ = line_indent_;
      statement_written_ = line_written_;
    }
    out_ += std::string(file_.text().substr(token.span.begin, token.span.end - token.span.begin));
    Advance(token.span);
    first_ = after_comment_ = false;
    switch (token.kind) {
      case TokenKind::kLeftParen:
      case TokenKind::kLeftBracket:
        open_.push_back({false, line_indent_, Column(), WrittenColumn(token.span.end), EndsLine(i),
                         statement_indent_, statement_written_});
        break;
      case TokenKind::kLeftBrace:
        open_.push_back({true, statement_indent_, Column(), WrittenColumn(token.span.end), EndsLine(i),
                         statement_indent_, statement_written_});
        break;
      case TokenKind::kRightParen:
      case TokenKind::kRightBracket:
      case TokenKind::kRightBrace:
        if (open_.empty()) break;
        statement_indent_ = open_.back().statement_indent;
        statement_written_ = open_.back().statement_written;
        open_.pop_back();
        break;
      default:
        break;
    }
  }

  int Column() const {
    size_t line = out_.rfind('\n');
    return static_cast<int>(out_.size() - (line == std::string::npos ? 0 : line + 1));
  }

  void Advance(Span span) {
    last_end_ = span.end;
    last_line_ = LineOf(span.end);
  }

  const SourceFile& file_;
  const std::vector<Token>& tokens_;
  const std::vector<Comment>& comments_;
  const std::set<int32_t>& starts_;
  std::string out_;
  std::vector<Open> open_;
  int statement_indent_ = 0, line_indent_ = 0;
  int statement_written_ = 0, line_written_ = 0;  // the same in the author's text
  int last_line_ = 1;
  int32_t last_end_ = 0;
  bool first_ = true, after_comment_ = false;
};

}  // namespace

std::optional<std::string> Format(const SourceManager& sources, int32_t file, Diagnostics& diagnostics) {
  Diagnostics found;
  std::unique_ptr<ast::File> tree = ParseFile(sources, file, found);
  diagnostics.Append(found);
  if (found.has_errors()) return std::nullopt;
  Diagnostics again;  // the parser has reported them
  TokenizedText text = Tokenize(sources, file, again);
  return Formatter(sources.file(file), text, StatementStarts(*tree)).Run();
}

}  // namespace weft::dsl
