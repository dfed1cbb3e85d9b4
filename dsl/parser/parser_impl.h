#ifndef WEFT_DSL_PARSER_PARSER_IMPL_H_
#define WEFT_DSL_PARSER_PARSER_IMPL_H_

// The parser's class, shared by its source files. One token decides everywhere; nothing is tried and taken
// back.
//
// Recovery: a mistake is reported once and sets `panic_`, which silences what follows from it. Lists then go
// to their closing bracket, blocks to the next line that can begin a statement, files to the next
// declaration; there `panic_` ends. The smallest part of the tree around a mistake is marked as broken, so
// that everything else can still be checked.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/lexer/token.h"
#include "dsl/parser/brackets.h"
#include "dsl/parser/precedence.h"

namespace weft::dsl {

class Parser {
 public:
  Parser(const SourceManager& sources, int32_t file, Diagnostics& diagnostics);
  std::unique_ptr<ast::File> Run();
  std::unique_ptr<ast::File> RunOnSchedules();

 private:
  // More levels of brackets, operators or blocks are refused, so that no input can exhaust the stack.
  static constexpr int kMostNesting = 200;
  static constexpr int kMostDepth =
      400;  // of an expression's tree: a chain of operators is deep without brackets

  // Where binders stand decides what they may be.
  enum class BinderPlace { kHead, kStep, kReduction };
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };
  class InsideBrackets {
   public:
    explicit InsideBrackets(Parser& parser) : parser_(parser) { ++parser_.brackets_around_; }
    ~InsideBrackets() { --parser_.brackets_around_; }

   private:
    Parser& parser_;
  };

  // ---- Tokens and recovery (parser.cc)
  void ParseDecls(ast::Decl* (Parser::*parse)());
  const Token& Peek(size_t ahead = 0) const;
  bool At(TokenKind kind) const { return Peek().kind == kind; }
  bool AtWord(absl::string_view word) const { return At(TokenKind::kName) && Peek().text == word; }
  bool AtEnd() const { return At(TokenKind::kEnd); }
  Token Take();
  bool TakeIf(TokenKind kind);
  bool TakeWord(absl::string_view word);
  Token Expect(TokenKind kind, absl::string_view expected);
  void ExpectWord(absl::string_view word);
  ast::Name ExpectName(absl::string_view what);
  std::string ExpectString(absl::string_view what);
  // Closes the bracket at `open`; what stands before it is skipped with an error that names `expected`.
  void Close(size_t open, absl::string_view expected);
  DiagnosticBuilder Unexpected(absl::string_view expected);
  std::string DescribeHere() const;
  // Reports a mistake that parsing is not disturbed by.
  template <typename... Args>
  DiagnosticBuilder Report(Span span, DiagnosticKind<Args...> kind,
                           const std::type_identity_t<Args>&... args) {
    return panic_ ? DiagnosticBuilder() : diagnostics_.Report(span, kind, args...);
  }
  // Whether a mistake was reported since this was last asked, which then lies in what was read from the token
  // `first` on; its names become uncertain.
  bool TakeMistakes(size_t first);
  bool TooDeep();
  void SkipToken();  // a bracket with all that stands in it
  Span SpanFrom(size_t first) const;
  absl::string_view TextOf(Span span) const { return sources_.Text(span); }
  std::string Quote(Span span) const;  // short enough for a message
  // The span from here to the next `,` or closing bracket of the list that `open` opens.
  Span ElementSpan() const;
  // True at a name on a fresh line that the next statement assigns to: the expression before it broke off.
  bool AtNextStatement() const;
  void CheckCapital(const ast::Name& name, absl::string_view what);
  void CheckSmall(const ast::Name& name, absl::string_view what);

  // Parses `{ item }`; `item` is called once per item with `panic_` off, leaves it on after a mistake and
  // gives the node that it made, if any.
  template <typename F>
  Span ParseBraces(absl::string_view what, F&& item);
  bool BracesEnd(size_t open) const;
  void SkipToItem(size_t open, size_t first);
  int Column(size_t token) const;

  // ---- Expressions (parse_expr.cc)
  template <typename T>
  ast::Expr* Make(Span span, T node);
  ast::Expr* MakeInvalid();
  ast::Expr* ParseExpr();
  ast::Expr* ParseBinary(int power, bool in_factor = false);
  ast::Expr* ParsePrefix(int power, bool in_factor);
  ast::Expr* ParsePostfix(bool in_factor);
  ast::Expr* ParsePrimary(bool in_factor);
  ast::Expr* ParseNumber();
  ast::Expr* ParseParentheses();
  ast::Group::Part ParsePart();
  ast::Expr* ParseList();
  ast::Expr* ParseReduction(bool in_factor);
  ast::Expr* ParseSubscript(ast::Expr* base);
  ast::Subscript::Item ParseSubscriptItem();
  ast::Expr* ParseCall(ast::Expr* callee);
  ast::Call::Arg ParseArg();

  // ---- What the grammar leaves to be said about an expression (checks.cc)
  void CheckElse(const ast::Expr& expr);
  void CheckReduction(const ast::Expr& expr);
  void CheckArguments(const ast::Call& call);
  void CheckFactors(const ast::Reduction& reduction, const std::set<std::string>& indices);
  void CheckConditions(const ast::Reduction& reduction, const ast::Expr& part,
                       const std::set<std::string>& indices);

