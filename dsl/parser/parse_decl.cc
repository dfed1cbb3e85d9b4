#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Decl;
using ast::Member;
using ast::Name;

// file := "weft" NUM { decl }
void Parser::ParseVersion() {
  constexpr absl::string_view kVersion = "0.1";
  size_t first = pos_;
  if (!(AtWord("weft") && Peek(1).kind == TokenKind::kNumber)) {
    bool is_text = !At(TokenKind::kInvalid) && !(AtEnd() && !early_mistakes_.empty());
    if (!is_text) return;  // the lexer has reported it
    Report(Peek().span, kMissingVersion);
    if (AtWord("weft") && !Peek(1).first_on_line) SkipToken(), SkipToken();
    return;
  }
  Take();
  file_->version = Take().text;
  file_->version_span = SpanFrom(first);
  if (file_->version != kVersion) Report(file_->version_span, kUnknownVersion, file_->version);
}

// decl := import | let | [ "extern" ] op | model | entry | test | schedule
Decl* Parser::ParseDecl() {
  size_t first = pos_;
  Decl* decl = file_->arena.New<Decl>();
  decl->doc = Peek().doc;
  std::string word = At(TokenKind::kName) ? Peek().text : "";
  if (At(TokenKind::kLet)) {
    decl->node = ParseLet();
  } else if (word == "import") {
    decl->node = ParseImport();
  } else if (word == "op") {
    decl->node = ParseOp(false);
  } else if (word == "extern") {
    Take();
    if (!AtWord("op")) {
      Unexpected("`op` after `extern`");
      return nullptr;
    }
    decl->node = ParseOp(true);
  } else if (word == "model" || word == "entry") {
    decl->node = ParseModel(word == "entry");
  } else if (word == "test") {
    decl->node = ParseTest();
  } else if (word == "schedule") {
    decl->node = ParseSchedule();
  } else if (!word.empty()) {
    Report(Peek().span, kUnknownDeclaration, word)
        .SuggestNearest(word, {"import", "op", "extern", "model", "entry", "test", "schedule", "let"})
        .Note("a file holds `import`, `let`, `op`, `extern op`, `model`, `entry`, `schedule` and `test`");
    panic_ = true;
    return nullptr;
  } else {
    Unexpected("a declaration");
    return nullptr;
  }
  decl->span = SpanFrom(first);
  return decl;
}

// "import" ( STRING | path ) ":" NAME { "," NAME }
ast::Import Parser::ParseImport() {
  Take();
  ast::Import import;
  size_t first = pos_;
  if (At(TokenKind::kString)) {
    import.file = Take().text;
  } else {
    import.module = ParsePath("a module (`std.norm`) or a file (`\"layers.weft\"`)");
  }
  import.source_span = SpanFrom(first);
  if (!TakeIf(TokenKind::kColon)) {
    Unexpected("`:` and the names to import").Suggest("write `import std.norm: LayerNorm`");
    return import;
  }
  do import.names.push_back(ExpectName("a name to import"));
  while (!panic_ && TakeIf(TokenKind::kComma));
  return import;
}

// What is called may not look like a reduction: `max(` would be one.
void Parser::CheckCallable(const Name& name, absl::string_view what) {
  if (ast::FindReductionWord(name.text))
    Report(name.span, kReductionWordAsName, name.text, std::string(what));
}

// "op" NAME sig block
ast::Op Parser::ParseOp(bool is_extern) {
  Take();
  ast::Op op;
  op.is_extern = is_extern;
  op.name = ExpectName("the name of an op");
  CheckSmall(op.name, "the name of an op");
  CheckCallable(op.name, "an op");
  op.signature = ParseSignature();
  if (!is_extern) {
    op.body = ParseBlock("`{` and the equations of the op");
  } else if (At(TokenKind::kLeftBrace)) {
    Unexpected("the next declaration").Suggest("an `extern op` has no body: it is written in C");
  }
  return op;
}

// sig := params "->" result { "," result } { "where" expr [ ":" STRING ] }
ast::Signature Parser::ParseSignature() {
  size_t first = pos_;
  ast::Signature signature;
  signature.params = ParseParams();
  if (!panic_) Expect(TokenKind::kArrow, "`->` and the results");
  if (!panic_) {
    do signature.results.push_back(ParseResult());
    while (!panic_ && TakeIf(TokenKind::kComma));
  }
  while (!panic_ && At(TokenKind::kWhere)) {
    size_t where = pos_;
    Take();
    ast::Constraint constraint;
    constraint.condition = ParseExpr();
    if (!panic_ && TakeIf(TokenKind::kColon)) constraint.message = ExpectString("the message, a string");
    constraint.span = SpanFrom(where);
    signature.constraints.push_back(std::move(constraint));
  }
  // After a mistake in the head the body is still worth reading.
  while (panic_ && !AtEnd() && !At(TokenKind::kLeftBrace) && !Peek().first_on_line) SkipToken();
  if (panic_ && At(TokenKind::kLeftBrace)) panic_ = false;
  signature.span = SpanFrom(first);
  signature.broken = TakeMistakes(first) || signature.params.broken;
  return signature;
}

