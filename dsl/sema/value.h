#ifndef WEFT_DSL_SEMA_VALUE_H_
#define WEFT_DSL_SEMA_VALUE_H_

// What names and expressions stand for while a program is elaborated.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dsl/ast/decl.h"
#include "dsl/program/program.h"
#include "dsl/size/prover.h"

namespace weft::dsl::sema {

// A run-time scalar: an expression over the indices in force.
struct Scalar {
  ExprPtr expr;
  ElementType type = ElementType::kF32;
  // Of an int: what it is in terms of sizes and indices (a value that only data knows is a symbol of its
  // own).
  std::optional<Size> form;
  // Of a bool: what is known to be at least 0 where it holds, and where it does not.
  std::vector<Fact> if_true, if_false;
};

struct History;
struct Index;
struct TensorValue;
using TensorPtr = std::shared_ptr<const TensorValue>;

// One position along an axis of a stored tensor.
struct Position {
  Scalar at;
  Outside outside = Outside::kInside;
};

// How an axis of a stored tensor is subscripted by a view: at a fixed place, or along an axis of the view.
struct Slot {
  std::optional<Position> fixed;
  int axis = -1;   // of the view, if not fixed
  Size offset;     // added to the view's index
  TensorPtr rows;  // or: the view's index selects from this vector of positions
};

// A tensor, or a part or function of stored ones: a view, or a rule for its elements.
struct TensorValue {
  ElementType type = ElementType::kF32;
  std::vector<Size> shape;
  TensorId id = -1;  // a view of this stored tensor, with one slot per axis; else
  std::vector<Slot> slots;
  std::function<Scalar(const std::vector<Scalar>& at)> rule;
  Outside edge = Outside::kInside;             // clamp, mirror or wrap around it
  std::optional<std::pair<Size, Size>> range;  // of the elements of an int tensor: first..second
  std::shared_ptr<History> history;            // set: made by a recurrence, its first axis is positions
};

// A tensor that a recurrence makes, as its loop and what follows see it (R22, R23).
struct History {
  std::string name;
  bool is_known = false;    // its type and the shape of its slices
  bool is_unknown = false;  // what a step computes could not be made out; that has been reported
  ElementType type = ElementType::kF32;
  std::vector<Size> row;                       // shape of a slice
  std::optional<std::pair<Size, Size>> range;  // of an int: first..second
  Size length;                                 // of the axis of positions
  std::vector<TensorPtr> before, after;        // given slices: at -1, -2, ... and at length, length + 1, ...
  Span span;
  // While the loop is worked out: its index, what this step has computed, and what the body reads.
  std::shared_ptr<Index> index;  // null behind the loop
  TensorPtr slice;
  std::map<int64_t, TensorId> window;  // by distance
  TensorId whole = -1;
  // Whether all reads lie before this step, or behind it; a read of either kind, and one of neither.
  bool reads_before = true, reads_behind = true;
  Span before_at, behind_at, open_at;
  Span now_at;  // a read of this step, before it has computed it
};

struct ModelInstance;
using ModelPtr = std::shared_ptr<ModelInstance>;
struct Module;
struct Value;

struct Poison {};  // stands for what could not be made out; an error has been reported
struct Absent {};
struct RealSize {  // real * size + offset, a number that is not whole
  double real;
  Size size;
  double offset;
};
struct RangeValue {
  Size from, to;
};
struct Record {
  std::vector<std::pair<std::string, Value>> fields;
};
struct ListValue {
  std::vector<Value> elements;
};
struct OpRef {
  const ast::Op* op;
  const Module* module;
};
struct ModelRef {
  const ast::Model* model;
  const Module* module;
};
struct MethodRef {
  ModelPtr self;
  const ast::Method* method;
};
struct Builtin {
  std::string name;
};

constexpr int64_t kLongestList = 1'000'000;  // a longer one is an axis

struct Value {
  std::variant<Poison, Absent, bool, Size, double, RealSize, std::string, Scalar, TensorPtr,
               std::shared_ptr<Record>, std::shared_ptr<ListValue>, RangeValue, ModelPtr, ModelRef, OpRef,
               MethodRef, Builtin>
      node;

  Value() = default;
  template <typename T>
  Value(T value) : node(std::move(value)) {}  // NOLINT: every alternative is a value

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&node);
  }
  bool IsPoison() const { return std::holds_alternative<Poison>(node); }
  bool IsAbsent() const { return std::holds_alternative<Absent>(node); }
  // Known when compiling: true, 3, 0.5, "text", a size.
  bool IsNumber() const {
    return As<bool>() || As<Size>() || As<double>() || As<RealSize>() || As<std::string>();
  }
};

// An index: where its range comes from decides what else may be said with it (R6).
struct Index {
  IndexId id;
  std::string name;
  int symbol;  // it is Size::Symbol(symbol, name) in forms
  Span span;
  Span ranged;                                     // what gave it its range, where nothing is written
  bool written = false;                            // the range is written, or comes from a declared result
  std::optional<Size> lower, upper;                // as sizes, once known
  std::optional<Scalar> lower_value, upper_value;  // bounds that only data knows
  // Of an index that stands in for one while a call is made for all its values: they begin at `offset`, the
  // domain at 0.
  std::shared_ptr<Index> stands_for;
  Size offset;
};
using IndexPtr = std::shared_ptr<Index>;

// What a name means where it stands.
struct Binding {
  Value value;
  IndexPtr index;              // set: the name is an index in force
  std::vector<IndexPtr> pack;  // of `..s`
  bool is_pack = false;
  bool never_absent = false;  // so an `else` after it means nothing
  Span span;
};

// The declarations of one file and what it imports.
struct Module {
  std::string name;  // "std.norm" or the path
  const ast::File* file = nullptr;
  std::map<std::string, const ast::Decl*> declarations;
  std::map<std::string, std::pair<const Module*, std::string>> imports;  // local name -> where it is declared
};

struct ModelInstance {
  const ast::Model* model = nullptr;
  const Module* module = nullptr;
  int number = 0;  // in the order they are made
  ModelInstance* parent = nullptr;
  ModelInstance* maker = nullptr;            // in whose members or methods it is made
  std::map<std::string, Span> given;         // where its attributes were given
  std::string segment;                       // its part of the weight path; may be empty
  std::map<std::string, Value> members;      // attributes, lets, sub-models
  std::map<const ast::Method*, char> calls;  // an address per method, by which recursion is seen
  std::map<std::string, int> weights;        // params and states: into Program::weights once used
};

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_VALUE_H_
