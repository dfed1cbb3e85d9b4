#include <utility>

#include "absl/strings/str_cat.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::Binder;
using ast::Name;
using ast::Pattern;
using ast::SizeExpr;

// path := NAME { "." NAME }
ast::Path Parser::ParsePath(absl::string_view what) {
  size_t first = pos_;
  ast::Path path;
  path.parts.push_back(ExpectName(what));
  while (TakeIf(TokenKind::kDot)) path.parts.push_back(ExpectName("a name after `.`"));
  path.span = SpanFrom(first);
  return path;
}

// type := "[" type [ ";" expr ] "]" | path [ "[" [ size { "," size } ] "]" ] [ "in" e45 ]
ast::TypePtr Parser::ParseType() {
  Nesting nesting(*this);
  ast::TypeExpr* type = file_->arena.New<ast::TypeExpr>();
  size_t first = pos_;
  if (TooDeep()) {
    type->span = SpanFrom(first);
    return type;
  }
  InsideBrackets inside(*this);
  if (TakeIf(TokenKind::kLeftBracket)) {
    ast::ListType list;
    list.element = ParseType();
    if (TakeIf(TokenKind::kSemicolon)) list.count = ParseExpr();
    Close(first, "`]` after the type of the list's elements");
    type->node = list;
  } else {
    ast::NamedType named;
    named.path = ParsePath("a type");
    if (At(TokenKind::kLeftBracket)) {
      size_t open = pos_;
      Take();
      named.has_sizes = true;
      if (!At(TokenKind::kRightBracket)) {
        do named.sizes.push_back(ParseSize());
        while (!panic_ && TakeIf(TokenKind::kComma));
      }
      Close(open, "`,` or `]` after a size");
    }
    if (TakeIf(TokenKind::kIn)) named.range = ParseBinary(kRangePower);
    type->node = std::move(named);
  }
  type->span = SpanFrom(first);
  return type;
}

// size := ".." NAME | "<=" e50 | e50 [ "<=" e50 ]
SizeExpr Parser::ParseSize() {
  size_t first = pos_;
  SizeExpr size;
  if (TakeIf(TokenKind::kDotDot)) {
    size.kind = SizeExpr::Kind::kPack;
    size.name = ExpectName("the name of a pack after `..`");
    CheckCapital(size.name, "a pack of dimensions");
  } else if (TakeIf(TokenKind::kLessEqual)) {
    size.kind = SizeExpr::Kind::kFound;
    size.at_most = ParseBinary(kSumPower);
  } else {
    ast::Expr* value = ParseBinary(kSumPower);
    if (TakeIf(TokenKind::kLessEqual)) {
      size.kind = SizeExpr::Kind::kFound;
      size.at_most = ParseBinary(kSumPower);
      const auto* ref = value->As<ast::Ref>();
      if (ref != nullptr && !value->parenthesized) {
        size.name = {ref->name, value->span};
        CheckCapital(size.name, "a dimension");
      } else if (!value->Is<ast::Invalid>()) {
        Report(value->span, kFoundSizeName, Quote(value->span));
      }
    } else {
      size.size = value;
    }
  }
  size.span = SpanFrom(first);
  return size;
}

// pattern := pat { "," pat }
Pattern Parser::ParsePattern() {
  size_t first = pos_;
  Pattern pattern;
  do pattern.items.push_back(ParsePatternItem());
  while (!panic_ && TakeIf(TokenKind::kComma));
  pattern.span = SpanFrom(first);
  return pattern;
}

// pat := NAME | "(" pattern ")"
Pattern::Item Parser::ParsePatternItem() {
  Nesting nesting(*this);
  size_t first = pos_;
  Pattern::Item item;
  if (!TooDeep() && TakeIf(TokenKind::kLeftParen)) {
    item.inner = ParsePattern().items;
    Close(first, "`,` or `)` after a name");
  } else {
    item.name = ExpectName("a name");
    CheckSmall(item.name, "a name bound by `for`");
  }
  item.span = SpanFrom(first);
  return item;
}

