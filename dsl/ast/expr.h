#ifndef WEFT_DSL_AST_EXPR_H_
#define WEFT_DSL_AST_EXPR_H_

// Expressions as they are written. Each struct has its line of the grammar (docs/language.md) above it; eN is
// an expression whose operators bind at least as tightly as N. Nodes are owned by the File they belong to.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dsl/base/span.h"

namespace weft::dsl::ast {

struct Expr;
using ExprPtr = const Expr*;

// A name where it stands.
struct Name {
  std::string text;
  Span span;
};

// path := NAME { "." NAME }
struct Path {
  std::vector<Name> parts;
  Span span;

  std::string ToString() const;  // "net.params"
};

// pattern := pat { "," pat }        pat := NAME | "(" pattern ")"
struct Pattern {
  // A name, or a parenthesized pattern if `inner` is not empty.
  struct Item {
    Name name;
    std::vector<Item> inner;
    Span span;
  };
  std::vector<Item> items;
  Span span;
};

// binder := ":" | ".." NAME | "(" binders ")" | NAME [ ( "<" | "<=" ) e50 | "in" e45 ]
struct Binder {
  enum class Kind {
    kIndex,     // `i`, `i < N`, `i <= n`, `u in lo..hi`
    kColon,     // `:`, an axis that is kept (only in a head)
    kPack,      // `..s`
    kGroup,     // `(h, d)`
    kPosition,  // the first subscript of a `from` head (`h[-1]`): an expression, in `limit`
  };
  enum class Bound { kNone, kLess, kAtMost, kIn };
  Kind kind = Kind::kIndex;
  Name name;  // kIndex, kPack (without the dots)
  Bound bound = Bound::kNone;
  ExprPtr limit = nullptr;      // kIn: usually a Range, else a list or whatever gives numbers
  ExprPtr at_most = nullptr;    // `t < T <= most`, of `rec` alone: `limit` is a new name
  std::vector<Binder> members;  // kGroup
  Span span;
};

// NUM. `1` is whole, `1.0` and `1e5` are real.
struct Number {
  std::string text;  // as written
  bool is_real = false;
  int64_t whole = 0;  // if not is_real
  double real = 0;    // the value, of whole numbers too
};
struct String {
  std::string text;  // without quotes, escapes resolved
};
struct Bool {
  bool value;
};
struct None {};
// NAME: a tensor, index, dimension, attribute, member, op, ...
struct Ref {
  std::string name;
};

// "(" part { "," part } ")" with several parts, `of`, or a pack.        part := expr [ "of" e50 ] | ".." NAME
struct Group {
  struct Part {
    ExprPtr value = nullptr;  // null for a pack
    ExprPtr of = nullptr;     // `0 of 3`
    Name pack;                // `..s`; empty text otherwise
    Span span;
  };
  std::vector<Part> parts;
};

// "[" [ expr { "," expr } ] "]"
struct List {
  std::vector<ExprPtr> elements;
};
// "[" expr ";" expr "]"
struct Repeat {
  ExprPtr element, count;
};
// "[" expr { "for" pattern "in" e45 }+ [ "where" expr ] "]"
struct Comprehension {
  struct Clause {
    Pattern pattern;
    ExprPtr range;
  };
  ExprPtr element;
  std::vector<Clause> clauses;
  ExprPtr condition = nullptr;
};

enum class ReductionWord {
  kSum,
  kProd,
  kMean,
  kMax,
  kMin,
  kAny,
  kAll,
  kCount,
  kArgMax,
  kArgMin,
  kLogSumExp,
  kFirst,
  kLast,
  kFilter,
  kArgSort,
  kTopK,
};
// `sum`, `argmax`, ...
const char* Spelling(ReductionWord word);
// The reduction word that `text` spells.
std::optional<ReductionWord> FindReductionWord(const std::string& text);
// any, all, count and filter take everything to their right as body; the others one product.
bool TakesConditions(ReductionWord word);

// WORD "(" binders [ "where" expr ] [ ";" expr ] ")" ( e60 | e20 )
struct Reduction {
  ReductionWord word;
  Span word_span;
  std::vector<Binder> binders;
  ExprPtr condition = nullptr;
  ExprPtr limit = nullptr;  // `; k`
  ExprPtr body;
};

// postfix "[" sub { "," sub } "]"        sub := ".." NAME | ":" [ expr ] | expr [ ":" [ expr ] ]
struct Subscript {
  struct Item {
    enum class Kind { kAt, kSlice, kPack };
    Kind kind = Kind::kAt;
    ExprPtr at = nullptr;                  // kAt
    ExprPtr from = nullptr, to = nullptr;  // kSlice; null: from the start, to the end; both null: `:`
    Name pack;                             // kPack
    Span span;
  };
  ExprPtr base;
  std::vector<Item> items;
  Span bracket_span;  // from `[` to `]`
};

// postfix "(" [ args ] ")"        arg := ".." NAME | expr [ "=" expr ]
struct Call {
  struct Arg {
    Name name;                // of `name = value`; empty text if nameless
    ExprPtr value = nullptr;  // null for a pack
    Name pack;                // `..S`; empty text otherwise
    Span span;
  };
  ExprPtr callee;
  std::vector<Arg> args;        // before `;`
  std::vector<Arg> attributes;  // after `;`: named ones, at most one nameless (the weights)
  Span paren_span;              // from `(` to `)`
};

// postfix "." NAME
struct Field {
  ExprPtr base;
  Name name;
};

enum class UnaryOp { kNeg, kNot };
struct Unary {
  UnaryOp op;
  Span op_span;
  ExprPtr operand;
};

enum class BinaryOp {
  kOr,
  kAnd,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kIn,
  kAdd,
  kSub,
  kJoin /* ++ */,
  kMul,
  kDiv,
  kFloorDiv /* div */,
  kMod,
  kPow,
};
const char* Spelling(UnaryOp op);
const char* Spelling(BinaryOp op);
bool IsComparison(BinaryOp op);  // == != < <= > >= in
struct Binary {
  BinaryOp op;
  Span op_span;
  ExprPtr lhs, rhs;
};

// e50 ".." e50: the whole numbers from `from`, `to` not included (in `dim` and `knob` it is).
struct Range {
  ExprPtr from, to;
};

// e20 "if" e20 [ "else" expr ]. Without `else`: absent if the condition is false.
struct Conditional {
  ExprPtr value, condition;
  ExprPtr otherwise = nullptr;
};
// e20 "else" expr: what stands for an access outside, an empty reduction, something absent.
struct Else {
  ExprPtr value, otherwise;
};

// Stands where an expression could not be read; an error has been reported.
struct Invalid {};

struct Expr {
  std::variant<Invalid, Number, String, Bool, None, Ref, Group, List, Repeat, Comprehension, Reduction,
               Subscript, Call, Field, Unary, Binary, Range, Conditional, Else>
      node;
  Span span;                   // includes the parentheses
  bool parenthesized = false;  // written as `(e)`; a Group's own parentheses do not count
  int depth = 1;               // levels of expressions from here to the deepest leaf; the parser bounds it

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(node);
  }
};

}  // namespace weft::dsl::ast

#endif  // WEFT_DSL_AST_EXPR_H_
