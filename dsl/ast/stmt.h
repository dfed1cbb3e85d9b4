#ifndef WEFT_DSL_AST_STMT_H_
#define WEFT_DSL_AST_STMT_H_

#include <optional>
#include <variant>
#include <vector>

#include "dsl/ast/expr.h"
#include "dsl/ast/type_expr.h"

namespace weft::dsl::ast {

struct Stmt;
using StmtPtr = const Stmt*;

struct Block {
  std::vector<StmtPtr> statements;
  Span span;  // from `{` to `}`
};

// "let" NAME "=" expr, in a block, a model or a file
struct Let {
  Name name;
  ExprPtr value;
};

// "for" pattern "in" e45 block
struct For {
  Pattern pattern;
  ExprPtr range;
  Block body;
};

// head := [ "next" ] path [ "[" binders "]" ] [ ":" type ]
struct Head {
  bool is_next = false;
  Path path;
  bool has_binders = false;  // brackets were written
  std::vector<Binder> binders;
  TypePtr type = nullptr;
  Span span;

  // `_`: a result that nothing needs.
  bool drops() const { return !is_next && path.parts.size() == 1 && path.parts[0].text == "_"; }
};

// head { "," head } "=" expr
struct Equation {
  std::vector<Head> heads;
  ExprPtr value;

  // The head that names the equation and says its indices.
  const Head& leading() const {
    const Head* kept = nullptr;
    for (const Head& head : heads) {
      if (head.drops()) continue;
      if (head.has_binders) return head;
      if (kept == nullptr) kept = &head;
    }
    return kept != nullptr ? *kept : heads[0];
  }
};

// from := NAME "[" e50 { "," binder } "]" [ ":" type ] "=" expr
struct From {
  Name name;
  ExprPtr position;
  std::vector<Binder> binders;
  TypePtr type = nullptr;
  ExprPtr value;
  Span span;
};

// "rec" NAME ( "[" binders "]" [ ":" type ] "=" expr | [ "<" e50 [ "<=" e50 ] ] block )
//   [ "from" from { "," from } ] [ "until" expr ]
struct Rec {
  // `rec keep[i] = ...`: the one equation.
  struct Single {
    Head head;
    ExprPtr value;
  };
  // `rec t < T <= most { ... }`: the index and its heads' equations.
  struct Loop {
    Name index;
    ExprPtr length = nullptr;  // `< T`: with `at_most` a new name, else a size
    ExprPtr at_most = nullptr;
    Block body;
  };
  std::variant<Single, Loop> form;
  std::vector<From> from;
  ExprPtr until = nullptr;
};

// "expect" expr [ "~=" expr ] [ "within" expr ] (tests only)
struct Expect {
  ExprPtr value;
  ExprPtr approximately = nullptr;
  ExprPtr within = nullptr;
};

struct Stmt {
  std::variant<Let, For, Equation, Rec, Expect> node;
  Span span;
  // A mistake of spelling or grammar was reported in it: what it says is unknown, and nothing more is to be
  // reported of it. What only a part of a block has got wrong is that part's.
  bool broken = false;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
};

}  // namespace weft::dsl::ast

#endif  // WEFT_DSL_AST_STMT_H_
