#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::BinaryOp;
using ast::Call;
using ast::Expr;
using ast::Group;
using ast::Reduction;
using ast::Subscript;

template <typename T>
Expr* Parser::Make(Span span, T node) {
  Expr* expr = file_->arena.New<Expr>();
  expr->node = std::move(node);
  expr->span = span;
  ast::ForEachChild(*expr, [&](const Expr& child) { expr->depth = std::max(expr->depth, child.depth + 1); });
  if (expr->depth > kMostDepth) {
    Report(span, kNestingTooDeep, kMostDepth);
    panic_ = true;
    expr->node = ast::Invalid{};
    expr->depth = 1;
  }
  return expr;
}

Expr* Parser::MakeInvalid() {
  const Span& here = Peek().span;
  return Make(Span{here.file, here.begin, here.begin}, ast::Invalid{});
}

// expr := e20 [ "if" e20 [ "else" expr ] | "else" expr ]
Expr* Parser::ParseExpr() {
  Nesting nesting(*this);
  if (TooDeep()) return MakeInvalid();
  size_t first = pos_;
  Expr* value = ParseBinary(kOrPower);
  if (TakeIf(TokenKind::kIf)) {
    ast::Conditional conditional{value, ParseBinary(kOrPower)};
    if (TakeIf(TokenKind::kElse)) conditional.otherwise = ParseExpr();
    return Make(SpanFrom(first), conditional);
  }
  if (TakeIf(TokenKind::kElse)) {
    ast::Else otherwise{value, ParseExpr()};
    Expr* expr = Make(SpanFrom(first), otherwise);
    CheckElse(*expr);
    return expr;
  }
  return value;
}

// eN: a Pratt loop. `in_factor`: this is the right operand of `/ div % ^`, where a reduction's body is one
// factor.
Expr* Parser::ParseBinary(int power, bool in_factor) {
  Nesting nesting(*this);
  if (TooDeep()) return MakeInvalid();
  size_t first = pos_;
  Expr* lhs = ParsePrefix(power, in_factor);
  bool compared = false, ranged = false;
  while (!panic_) {
    if (At(TokenKind::kDotDot) && power <= kRangePower && !ranged) {
      Take();
      ranged = true;
      ast::Range range{lhs, ParseBinary(kSumPower)};
      lhs = Make(SpanFrom(first), range);
      continue;
    }
    std::optional<InfixOperator> infix = FindInfix(Peek().kind);
    if (!infix || infix->power < power) break;
    bool after_open = open_reduction_ != nullptr && open_end_ == pos_;
    const Expr* open = after_open ? open_reduction_ : nullptr;
    Span op_span = Take().span;
    bool is_comparison = infix->power == kComparisonPower;
    bool one_factor = infix->op == BinaryOp::kDiv || infix->op == BinaryOp::kFloorDiv ||
                      infix->op == BinaryOp::kMod || infix->op == BinaryOp::kPow;
    Expr* rhs = infix->op == BinaryOp::kPow ? ParseBinary(kPowPower, true)
                                            : ParseBinary(infix->power + 1, one_factor);
    if (is_comparison && compared) {
      const auto* left = lhs->As<ast::Binary>();
      DiagnosticBuilder report = Report(op_span, kChainedComparison);
      if (left != nullptr) {
        report.Suggest(absl::StrCat("write `", Quote(left->lhs->span), " ", ast::Spelling(left->op), " ",
                                    Quote(left->rhs->span), " and ", Quote(left->rhs->span), " ",
                                    ast::Spelling(infix->op), " ", Quote(rhs->span), "`"));
      }
    }
    compared = compared || is_comparison;
    if (open != nullptr) {
      const Reduction& reduction = *open->As<Reduction>();
      Span head{open->span.file, open->span.begin, reduction.body->span.begin};
      std::string op_text = absl::StrCat(" ", ast::Spelling(infix->op), " ");
      Report(op_span, kOpenReduction, ast::Spelling(reduction.word))
          .Label(open->span, absl::StrCat("this `", ast::Spelling(reduction.word), "` has no parentheses"))
          .Suggest(absl::StrCat("`(", Quote(open->span), ")", op_text, Quote(rhs->span), "` ends it before `",
                                ast::Spelling(infix->op), "`"))
          .Suggest(absl::StrCat("`", Quote(head), "(", Quote(reduction.body->span), op_text, Quote(rhs->span),
                                ")` takes all of it"));
    }
    lhs = Make(SpanFrom(first), ast::Binary{infix->op, op_span, lhs, rhs});
  }
  return lhs;
}

