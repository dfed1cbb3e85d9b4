#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Stmt;

// block := "{" { stmt } "}"
ast::Block Parser::ParseBlock(absl::string_view what) {
  ast::Block block;
  block.span = ParseBraces(what, [&] {
    Stmt* statement = ParseStatement();
    if (statement != nullptr) block.statements.push_back(statement);
    return statement;
  });
  return block;
}

// stmt := "let" NAME "=" expr | "for" pattern "in" e45 block | rec | head { "," head } "=" expr | expect
Stmt* Parser::ParseStatement() {
  size_t first = pos_;
  Stmt* statement = file_->arena.New<Stmt>();
  switch (Peek().kind) {
    case TokenKind::kLet:
      statement->node = ParseLet();
      break;
    case TokenKind::kFor:
      statement->node = ParseFor();
      break;
    case TokenKind::kRec:
      statement->node = ParseRec();
      break;
    case TokenKind::kNext:
    case TokenKind::kName: {
      TokenKind after = Peek(1).kind;
      bool is_head = after == TokenKind::kAssign || after == TokenKind::kComma || after == TokenKind::kDot ||
                     after == TokenKind::kColon;
      bool is_expect = AtWord("expect") && !is_head && (in_test_ || after != TokenKind::kLeftBracket);
      if (!is_expect) {
        statement->node = ParseEquation();
      } else {
        if (!in_test_) Report(Peek().span, kMisplacedExpect);
        statement->node = ParseExpect();
      }
      break;
    }
    default: {
      DiagnosticBuilder report = Unexpected("a statement");
      if (At(TokenKind::kSemicolon)) report.Suggest("statements need no `;` between them");
      if (At(TokenKind::kIf))
        report.Suggest("there is no statement `if`; a value is chosen by `y = a if c else b`");
      return nullptr;
    }
  }
  statement->span = SpanFrom(first);
  return statement;
}

// "let" NAME "=" expr
ast::Let Parser::ParseLet() {
  Take();
  ast::Let let;
  let.name = ExpectName("a name after `let`");
  CheckSmall(let.name, "a name");
  if (At(TokenKind::kLeftBracket) && !panic_) {
    Unexpected("`=`").Suggest("`let` binds a number or a list; an equation over indices has no `let`");
  }
  Expect(TokenKind::kAssign, absl::StrCat("`=` after `", let.name.text, "`"));
  let.value = ParseExpr();
  return let;
}

// "for" pattern "in" e45 block
ast::For Parser::ParseFor() {
  Take();
  ast::For loop;
  loop.pattern = ParsePattern();
  Expect(TokenKind::kIn, "`in`");
  loop.range = ParseBinary(kRangePower);
  loop.body = ParseBlock("`{`");
  return loop;
}

// rec := "rec" NAME ( "[" binders "]" [ ":" type ] "=" expr | [ "<" e50 [ "<=" e50 ] ] block )
//          [ "from" from { "," from } ] [ "until" expr ]
ast::Rec Parser::ParseRec() {
  Take();
  ast::Rec rec;
  size_t first = pos_;
  ast::Name name = ExpectName("a name after `rec`");
  CheckSmall(name, "a name");
  if (At(TokenKind::kLeftBracket)) {
    ast::Rec::Single single;
    single.head.path.parts.push_back(name);
    single.head.path.span = name.span;
    single.head.has_binders = true;
    single.head.binders = ParseBracketedBinders(BinderPlace::kStep);
    if (TakeIf(TokenKind::kColon)) single.head.type = ParseType();
    single.head.span = SpanFrom(first);
    Expect(TokenKind::kAssign, absl::StrCat("`=` after `", Quote(single.head.span), "`"));
    single.value = ParseExpr();
    rec.form = std::move(single);
  } else {
    ast::Rec::Loop loop;
    loop.index = name;
    if (TakeIf(TokenKind::kLess)) {
      loop.length = ParseBinary(kSumPower);
      loop.at_most = ParseFoundBound(loop.length);
    }
    loop.body = ParseBlock("`[` (an index), `<` (how many steps) or `{` (the steps)");
    CheckSteps(loop);
    rec.form = std::move(loop);
  }
  if (TakeIf(TokenKind::kFrom)) {
    do rec.from.push_back(ParseFrom());
    while (!panic_ && TakeIf(TokenKind::kComma));
  }
  if (!panic_ && TakeIf(TokenKind::kUntil)) rec.until = ParseExpr();
  return rec;
}

// [ "<=" e50 ] behind `t < T`: then T is the new name of a size that is found.
ast::ExprPtr Parser::ParseFoundBound(ast::ExprPtr length) {
  if (!TakeIf(TokenKind::kLessEqual)) return nullptr;
  const auto* ref = length->As<ast::Ref>();
  if (ref != nullptr && !length->parenthesized) {
    CheckCapital({ref->name, length->span}, "a dimension");
  } else if (!length->Is<ast::Invalid>()) {
    Report(length->span, kFoundSizeName, Quote(length->span));
  }
  return ParseBinary(kSumPower);
}

