#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Directive;
using ast::Name;

namespace {

// Inside a schedule these are no names: lists of indices end at them.
constexpr absl::string_view kDirectiveWords[] = {"knob",   "split", "order",  "parallel",  "vectorize",
                                                 "unroll", "pack",  "inline", "recompute", "by",
                                                 "into",   "as",    "at"};

}  // namespace

bool Parser::AtDirectiveWord() const {
  if (!At(TokenKind::kName)) return false;
  return std::find(std::begin(kDirectiveWords), std::end(kDirectiveWords), Peek().text) !=
         std::end(kDirectiveWords);
}

// "schedule" path [ "on" NAME ] "{" { directive } "}"
ast::Schedule Parser::ParseSchedule() {
  Take();
  ast::Schedule schedule;
  schedule.subject = ParsePath("an op or a model");
  if (!panic_ && TakeWord("on")) schedule.target = ExpectName("a target");
  schedule.directives = ParseDirectives("`{` and the directives");
  return schedule;
}

std::vector<const Directive*> Parser::ParseDirectives(absl::string_view what) {
  std::vector<const Directive*> directives;
  ParseBraces(what, [&] {
    Directive* directive = ParseDirective();
    if (directive != nullptr) directives.push_back(directive);
    return directive;
  });
  return directives;
}

Name Parser::ExpectIndex(absl::string_view what) {
  if (AtDirectiveWord()) {
    Unexpected(what);
    return {"", Peek().span};
  }
  return ExpectName(what);
}

// NAME { NAME }, with "|" between the loops and the reductions of an `order`.
std::vector<Name> Parser::ParseIndices(bool with_bars) {
  std::vector<Name> names;
  names.push_back(ExpectIndex("an index"));
  while (!panic_) {
    if (with_bars && At(TokenKind::kBar)) {
      Token bar = Take();
      names.push_back({bar.text, bar.span});
      continue;
    }
    // A name before `{`, `.` or `at` begins the next directive.
    bool goes_on = At(TokenKind::kName) && !AtDirectiveWord() && Peek(1).kind != TokenKind::kLeftBrace &&
                   Peek(1).kind != TokenKind::kDot &&
                   !(Peek(1).kind == TokenKind::kName && Peek(1).text == "at");
    if (!goes_on) break;
    names.push_back(ExpectIndex("an index"));
  }
  return names;
}

Directive* Parser::ParseDirective() {
  Nesting nesting(*this);
  if (TooDeep()) return nullptr;
  size_t first = pos_;
  Directive* directive = file_->arena.New<Directive>();
  if (TakeWord("knob")) {
    ast::Knob knob;
    knob.name = ExpectIndex("the name of a knob");
    if (!panic_) Expect(TokenKind::kIn, "`in` and the values");
    size_t open = pos_;
    if (!panic_ && TakeIf(TokenKind::kLeftBrace)) {
      InsideBrackets inside(*this);
      do {
        if (!At(TokenKind::kNumber)) {
          Unexpected("a number");
          break;
        }
        knob.values.push_back(ParseNumber());
      } while (TakeIf(TokenKind::kComma));
      Close(open, "`,` or `}` after a number");
    } else if (!panic_) {
      knob.range = ParseBinary(kRangePower);
    }
    directive->node = std::move(knob);
  } else if (TakeWord("split")) {
    ast::Split split;
    split.index = ExpectIndex("an index");
    if (!panic_) ExpectWord("by");
    if (At(TokenKind::kNumber)) {
      split.factor = ParseNumber();
    } else {
      Name knob = ExpectIndex("a number or a knob");
      split.factor = file_->arena.New<ast::Expr>(ast::Expr{ast::Ref{knob.text}, knob.span});
    }
    if (!panic_) ExpectWord("into");
    split.outer = ExpectIndex("the outer index");
    if (!panic_) Expect(TokenKind::kComma, "`,` and the inner index");
    split.inner = ExpectIndex("the inner index");
    directive->node = std::move(split);
  } else if (TakeWord("order")) {
    directive->node = ast::Order{ParseIndices(true)};
  } else if (TakeWord("parallel")) {
    directive->node = ast::Mark{ast::Mark::Kind::kParallel, ParseIndices(false)};
  } else if (TakeWord("vectorize")) {
    directive->node = ast::Mark{ast::Mark::Kind::kVectorize, ParseIndices(false)};
  } else if (TakeWord("unroll")) {
    directive->node = ast::Mark{ast::Mark::Kind::kUnroll, ParseIndices(false)};
  } else if (TakeWord("pack")) {
    ast::Pack pack;
    pack.tensor = ExpectIndex("a tensor");
    if (!panic_) ExpectWord("as");
    size_t open = pos_;
    if (!panic_ && At(TokenKind::kLeftBracket)) {
      Take();
      do pack.indices.push_back(ExpectIndex("an index"));
      while (!panic_ && TakeIf(TokenKind::kComma));
      Close(open, "`,` or `]` after an index");
    } else {
      Unexpected("`[` and the order of the indices");
    }
    directive->node = std::move(pack);
  } else if (TakeWord("inline")) {
    directive->node = ast::Inline{ParsePath("an equation")};
  } else if (TakeWord("recompute")) {
    ast::Recompute recompute{ParseIndices(false), std::nullopt};
    if (!panic_ && TakeWord("by")) recompute.by = ExpectIndex("the method that recomputes");
    directive->node = std::move(recompute);
  } else if (At(TokenKind::kName) && !AtDirectiveWord()) {
    Token name = Peek();
    ast::Path path = ParsePath("an equation");
    if (At(TokenKind::kLeftBrace)) {
      ast::Nested nested{std::move(path), {}};
      nested.directives = ParseDirectives("`{`");
      directive->node = std::move(nested);
    } else if (TakeWord("at")) {
      directive->node = ast::ComputeAt{std::move(path), ParsePath("an equation and its index")};
    } else if (!panic_) {
      Unexpected(absl::StrCat("`{` or `at` after `", path.ToString(), "`"))
          .SuggestNearest(name.text, {"knob", "split", "order", "parallel", "vectorize", "unroll", "pack",
                                      "inline", "recompute"});
      return nullptr;
    }
  } else {
    Unexpected("a directive");
    return nullptr;
  }
  directive->span = SpanFrom(first);
  return directive;
}

}  // namespace weft::dsl