Expr* Parser::ParsePrefix(int power, bool in_factor) {
  size_t first = pos_;
  if (At(TokenKind::kMinus)) {
    Span op_span = Take().span;
    Expr* operand = ParseBinary(kNegPower, in_factor);
    return Make(SpanFrom(first), ast::Unary{ast::UnaryOp::kNeg, op_span, operand});
  }
  if (At(TokenKind::kNot)) {
    Span op_span = Take().span;
    if (power > kNotPower) {
      Report(op_span, kLooseNot)
          .Suggest("`not` binds more loosely than the operator before it: write `(not ...)`");
    }
    Expr* operand = ParseBinary(kComparisonPower);
    return Make(SpanFrom(first), ast::Unary{ast::UnaryOp::kNot, op_span, operand});
  }
  return ParsePostfix(in_factor);
}

// postfix := primary { "[" sub { "," sub } "]" | "(" [ args ] ")" | "." NAME }
Expr* Parser::ParsePostfix(bool in_factor) {
  size_t first = pos_;
  Expr* expr = ParsePrimary(in_factor);
  if (open_end_ == pos_ && expr == open_reduction_) return expr;
  while (!panic_) {
    if (At(TokenKind::kLeftBracket)) {
      expr = ParseSubscript(expr);
    } else if (At(TokenKind::kLeftParen)) {
      expr = ParseCall(expr);
    } else if (At(TokenKind::kDot)) {
      Take();
      ast::Field field{expr, ExpectName("a name after `.`")};
      expr = Make(SpanFrom(first), field);
    } else {
      break;
    }
  }
  return expr;
}

// primary := NUM | STRING | "true" | "false" | "none" | NAME | "(" part { "," part } ")" | list | reduction
Expr* Parser::ParsePrimary(bool in_factor) {
  size_t first = pos_;
  switch (Peek().kind) {
    case TokenKind::kNumber:
      return ParseNumber();
    case TokenKind::kString: {
      std::string text = Take().text;
      return Make(SpanFrom(first), ast::String{std::move(text)});
    }
    case TokenKind::kTrue:
    case TokenKind::kFalse: {
      bool value = Take().kind == TokenKind::kTrue;
      return Make(SpanFrom(first), ast::Bool{value});
    }
    case TokenKind::kNone:
      Take();
      return Make(SpanFrom(first), ast::None{});
    case TokenKind::kLeftParen:
      return ParseParentheses();
    case TokenKind::kLeftBracket:
      return ParseList();
    case TokenKind::kName: {
      if (AtNextStatement()) {
        if (!panic_) {
          Span name = Peek().span;
          Span last = pos_ > 0 ? tokens_[pos_ - 1].span : name;
          Report(last, kUnexpectedToken, absl::StrCat("an expression after `", TextOf(last), "`"),
                 "the next statement")
              .Label(name, "the next statement begins here");
          panic_ = true;
        }
        return MakeInvalid();
      }
      if (Peek(1).kind == TokenKind::kLeftParen && ast::FindReductionWord(Peek().text)) {
        return ParseReduction(in_factor);
      }
      std::string name = Take().text;
      return Make(SpanFrom(first), ast::Ref{std::move(name)});
    }
    default:
      break;
  }
  DiagnosticBuilder report = Unexpected("an expression");
  if (At(TokenKind::kPlus)) report.Suggest("there is no sign `+`; leave it out");
  if (At(TokenKind::kIf)) report.Suggest("a choice is written `a if c else b`");
  return MakeInvalid();
}

Expr* Parser::ParseNumber() {
  size_t first = pos_;
  ast::Number number;
  number.text = Take().text;
  number.is_real = number.text.find_first_of(".eE") != std::string::npos;
  number.real = std::strtod(number.text.c_str(), nullptr);
  if (!number.is_real && !absl::SimpleAtoi(number.text, &number.whole)) number.whole = 0;
  return Make(SpanFrom(first), std::move(number));
}