  // ---- Types, patterns, binders (parse_type.cc)
  ast::Path ParsePath(absl::string_view what);
  ast::TypePtr ParseType();
  ast::SizeExpr ParseSize();
  ast::Pattern ParsePattern();
  ast::Pattern::Item ParsePatternItem();
  std::vector<ast::Binder> ParseBinders(BinderPlace place, absl::string_view reduction);
  ast::Binder ParseBinder(BinderPlace place, absl::string_view reduction);
  std::vector<ast::Binder> ParseBracketedBinders(BinderPlace place);
  ast::ExprPtr ParseFoundBound(ast::ExprPtr length);

  // ---- Statements (parse_stmt.cc)
  ast::Block ParseBlock(absl::string_view what);
  ast::Stmt* ParseStatement();
  ast::Let ParseLet();
  ast::For ParseFor();
  ast::Rec ParseRec();
  ast::From ParseFrom();
  ast::Head ParseHead();
  ast::Equation ParseEquation();
  ast::Expect ParseExpect();
  void CheckSteps(const ast::Rec::Loop& loop);

  // ---- Declarations (parse_decl.cc, parse_schedule.cc)
  void ParseVersion();
  ast::Decl* ParseDecl();
  ast::Import ParseImport();
  ast::Op ParseOp(bool is_extern);
  ast::Model ParseModel(bool is_entry);
  ast::Test ParseTest();
  ast::Signature ParseSignature();
  ast::Params ParseParams();
  ast::Param ParseParam();
  ast::Result ParseResult();
  ast::Member* ParseMember(const ast::Model& model);
  ast::StoredMember ParseStored();
  ast::Limits ParseLimits(const ast::Model& model);
  ast::Limits::Dimension ParseDimension();
  std::optional<std::string> ParseWeightPath();
  void CheckCallable(const ast::Name& name, absl::string_view what);
  ast::Decl* ParseScheduleOnly();
  ast::Schedule ParseSchedule();
  ast::Directive* ParseDirective();
  ast::Directive* MakeDirective();
  ast::Knob ParseKnob();
  ast::Split ParseSplit();
  ast::Join ParseJoin();
  ast::ExprPtr ParseFactor();
  ast::Pack ParsePack();
  ast::Specialize ParseSpecialize();
  std::vector<ast::ExprPtr> ParseNumbers();
  ast::Pack::Part ParsePackedPart();
  ast::Copy ParseCopy(ast::Copy::Kind kind);
  bool ParseOfEquation(ast::Directive* directive);
  ast::Path ParseEquationPath(absl::string_view what);
  bool AtEquationPath() const;
  std::vector<const ast::Directive*> ParseDirectives(absl::string_view what);
  ast::Name ExpectIndex(absl::string_view what);
  std::vector<ast::Name> ParseIndices(bool with_bars);
  bool AtDirectiveWord() const;

  const SourceManager& sources_;
  const SourceFile& source_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  Brackets brackets_;
  std::unique_ptr<ast::File> file_;
  size_t pos_ = 0;
  bool panic_ = false;
  bool in_test_ = false;
  int nesting_ = 0;
  // Where the lexer and the matching of brackets reported something, in the order of the text, and how much
  // of it (and of all errors) belongs to parts already marked.
  std::vector<int32_t> early_mistakes_;
  size_t early_mistakes_taken_ = 0;
  int mistakes_taken_ = 0;
  std::set<std::string> miscased_;  // names reported for their first letter: once is enough
  int brackets_around_ = 0;         // parentheses and square brackets since the statement began
  // The value reduction without parentheses that ends right before the token `open_end_`.
  const ast::Expr* open_reduction_ = nullptr;
  size_t open_end_ = 0;
};

template <typename F>
Span Parser::ParseBraces(absl::string_view what, F&& item) {
  size_t open = Brackets::kNoToken;
  size_t first = pos_;
  if (At(TokenKind::kLeftBrace)) {
    open = pos_;
    Take();
  } else {
    Unexpected(what);
    // Goes on as if it stood here, unless this is no block at all.
    if (AtEnd() || BeginsDeclaration(tokens_, pos_) || !(At(TokenKind::kName) || IsKeyword(Peek().kind))) {
      return SpanFrom(first);
    }
  }
  Nesting nesting(*this);
  if (TooDeep()) {
    if (open != Brackets::kNoToken) Close(open, "`}`");
    return SpanFrom(first);
  }
  int brackets_around = std::exchange(brackets_around_, 0);
  while (!BracesEnd(open)) {
    panic_ = false;
    size_t before = pos_;
    auto* node = item();
    if (panic_) SkipToItem(open, before);
    if (pos_ == before) SkipToken();
    bool broken = TakeMistakes(before);
    if (node != nullptr) node->broken = broken;
  }
  panic_ = false;
  brackets_around_ = brackets_around;
  if (open == Brackets::kNoToken) {
    TakeIf(TokenKind::kRightBrace);
  } else if (!brackets_.IsUnclosed(open)) {
    Take();
  }
  return SpanFrom(first);
}

}  // namespace weft::dsl

#endif  // WEFT_DSL_PARSER_PARSER_IMPL_H_
