#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dsl/parser/parser.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Directive;
using ast::Name;
using ast::Path;

namespace {

// Inside a schedule these are no names: lists of indices end at them.
constexpr absl::string_view kDirectiveWords[] = {
    "knob", "split",    "join",      "order",     "parallel", "vectorize", "unroll",    "overlap",
    "pack", "pad",      "inline",    "transpose", "by",       "into",      "recompute", "as",
    "at",   "prefetch", "tolerance", "alone",     "fuse",     "specialize"};

bool IsDirectiveWord(absl::string_view word) {
  return std::find(std::begin(kDirectiveWords), std::end(kDirectiveWords), word) != std::end(kDirectiveWords);
}

bool IsPathPart(const Token& token) {
  return token.kind == TokenKind::kName || token.kind == TokenKind::kNumber ||
         token.kind == TokenKind::kString || IsKeyword(token.kind);
}

}  // namespace

bool IsScheduleWord(absl::string_view name) {
  static const auto& keywords = *new std::set<std::string>{
#define WEFT_TOKEN(kind, spelling)
#define WEFT_KEYWORD(kind, spelling) spelling,
#include "dsl/lexer/token_kinds.def"
#undef WEFT_TOKEN
#undef WEFT_KEYWORD
  };
  return IsDirectiveWord(name) || keywords.contains(std::string(name));
}

bool Parser::AtDirectiveWord() const { return At(TokenKind::kName) && IsDirectiveWord(Peek().text); }

// A name, a string, or anything that a dot follows.
bool Parser::AtEquationPath() const {
  if (At(TokenKind::kString) || (At(TokenKind::kName) && !AtDirectiveWord())) return true;
  return IsPathPart(Peek()) && Peek(1).kind == TokenKind::kDot;
}

// equation := part { "." part }; a part is a name, a number or a string, and any word is a name here.
Path Parser::ParseEquationPath(absl::string_view what) {
  size_t first = pos_;
  Path path;
  do {
    if (!IsPathPart(Peek())) {
      Unexpected(path.parts.empty() ? what : "a name after `.`");
      break;
    }
    Token token = Take();
    // `features.0.1.y`: the lexer takes two numbers for one.
    if (token.kind == TokenKind::kNumber) {
      for (absl::string_view digits : absl::StrSplit(token.text, '.'))
        path.parts.push_back({std::string(digits), token.span});
    } else {
      path.parts.push_back({token.text, token.span});
    }
  } while (TakeIf(TokenKind::kDot));
  path.span = SpanFrom(first);
  return path;
}

// In a file of nothing else.
ast::Decl* Parser::ParseScheduleOnly() {
  if (!AtWord("schedule")) {
    Unexpected("a `schedule` block").Note("a file of schedules holds nothing else");
    return nullptr;
  }
  return ParseDecl();
}

