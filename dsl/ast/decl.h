#ifndef WEFT_DSL_AST_DECL_H_
#define WEFT_DSL_AST_DECL_H_

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "dsl/ast/expr.h"
#include "dsl/ast/stmt.h"
#include "dsl/ast/type_expr.h"
#include "dsl/base/arena.h"

namespace weft::dsl::ast {

// param := NAME ":" type [ "?" ] [ "=" expr ]
struct Param {
  Name name;
  TypePtr type;
  bool optional = false;
  ExprPtr default_value = nullptr;
  Span span;
};

// params := "(" [ param { "," param } ] [ ";" param { "," param } ] ")"
struct Params {
  std::vector<Param> data;        // before `;`: run-time parameters of an op or method, numbers of a model
  std::vector<Param> attributes;  // after `;`: numbers, given by name
  Span span;
  bool broken = false;  // see Stmt::broken
};

// result := NAME [ ":" type ]
struct Result {
  Name name;
  TypePtr type = nullptr;
  Span span;
};

// "where" expr [ ":" STRING ]
struct Constraint {
  ExprPtr condition;
  std::optional<std::string> message;
  Span span;
};

// sig := params "->" result { "," result } { "where" expr [ ":" STRING ] }
struct Signature {
  Params params;
  std::vector<Result> results;
  std::vector<Constraint> constraints;
  Span span;
  bool broken = false;  // see Stmt::broken
};

// "import" ( STRING | path ) ":" NAME { "," NAME }
struct Import {
  std::optional<std::string> file;  // a quoted path, else
  Path module;                      // std.norm
  Span source_span;                 // of whichever is given
  std::vector<Name> names;
};

// "op" NAME sig block        "extern" "op" NAME sig
struct Op {
  Name name;
  Signature signature;
  Block body;  // empty if is_extern
  bool is_extern = false;
};

// ( "param" | "state" ) NAME [ "[" binders "]" ] [ "as" STRING ] ":" type [ "if" e20 ] [ "=" expr ]
struct StoredMember {
  enum class Kind { kParam, kState };
  Kind kind;
  Name name;
  bool has_binders = false;
  std::vector<Binder> binders;
  std::optional<std::string> weight_path;  // of `as "..."`
  TypePtr type;
  ExprPtr condition = nullptr;
  ExprPtr initial = nullptr;
};

// NAME sig block
struct Method {
  Name name;
  Signature signature;
  Block body;
};

// NAME [ "as" STRING ] ":" expr
struct SubModel {
  Name name;
  std::optional<std::string> weight_path;
  ExprPtr value;
};

// "dim" NAME "in" e45 [ "step" e50 ] { "," ( NAME "in" e45 [ "step" e50 ] | "hot" "{" NUM { "," NUM } "}" ) }
struct Limits {
  struct Dimension {
    Name name;
    ExprPtr range;
    ExprPtr step = nullptr;
    std::vector<ExprPtr> hot;  // of the `hot` clauses that follow this dimension
    Span span;
  };
  std::vector<Dimension> dimensions;
};

struct Member {
  std::variant<StoredMember, Let, Method, SubModel, Limits> node;
  std::string doc;  // the text of its `///` lines, one per line, without the marks
  Span span;
  bool broken = false;  // see Stmt::broken; of a method only what is no part of its signature and body

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
};

// ( "model" | "entry" ) NAME [ params ] "{" { member } "}"
struct Model {
  bool is_entry = false;
  Name name;
  bool has_params = false;
  Params params;
  std::vector<const Member*> members;
  Span body_span;  // from `{` to `}`
};

// "test" STRING block
struct Test {
  std::string title;
  Span title_span;
  Block body;
};

struct Directive;

// "knob" NAME "in" ( "{" NUM { "," NUM } "}" | e45 )
struct Knob {
  Name name;
  std::vector<ExprPtr> values;  // of braces, else
  ExprPtr range = nullptr;
};
// "split" NAME "by" ( NAME | NUM ) "into" NAME "," NAME
struct Split {
  Name index;
  ExprPtr factor;  // a Ref (a knob) or a Number
  Name outer, inner;
};
// "join" NAME { NAME } "into" NAME
struct Join {
  std::vector<Name> indices;
  Name into;
};
// "order" ( NAME | "|" ) { NAME | "|" }
struct Order {
  std::vector<Name> indices;  // "|" stands among them as it is written
};
// ( "parallel" | "vectorize" | "unroll" | "overlap" | "prefetch" ) NAME { NAME }
struct Mark {
  enum class Kind { kParallel, kVectorize, kUnroll, kOverlap, kPrefetch };
  Kind kind;
  std::vector<Name> indices;
};
// "pack" NAME "as" "[" part { "," part } "]"
// part := NAME [ "div" ( NAME | NUM ) ] [ "%" ( NAME | NUM ) ]
struct Pack {
  struct Part {
    Name index;
    ExprPtr divisor = nullptr, modulus = nullptr;  // each a Ref (a knob) or a Number
    Span span;
  };
  Name tensor;
  std::vector<Part> order;
};
// "specialize" NAME "in" "{" NUM { "," NUM } "}"
struct Specialize {
  Name index;
  std::vector<ExprPtr> lengths;
};
// ( "pad" | "transpose" ) [ "at" equation ]
struct Copy {
  enum class Kind { kPad, kTranspose };
  Kind kind;
  Path place;  // no parts: none is written
};
// "inline" equation
struct Inline {
  Path equation;
};
// "recompute" NAME { NAME } [ "by" NAME ]
struct Recompute {
  std::vector<Name> values;
  std::optional<Name> by;
};
// "tolerance" NUM
struct Tolerance {
  ExprPtr error;
};
// "alone"
struct Alone {};
// "fuse" "into" equation
struct Fuse {
  Path into;
};
// equation "{" { directive } "}"
struct Nested {
  Path equation;
  std::vector<const Directive*> directives;
};
// equation "at" equation
struct ComputeAt {
  Path equation, place;
};

struct Directive {
  std::variant<Knob, Split, Join, Order, Mark, Pack, Specialize, Copy, Inline, Recompute, Tolerance, Alone,
               Fuse, Nested, ComputeAt>
      node;
  Span span;
  bool broken = false;  // see Stmt::broken

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
};

// "schedule" equation { "," equation } [ "on" NAME ] [ "for" STRING ] "{" { directive } "}"
// equation := part { "." part }, whose parts are names, numbers and strings
struct Schedule {
  std::vector<Path> subjects;
  std::optional<Name> target;
  std::optional<Name> kernel;  // behind `for`: what the schedule was found for
  std::vector<const Directive*> directives;
};

struct Decl {
  std::variant<Import, Let, Op, Model, Test, Schedule> node;
  std::string doc;  // as Member::doc
  Span span;
  bool broken = false;  // see Stmt::broken; only what is no part of its members, signature and body

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
};

// What others call a declaration by; null: nobody does.
inline const Name* NameOf(const Decl& decl) {
  if (const auto* op = decl.As<Op>()) return &op->name;
  if (const auto* model = decl.As<Model>()) return &model->name;
  if (const auto* let = decl.As<Let>()) return &let->name;
  return nullptr;
}

// file := "weft" NUM { decl }
struct File {
  int32_t source = -1;  // its number in the SourceManager
  std::string version;  // "0.1"
  Span version_span;
  std::vector<const Decl*> decls;
  // The names in the parts that could not be read: whoever uses one of them may have made no mistake.
  std::set<std::string> uncertain;
  Arena arena;  // owns every node
};

}  // namespace weft::dsl::ast

#endif  // WEFT_DSL_AST_DECL_H_
