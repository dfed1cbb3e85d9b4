#ifndef WEFT_DSL_AST_TYPE_EXPR_H_
#define WEFT_DSL_AST_TYPE_EXPR_H_

#include <memory>
#include <variant>
#include <vector>

#include "dsl/ast/expr.h"

namespace weft::dsl::ast {

// size := ".." NAME | "<=" e50 | e50 [ "<=" e50 ]
struct SizeExpr {
  enum class Kind {
    kSize,   // `H`, `2*C`, `3`, `_`
    kPack,   // `..S`
    kFound,  // `K <= N`, or `<= N` where the size gets no name
  };
  Kind kind = Kind::kSize;
  Name name;                  // kPack; kFound (empty text: no name)
  ExprPtr size = nullptr;     // kSize
  ExprPtr at_most = nullptr;  // kFound
  Span span;
};

struct TypeExpr;
using TypePtr = const TypeExpr*;

// path [ "[" [ size { "," size } ] "]" ] [ "in" e45 ]: `float[N, 4]`, `int in 0..N`, `net.params`, `op`
struct NamedType {
  Path path;
  bool has_sizes = false;  // brackets were written
  std::vector<SizeExpr> sizes;
  ExprPtr range = nullptr;
};
// "[" type [ ";" expr ] "]": a list, of `count` elements if given
struct ListType {
  TypePtr element;
  ExprPtr count = nullptr;
};

struct TypeExpr {
  std::variant<NamedType, ListType> node;
  Span span;

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
};

}  // namespace weft::dsl::ast

#endif  // WEFT_DSL_AST_TYPE_EXPR_H_