// "[" binders "]"
std::vector<Binder> Parser::ParseBracketedBinders(BinderPlace place) {
  size_t open = pos_;
  Take();
  InsideBrackets inside(*this);
  std::vector<Binder> binders = ParseBinders(place, "");
  Close(open, "`,` or `]` after an index");
  return binders;
}

// binders := binder { "," binder }; only the first can be the index of steps.
std::vector<Binder> Parser::ParseBinders(BinderPlace place, absl::string_view reduction) {
  std::vector<Binder> binders;
  do {
    binders.push_back(ParseBinder(place, reduction));
    if (place == BinderPlace::kStep) place = BinderPlace::kHead;
  } while (!panic_ && TakeIf(TokenKind::kComma));
  return binders;
}

// binder := ":" | ".." NAME | "(" binders ")" | NAME [ ( "<" | "<=" ) e50 | "in" e45 ], where the index of
// steps is
//           NAME [ "<" e50 [ "<=" e50 ] ]
Binder Parser::ParseBinder(BinderPlace place, absl::string_view reduction) {
  Nesting nesting(*this);
  size_t first = pos_;
  Span element = ElementSpan();
  Binder binder;
  auto complain = [&] {
    if (panic_) return;
    if (place != BinderPlace::kReduction) {
      Report(element, kIndexExpression, Quote(element))
          .Suggest("name the index, and say on the right side which elements are meant");
    } else {
      DiagnosticBuilder report = Report(element, kReductionIndex, std::string(reduction), Quote(element));
      if (reduction == "max" || reduction == "min") {
        report.Suggest(absl::StrCat("of two values `", reduction, "imum(a, b)` takes the ",
                                    reduction == "max" ? "larger" : "smaller", "; of a tensor `", reduction,
                                    "(i) x[i]`"));
      } else {
        report.Suggest(absl::StrCat("write `", reduction, "(i) x[i]`"));
      }
    }
    panic_ = true;
  };
  if (TooDeep()) {
    binder.span = SpanFrom(first);
    return binder;
  }
  bool broken = AtEnd() || At(TokenKind::kRightBracket) || At(TokenKind::kRightParen) ||
                At(TokenKind::kRightBrace) || At(TokenKind::kComma) || At(TokenKind::kInvalid);
  if (place != BinderPlace::kReduction && TakeIf(TokenKind::kColon)) {
    binder.kind = Binder::Kind::kColon;
  } else if (TakeIf(TokenKind::kDotDot)) {
    binder.kind = Binder::Kind::kPack;
    binder.name = ExpectName("the name of a pack after `..`");
    CheckSmall(binder.name, "a pack of indices");
  } else if (At(TokenKind::kLeftParen)) {
    size_t open = pos_;
    Take();
    binder.kind = Binder::Kind::kGroup;
    binder.members = ParseBinders(place, reduction);
    Close(open, "`,` or `)` after an index");
  } else if (At(TokenKind::kName)) {
    binder.name = ExpectName("an index");
    CheckSmall(binder.name, "an index");
    if (TakeIf(TokenKind::kLess)) {
      binder.bound = Binder::Bound::kLess;
      binder.limit = ParseBinary(kSumPower);
      if (place == BinderPlace::kStep) binder.at_most = ParseFoundBound(binder.limit);
    } else if (TakeIf(TokenKind::kLessEqual)) {
      binder.bound = Binder::Bound::kAtMost;
      binder.limit = ParseBinary(kSumPower);
    } else if (TakeIf(TokenKind::kIn)) {
      binder.bound = Binder::Bound::kIn;
      binder.limit = ParseBinary(kRangePower);
    } else if (FindInfix(Peek().kind) || At(TokenKind::kLeftBracket) || At(TokenKind::kLeftParen) ||
               At(TokenKind::kDot)) {
      complain();
    }
  } else if (broken || IsKeyword(Peek().kind)) {
    ExpectName("an index");
  } else {
    complain();
  }
  binder.span = SpanFrom(first);
  return binder;
}

}  // namespace weft::dsl