// "(" part { "," part } ")": one part without `of` is an expression in parentheses, everything else a group.
Expr* Parser::ParseParentheses() {
  size_t open = pos_;
  Take();
  InsideBrackets inside(*this);
  Group group;
  do group.parts.push_back(ParsePart());
  while (!panic_ && TakeIf(TokenKind::kComma));
  Close(open, "`,` or `)`");
  bool is_group = group.parts.size() > 1 || group.parts[0].value == nullptr || group.parts[0].of != nullptr;
  if (is_group) return Make(SpanFrom(open), std::move(group));
  // A copy, since the node may be known already without its parentheses.
  Expr* expr = file_->arena.New<Expr>(*group.parts[0].value);
  expr->parenthesized = true;
  expr->span = SpanFrom(open);
  return expr;
}

// part := expr [ "of" e50 ] | ".." NAME
Group::Part Parser::ParsePart() {
  size_t first = pos_;
  Group::Part part;
  if (TakeIf(TokenKind::kDotDot)) {
    part.pack = ExpectName("the name of a pack after `..`");
  } else {
    part.value = ParseExpr();
    if (TakeWord("of")) part.of = ParseBinary(kSumPower);
  }
  part.span = SpanFrom(first);
  return part;
}

// list := "[" [ expr ( { "for" pattern "in" e45 }+ [ "where" expr ] | ";" expr | { "," expr } ) ] "]"
Expr* Parser::ParseList() {
  size_t open = pos_;
  Take();
  InsideBrackets inside(*this);
  if (At(TokenKind::kRightBracket)) {
    Close(open, "`]`");
    return Make(SpanFrom(open), ast::List{});
  }
  Expr* element = ParseExpr();
  if (At(TokenKind::kFor)) {
    ast::Comprehension list{element, {}, nullptr};
    while (!panic_ && TakeIf(TokenKind::kFor)) {
      ast::Comprehension::Clause clause{ParsePattern(), nullptr};
      Expect(TokenKind::kIn, "`in`");
      clause.range = ParseBinary(kRangePower);
      list.clauses.push_back(std::move(clause));
    }
    if (TakeIf(TokenKind::kWhere)) list.condition = ParseExpr();
    Close(open, "`for`, `where` or `]`");
    return Make(SpanFrom(open), std::move(list));
  }
  if (TakeIf(TokenKind::kSemicolon)) {
    ast::Repeat list{element, ParseExpr()};
    Close(open, "`]` after the number of elements");
    return Make(SpanFrom(open), list);
  }
  ast::List list{{element}};
  while (!panic_ && TakeIf(TokenKind::kComma)) list.elements.push_back(ParseExpr());
  Close(open, "`,` or `]` after an element");
  return Make(SpanFrom(open), std::move(list));
}

// reduction := WORD "(" binders [ "where" expr ] [ ";" expr ] ")" ( e60 | e20 )
Expr* Parser::ParseReduction(bool in_factor) {
  size_t first = pos_;
  Reduction reduction;
  Token word = Take();
  reduction.word = *ast::FindReductionWord(word.text);
  reduction.word_span = word.span;
  size_t open = pos_;
  Take();
  {
    InsideBrackets inside(*this);
    reduction.binders = ParseBinders(BinderPlace::kReduction, word.text);
    if (!panic_ && TakeIf(TokenKind::kWhere)) reduction.condition = ParseExpr();
    if (!panic_ && TakeIf(TokenKind::kSemicolon)) reduction.limit = ParseExpr();
    Close(open, "`,` or `)` after an index");
  }
  bool takes_conditions = ast::TakesConditions(reduction.word);
  // `max(a, b)` as in other languages: what should be its body is the end of something or the next statement.
  bool no_body = FindInfix(Peek().kind) && !At(TokenKind::kMinus);
  switch (Peek().kind) {
    case TokenKind::kRightParen:
    case TokenKind::kRightBracket:
    case TokenKind::kRightBrace:
    case TokenKind::kComma:
    case TokenKind::kSemicolon:
    case TokenKind::kEnd:
    case TokenKind::kIf:
    case TokenKind::kElse:
      no_body = true;
      break;
    default:
      no_body = no_body || AtNextStatement();
  }
  if (no_body && !panic_) {
    DiagnosticBuilder report = Report(SpanFrom(first), kReductionBody, std::string(Quote(SpanFrom(first))));
    if (word.text == "max" || word.text == "min") {
      report.Suggest(absl::StrCat("of two values `", word.text, "imum(a, b)` takes the ",
                                  word.text == "max" ? "larger" : "smaller"));
    }
    report.Suggest(absl::StrCat("write `", word.text, "(i) x[i]`: the indices, then what is reduced"));
    // The rest of the statement is readable as if the body stood there.
    reduction.body = MakeInvalid();
    return Make(SpanFrom(first), std::move(reduction));
  }
  reduction.body =
      takes_conditions ? ParseBinary(kOrPower) : ParseBinary(in_factor ? kFactorPower : kProductPower);
  Expr* expr = Make(SpanFrom(first), std::move(reduction));
  if (!panic_ && expr->Is<Reduction>()) {
    CheckReduction(*expr);
    if (!takes_conditions) {
      open_reduction_ = expr;
      open_end_ = pos_;
    }
  }
  return expr;
}