// The heads of a block all begin with its index.
void Parser::CheckSteps(const ast::Rec::Loop& loop) {
  for (ast::StmtPtr statement : loop.body.statements) {
    const auto* equation = statement->As<ast::Equation>();
    if (equation == nullptr) continue;
    for (const ast::Head& head : equation->heads) {
      bool begins = !head.binders.empty() && head.binders[0].kind == ast::Binder::Kind::kIndex &&
                    head.binders[0].name.text == loop.index.text;
      if (begins || head.is_next || loop.index.text.empty() || head.path.parts[0].text.empty()) continue;
      std::string name = head.path.ToString();
      Report(head.span, kRecIndex, name, loop.index.text)
          .Label(loop.index.span, "the steps are numbered by this index")
          .Suggest(
              absl::StrCat("write `", name, "[", loop.index.text, head.binders.empty() ? "]`" : ", ...]`"));
    }
  }
}

// from := NAME "[" e50 { "," binder } "]" [ ":" type ] "=" expr
ast::From Parser::ParseFrom() {
  size_t first = pos_;
  ast::From from;
  from.name = ExpectName("a name that the recurrence defines");
  size_t open = pos_;
  if (!At(TokenKind::kLeftBracket)) {
    Unexpected("`[` and the position where the value stands").Suggest("write `h[-1] = ...`");
    from.position = from.value = MakeInvalid();
    from.span = SpanFrom(first);
    return from;
  }
  Take();
  {
    InsideBrackets inside(*this);
    from.position = ParseBinary(kSumPower);
    if (!panic_ && TakeIf(TokenKind::kComma)) from.binders = ParseBinders(BinderPlace::kHead, "");
    Close(open, "`,` or `]`");
  }
  if (TakeIf(TokenKind::kColon)) from.type = ParseType();
  Expect(TokenKind::kAssign, absl::StrCat("`=` after `", Quote(SpanFrom(first)), "`"));
  from.value = ParseExpr();
  from.span = SpanFrom(first);
  return from;
}

// head := [ "next" ] path [ "[" binders "]" ] [ ":" type ]
ast::Head Parser::ParseHead() {
  size_t first = pos_;
  ast::Head head;
  head.is_next = TakeIf(TokenKind::kNext);
  head.path = ParsePath("a name");
  if (!head.is_next) CheckSmall(head.path.parts[0], "a name");
  if (At(TokenKind::kLeftBracket)) {
    head.has_binders = true;
    head.binders = ParseBracketedBinders(BinderPlace::kHead);
  }
  if (!panic_ && TakeIf(TokenKind::kColon)) {
    if (At(TokenKind::kAssign)) Unexpected("a type").Suggest("an equation is written with `=` alone");
    head.type = ParseType();
  }
  head.span = SpanFrom(first);
  return head;
}

// head { "," head } "=" expr
ast::Equation Parser::ParseEquation() {
  size_t first = pos_;
  ast::Equation equation;
  do equation.heads.push_back(ParseHead());
  while (!panic_ && TakeIf(TokenKind::kComma));
  if (!TakeIf(TokenKind::kAssign)) {
    std::string heads = Quote(SpanFrom(first));
    DiagnosticBuilder report = Unexpected(absl::StrCat("`=` after `", heads, "`"));
    if (At(TokenKind::kEqual)) report.Suggest("`=` binds a name, `==` compares");
    if (heads == "while")
      report.Suggest(
          "what repeats until a condition holds is `rec x[k < K <= most] = ... from x[-1] = ... until ...`");
    if (heads == "return") report.Suggest("results are bound by their names: `y = ...`");
    if (At(TokenKind::kLeftParen)) report.Suggest("a call is part of an equation: `y = f(x)`");
    if (FindInfix(Peek().kind) && Peek(1).kind == TokenKind::kAssign) {
      report.Suggest(absl::StrCat("write `", heads, " = ", heads, " ", Peek().text, " ...`"));
    }
    equation.value = MakeInvalid();
    return equation;
  }
  equation.value = ParseExpr();
  return equation;
}

// "expect" expr [ "~=" expr ] [ "within" expr ]
ast::Expect Parser::ParseExpect() {
  Take();
  ast::Expect expect;
  expect.value = ParseExpr();
  if (!panic_ && TakeIf(TokenKind::kNearly)) expect.approximately = ParseExpr();
  if (!panic_ && TakeWord("within")) expect.within = ParseExpr();
  return expect;
}

}  // namespace weft::dsl