// "schedule" equation { "," equation } [ "on" NAME ] [ "for" STRING ] "{" { directive } "}"
ast::Schedule Parser::ParseSchedule() {
  Take();
  ast::Schedule schedule;
  do schedule.subjects.push_back(ParseEquationPath("an op, a model or an equation"));
  while (!panic_ && TakeIf(TokenKind::kComma));
  if (!panic_ && TakeWord("on")) schedule.target = ExpectName("a target");
  if (!panic_ && TakeIf(TokenKind::kFor)) {
    Token kernel = Expect(TokenKind::kString, "a kernel between double quotes");
    schedule.kernel = ast::Name{kernel.text, kernel.span};
  }
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

// A string is an index whose name is a word of directives.
Name Parser::ExpectIndex(absl::string_view what) {
  if (At(TokenKind::kString)) {
    Token token = Take();
    return {token.text, token.span};
  }
  if (AtDirectiveWord()) {
    Unexpected(what);
    return {"", Peek().span};
  }
  return ExpectName(what);
}

// NAME { NAME }, with "|" between the loops and the reductions of an `order`.
std::vector<Name> Parser::ParseIndices(bool with_bars) {
  std::vector<Name> names;
  if (!with_bars || !At(TokenKind::kBar)) names.push_back(ExpectIndex("an index"));
  while (!panic_) {
    if (with_bars && At(TokenKind::kBar)) {
      Token bar = Take();
      names.push_back({bar.text, bar.span});
      continue;
    }
    // A name before `{`, `.` or `at` begins the next directive.
    bool is_index = At(TokenKind::kString) || (At(TokenKind::kName) && !AtDirectiveWord());
    bool goes_on = is_index && Peek(1).kind != TokenKind::kLeftBrace && Peek(1).kind != TokenKind::kDot &&
                   !(Peek(1).kind == TokenKind::kName && Peek(1).text == "at");
    if (!goes_on) break;
    names.push_back(ExpectIndex("an index"));
  }
  return names;
}

// NUM { "," NUM } "}", behind the brace that opens it.
std::vector<ast::ExprPtr> Parser::ParseNumbers() {
  size_t open = pos_ - 1;
  std::vector<ast::ExprPtr> numbers;
  InsideBrackets inside(*this);
  do {
    if (!At(TokenKind::kNumber)) {
      Unexpected("a number");
      break;
    }
    numbers.push_back(ParseNumber());
  } while (TakeIf(TokenKind::kComma));
  Close(open, "`,` or `}` after a number");
  return numbers;
}

ast::Specialize Parser::ParseSpecialize() {
  ast::Specialize specialize;
  specialize.index = ExpectIndex("an index");
  if (!panic_) Expect(TokenKind::kIn, "`in` and the lengths");
  if (!panic_) Expect(TokenKind::kLeftBrace, "`{` and the lengths");
  if (!panic_) specialize.lengths = ParseNumbers();
  return specialize;
}

ast::Knob Parser::ParseKnob() {
  ast::Knob knob;
  knob.name = ExpectIndex("the name of a knob");
  if (!panic_) Expect(TokenKind::kIn, "`in` and the values");
  if (!panic_ && TakeIf(TokenKind::kLeftBrace)) {
    knob.values = ParseNumbers();
  } else if (!panic_) {
    knob.range = ParseBinary(kRangePower);
  }
  return knob;
}

// NUM | NAME
ast::ExprPtr Parser::ParseFactor() {
  if (At(TokenKind::kNumber)) return ParseNumber();
  Name knob = ExpectIndex("a number or a knob");
  return file_->arena.New<ast::Expr>(ast::Expr{ast::Ref{knob.text}, knob.span});
}

ast::Split Parser::ParseSplit() {
  ast::Split split;
  split.index = ExpectIndex("an index");
  if (!panic_) ExpectWord("by");
  split.factor = ParseFactor();
  if (!panic_) ExpectWord("into");
  split.outer = ExpectIndex("the outer index");
  if (!panic_) Expect(TokenKind::kComma, "`,` and the inner index");
  split.inner = ExpectIndex("the inner index");
  return split;
}

ast::Join Parser::ParseJoin() {
  ast::Join join;
  join.indices = ParseIndices(false);
  if (!panic_) ExpectWord("into");
  if (!panic_) join.into = ExpectIndex("the index that stands for both");
  return join;
}

// NAME [ "div" factor ] [ "%" factor ]
ast::Pack::Part Parser::ParsePackedPart() {
  size_t first = pos_;
  ast::Pack::Part part;
  part.index = ExpectIndex("an index");
  if (!panic_ && TakeIf(TokenKind::kDiv)) part.divisor = ParseFactor();
  if (!panic_ && TakeIf(TokenKind::kPercent)) part.modulus = ParseFactor();
  part.span = SpanFrom(first);
  return part;
}

ast::Pack Parser::ParsePack() {
  ast::Pack pack;
  pack.tensor = ExpectIndex("a tensor");
  if (!panic_) ExpectWord("as");
  size_t open = pos_;
  if (panic_ || !At(TokenKind::kLeftBracket)) {
    Unexpected("`[` and the order of the indices");
    return pack;
  }
  Take();
  do pack.order.push_back(ParsePackedPart());
  while (!panic_ && TakeIf(TokenKind::kComma));
  Close(open, "`,` or `]` after an index");
  return pack;
}

ast::Copy Parser::ParseCopy(ast::Copy::Kind kind) {
  ast::Copy copy{kind, {}};
  if (TakeWord("at")) copy.place = ParseEquationPath("an index, or an equation and its index");
  return copy;
}

// equation ( "{" { directive } "}" | "at" equation )
bool Parser::ParseOfEquation(Directive* directive) {
  Token name = Peek();
  Path path = ParseEquationPath("an equation");
  if (At(TokenKind::kLeftBrace)) {
    ast::Nested nested{std::move(path), {}};
    nested.directives = ParseDirectives("`{`");
    directive->node = std::move(nested);
  } else if (TakeWord("at")) {
    directive->node = ast::ComputeAt{std::move(path), ParseEquationPath("an equation and its index")};
  } else if (!panic_) {
    Unexpected(absl::StrCat("`{` or `at` after `", path.ToString(), "`"))
        .SuggestNearest(name.text, {"knob", "split", "join", "order", "parallel", "vectorize", "unroll",
                                    "overlap", "prefetch", "pack", "specialize", "pad", "transpose", "inline",
                                    "recompute", "tolerance", "alone", "fuse"});
    return false;
  }
  return true;
}

Directive* Parser::ParseDirective() {
  Nesting nesting(*this);
  if (TooDeep()) return nullptr;
  size_t first = pos_;
  Directive* directive = MakeDirective();
  if (directive != nullptr) directive->span = SpanFrom(first);
  return directive;
}

Directive* Parser::MakeDirective() {
  Directive* directive = file_->arena.New<Directive>();
  if (AtEquationPath()) return ParseOfEquation(directive) ? directive : nullptr;
  if (TakeWord("knob")) {
    directive->node = ParseKnob();
  } else if (TakeWord("split")) {
    directive->node = ParseSplit();
  } else if (TakeWord("join")) {
    directive->node = ParseJoin();
  } else if (TakeWord("order")) {
    directive->node = ast::Order{ParseIndices(true)};
  } else if (TakeWord("parallel")) {
    directive->node = ast::Mark{ast::Mark::Kind::kParallel, ParseIndices(false)};
  } else if (TakeWord("vectorize")) {
    directive->node = ast::Mark{ast::Mark::Kind::kVectorize, ParseIndices(false)};
  } else if (TakeWord("unroll")) {
    directive->node = ast::Mark{ast::Mark::Kind::kUnroll, ParseIndices(false)};
  } else if (TakeWord("overlap")) {
    directive->node = ast::Mark{ast::Mark::Kind::kOverlap, ParseIndices(false)};
  } else if (TakeWord("prefetch")) {
    directive->node = ast::Mark{ast::Mark::Kind::kPrefetch, ParseIndices(false)};
  } else if (TakeWord("pack")) {
    directive->node = ParsePack();
  } else if (TakeWord("specialize")) {
    directive->node = ParseSpecialize();
  } else if (TakeWord("pad")) {
    directive->node = ParseCopy(ast::Copy::Kind::kPad);
  } else if (TakeWord("transpose")) {
    directive->node = ParseCopy(ast::Copy::Kind::kTranspose);
  } else if (TakeWord("inline")) {
    directive->node = ast::Inline{ParseEquationPath("an equation")};
  } else if (TakeWord("recompute")) {
    ast::Recompute recompute{ParseIndices(false), std::nullopt};
    if (!panic_ && TakeWord("by")) recompute.by = ExpectIndex("the method that recomputes");
    directive->node = std::move(recompute);
  } else if (TakeWord("tolerance")) {
    if (!At(TokenKind::kNumber)) {
      Unexpected("a number from 0 to 1");
      return nullptr;
    }
    directive->node = ast::Tolerance{ParseNumber()};
  } else if (TakeWord("alone")) {
    directive->node = ast::Alone{};
  } else if (TakeWord("fuse")) {
    ast::Fuse fuse;
    ExpectWord("into");
    if (!panic_) fuse.into = ParseEquationPath("an equation");
    directive->node = std::move(fuse);
  } else {
    Unexpected("a directive");
    return nullptr;
  }
  return directive;
}

}  // namespace weft::dsl