// params := "(" [ param { "," param } ] [ ";" param { "," param } ] ")"
ast::Params Parser::ParseParams() {
  size_t open = pos_;
  ast::Params params;
  if (!TakeIf(TokenKind::kLeftParen)) {
    Unexpected("`(` and the parameters");
    return params;
  }
  InsideBrackets inside(*this);
  if (!At(TokenKind::kRightParen) && !At(TokenKind::kSemicolon)) {
    do params.data.push_back(ParseParam());
    while (!panic_ && TakeIf(TokenKind::kComma));
  }
  if (!panic_ && TakeIf(TokenKind::kSemicolon)) {
    do params.attributes.push_back(ParseParam());
    while (!panic_ && TakeIf(TokenKind::kComma));
    for (const ast::Param& param : params.attributes) {
      const auto* type = param.type ? param.type->As<ast::NamedType>() : nullptr;
      if (type && type->path.ToString() == "op") CheckCallable(param.name, "an op");
    }
  }
  Close(open, "`,`, `;` or `)` after a parameter");
  params.span = SpanFrom(open);
  params.broken = TakeMistakes(open);
  return params;
}

// param := NAME ":" type [ "?" ] [ "=" expr ]
ast::Param Parser::ParseParam() {
  size_t first = pos_;
  ast::Param param;
  param.name = ExpectName("the name of a parameter");
  CheckSmall(param.name, "the name of a parameter");
  Expect(TokenKind::kColon, absl::StrCat("`:` and the type of `", param.name.text, "`"));
  param.type = ParseType();
  if (!panic_ && TakeIf(TokenKind::kQuestion)) param.optional = true;
  if (!panic_ && TakeIf(TokenKind::kAssign)) param.default_value = ParseExpr();
  param.span = SpanFrom(first);
  return param;
}

// result := NAME [ ":" type ]
ast::Result Parser::ParseResult() {
  size_t first = pos_;
  ast::Result result;
  result.name = ExpectName("the name of a result");
  CheckSmall(result.name, "the name of a result");
  if (TakeIf(TokenKind::kColon)) result.type = ParseType();
  result.span = SpanFrom(first);
  return result;
}

// ( "model" | "entry" ) NAME [ params ] "{" { member } "}"
ast::Model Parser::ParseModel(bool is_entry) {
  Take();
  ast::Model model;
  model.is_entry = is_entry;
  if (is_entry) {
    model.name = ExpectName("the name of an entry");
    CheckSmall(model.name, "the name of an entry");
  } else {
    model.name = ExpectName("the name of a model");
    CheckCapital(model.name, "the name of a model");
  }
  if (At(TokenKind::kLeftParen)) {
    model.has_params = true;
    model.params = ParseParams();
    while (panic_ && !AtEnd() && !At(TokenKind::kLeftBrace) && !Peek().first_on_line) SkipToken();
    if (panic_ && At(TokenKind::kLeftBrace)) panic_ = false;
  }
  model.body_span = ParseBraces("`{` and the members", [&] {
    Member* member = ParseMember(model);
    if (member != nullptr) model.members.push_back(member);
    return member;
  });
  return model;
}