// "[" sub { "," sub } "]"
Expr* Parser::ParseSubscript(Expr* base) {
  size_t open = pos_;
  Take();
  InsideBrackets inside(*this);
  Subscript subscript;
  subscript.base = base;
  if (At(TokenKind::kRightBracket)) Unexpected("a subscript");
  while (!panic_) {
    subscript.items.push_back(ParseSubscriptItem());
    if (panic_ || !TakeIf(TokenKind::kComma)) break;
  }
  Close(open, "`,` or `]` after a subscript");
  subscript.bracket_span = SpanFrom(open);
  Span span = Cover(base->span, subscript.bracket_span);
  return Make(span, std::move(subscript));
}

// sub := ".." NAME | ":" [ expr ] | expr [ ":" [ expr ] ]
Subscript::Item Parser::ParseSubscriptItem() {
  size_t first = pos_;
  Subscript::Item item;
  auto slice_goes_on = [&] { return !At(TokenKind::kComma) && !At(TokenKind::kRightBracket); };
  if (TakeIf(TokenKind::kDotDot)) {
    item.kind = Subscript::Item::Kind::kPack;
    item.pack = ExpectName("the name of a pack after `..`");
  } else if (TakeIf(TokenKind::kColon)) {
    item.kind = Subscript::Item::Kind::kSlice;
    if (slice_goes_on()) item.to = ParseExpr();
  } else {
    Expr* value = ParseExpr();
    if (!panic_ && TakeIf(TokenKind::kColon)) {
      item.kind = Subscript::Item::Kind::kSlice;
      item.from = value;
      if (slice_goes_on()) item.to = ParseExpr();
    } else {
      item.at = value;
    }
  }
  item.span = SpanFrom(first);
  return item;
}

// args := arg { "," arg } [ ";" arg { "," arg } ] | ";" arg { "," arg }
Expr* Parser::ParseCall(Expr* callee) {
  size_t open = pos_;
  Take();
  InsideBrackets inside(*this);
  Call call;
  call.callee = callee;
  auto parse_list = [&](std::vector<Call::Arg>& args) {
    do args.push_back(ParseArg());
    while (!panic_ && TakeIf(TokenKind::kComma));
  };
  if (!At(TokenKind::kRightParen) && !At(TokenKind::kSemicolon)) parse_list(call.args);
  if (!panic_ && TakeIf(TokenKind::kSemicolon)) parse_list(call.attributes);
  Close(open, "`,` or `)` after an argument");
  call.paren_span = SpanFrom(open);
  CheckArguments(call);
  Span span = Cover(callee->span, call.paren_span);
  return Make(span, std::move(call));
}

// arg := ".." NAME | expr [ "=" expr ]
Call::Arg Parser::ParseArg() {
  size_t first = pos_;
  Call::Arg arg;
  if (TakeIf(TokenKind::kDotDot)) {
    arg.pack = ExpectName("the name of a pack after `..`");
  } else {
    Expr* value = ParseExpr();
    if (!panic_ && TakeIf(TokenKind::kAssign)) {
      const auto* ref = value->As<ast::Ref>();
      if (ref != nullptr && !value->parenthesized) {
        arg.name = {ref->name, value->span};
      } else {
        Report(value->span, kArgumentName, Quote(value->span))
            .Suggest("`==` compares, `name = value` names an argument");
      }
      value = ParseExpr();
    }
    arg.value = value;
  }
  arg.span = SpanFrom(first);
  return arg;
}

}  // namespace weft::dsl