// member := stored | let | NAME ( sig block | [ "as" STRING ] ":" expr | limits )
Member* Parser::ParseMember(const ast::Model& model) {
  size_t first = pos_;
  Member* member = file_->arena.New<Member>();
  member->doc = Peek().doc;
  if (At(TokenKind::kParam) || At(TokenKind::kState)) {
    member->node = ParseStored();
  } else if (At(TokenKind::kLet)) {
    member->node = ParseLet();
  } else if (AtWord("dim") && Peek(1).kind == TokenKind::kName) {
    member->node = ParseLimits(model);
  } else if (At(TokenKind::kName) || (IsKeyword(Peek().kind) && Peek(1).kind == TokenKind::kColon)) {
    std::string text = Peek().text;
    Token word = Peek();
    Name name;
    if (At(TokenKind::kName)) {
      name = ExpectName("a member");
    } else {
      Report(word.span, kReservedWord, word.text, "the name of a member");
      Take();
      name = {word.text, word.span};
    }
    CheckSmall(name, "the name of a member");
    CheckCallable(name, "a member");
    if (At(TokenKind::kLeftParen)) {
      ast::Method method;
      method.name = std::move(name);
      method.signature = ParseSignature();
      method.body = ParseBlock("`{` and the equations of the method");
      member->node = std::move(method);
    } else {
      ast::SubModel sub;
      sub.name = std::move(name);
      sub.weight_path = ParseWeightPath();
      if (!TakeIf(TokenKind::kColon)) {
        DiagnosticBuilder report =
            Unexpected(absl::StrCat("`:` (a sub-model) or `(` (a method) after `", sub.name.text, "`"));
        if (At(TokenKind::kAssign))
          report.Suggest(absl::StrCat("a number of the model is bound by `let ", text, " = ...`"));
        return nullptr;
      }
      sub.value = ParseExpr();
      member->node = std::move(sub);
    }
  } else {
    Unexpected("a member: `param`, `state`, `let`, a sub-model or a method");
    return nullptr;
  }
  member->span = SpanFrom(first);
  return member;
}

std::optional<std::string> Parser::ParseWeightPath() {
  if (panic_ || !TakeWord("as")) return std::nullopt;
  return ExpectString("the weight path, a string");
}

// ( "param" | "state" ) NAME [ "[" binders "]" ] [ "as" STRING ] ":" type [ "if" e20 ] [ "=" expr ]
ast::StoredMember Parser::ParseStored() {
  ast::StoredMember stored;
  stored.kind =
      Take().kind == TokenKind::kParam ? ast::StoredMember::Kind::kParam : ast::StoredMember::Kind::kState;
  absl::string_view what =
      stored.kind == ast::StoredMember::Kind::kParam ? "the name of a param" : "the name of a state";
  stored.name = ExpectName(what);
  CheckSmall(stored.name, what);
  if (At(TokenKind::kLeftBracket)) {
    stored.has_binders = true;
    stored.binders = ParseBracketedBinders(BinderPlace::kHead);
  }
  stored.weight_path = ParseWeightPath();
  if (!panic_) Expect(TokenKind::kColon, absl::StrCat("`:` and the type of `", stored.name.text, "`"));
  stored.type = ParseType();
  if (!panic_ && TakeIf(TokenKind::kIf)) stored.condition = ParseBinary(kOrPower);
  if (!panic_ && TakeIf(TokenKind::kAssign)) stored.initial = ParseExpr();
  return stored;
}

// "dim" NAME "in" e45 [ "step" e50 ] { "," ( NAME "in" e45 [ "step" e50 ] | "hot" "{" NUM { "," NUM } "}" ) }
ast::Limits Parser::ParseLimits(const ast::Model& model) {
  Token word = Take();
  if (!model.is_entry) Report(word.span, kMisplacedLimits, model.name.text);
  ast::Limits limits;
  limits.dimensions.push_back(ParseDimension());
  while (!panic_ && TakeIf(TokenKind::kComma)) {
    if (!(AtWord("hot") && Peek(1).kind == TokenKind::kLeftBrace)) {
      limits.dimensions.push_back(ParseDimension());
      continue;
    }
    Take();
    size_t open = pos_;
    Take();
    InsideBrackets inside(*this);
    ast::Limits::Dimension& dimension = limits.dimensions.back();
    do {
      if (!At(TokenKind::kNumber)) {
        Unexpected("a number");
        break;
      }
      dimension.hot.push_back(ParseNumber());
    } while (TakeIf(TokenKind::kComma));
    Close(open, "`,` or `}` after a number");
    dimension.span = Cover(dimension.span, SpanFrom(open));
  }
  return limits;
}

ast::Limits::Dimension Parser::ParseDimension() {
  size_t first = pos_;
  ast::Limits::Dimension dimension;
  dimension.name = ExpectName("the name of a dimension");
  CheckCapital(dimension.name, "a dimension");
  if (!panic_) Expect(TokenKind::kIn, "`in` and the bounds");
  dimension.range = ParseBinary(kRangePower);
  if (!panic_ && TakeWord("step")) dimension.step = ParseBinary(kSumPower);
  dimension.span = SpanFrom(first);
  return dimension;
}

// "test" STRING block
ast::Test Parser::ParseTest() {
  Take();
  ast::Test test;
  size_t first = pos_;
  test.title = ExpectString("the title of the test, a string");
  test.title_span = SpanFrom(first);
  in_test_ = true;
  test.body = ParseBlock("`{` and what the test expects");
  in_test_ = false;
  return test;
}

}  // namespace weft::dsl
