#ifndef WEFT_DSL_PROGRAM_PROGRAM_H_
#define WEFT_DSL_PROGRAM_PROGRAM_H_

// The checked program: what sema makes of one entry. Names are resolved, compile-time numbers computed,
// models and lists taken apart, ops opened in the place of their calls, rows written out (every axis has an
// index). What is left is scalar expressions in index space, so lowering translates it one to one into the
// `weft` dialect.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dsl/base/span.h"
#include "dsl/size/size.h"

namespace weft::dsl {

enum class ElementType { kBool, kInt, kI8, kU8, kI32, kI64, kF16, kBf16, kF32, kF64 };
inline bool IsFloat(ElementType type) { return type >= ElementType::kF16; }

using TensorId = int;  // into Method::tensors
using IndexId = int;   // unique within a method

// ---- Scalar expressions

// Nodes are shared: one that is reached twice is one value, computed once.
struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

// A constant. The alternative follows Expr::type: bool, whole number, or real number.
struct Literal {
  std::variant<bool, int64_t, double> value;
};
struct IndexRef {  // always kInt
  IndexId index;
};
struct SizeValue {  // a size used as a number; kInt
  Size size;
};

// What an access means where a subscript lies outside its axis.
enum class Outside { kInside /* proved impossible */, kFill, kClamp, kMirror, kWrap };
struct Subscript {
  ExprPtr at;  // kInt
  Outside outside = Outside::kInside;
};
// One element of a tensor. `fill` is the `else` value; null unless some subscript is kFill.
struct Read {
  TensorId tensor;
  std::vector<Subscript> subscripts;  // one per axis
  ExprPtr fill;
};

// clang-format off: one row per kind of operands
enum class Function {
  // Numbers: operands and result have one type. kFloorDiv and kMod floor, and x div 0 = x % 0 = 0. kDiv is for floats.
  kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kNeg, kPow, kMinimum, kMaximum, kAbs, kSign,
  // Comparisons: operands have one type, result is bool.
  kEq, kNe, kLt, kLe, kGt, kGe,
  kAnd, kOr, kNot,
  kSelect,  // condition, then, otherwise
  kSwitch,  // position (kInt), then the elements it chooses from; the position is proved inside
  // Real functions. kRound is half to even.
  kExp, kLog, kSqrt, kSin, kCos, kTan, kTanh, kAtan2, kErf, kFloor, kCeil, kRound, kTrunc,
  kRandom,  // 32 bits of Philox4x32-10: a seed, then four counters, of which the low halves count; all kI64
};
// clang-format on
struct Apply {
  Function function;
  std::vector<ExprPtr> operands;
};
// To Expr::type. Floats to ints truncate toward zero and saturate, NaN becomes 0; ints to narrower data ints
// wrap; bool is never an operand.
struct Cast {
  ExprPtr operand;
};
// An index and its range lower..upper (upper not included). Bounds may read tensors and name indices further
// out.
struct Binder {
  IndexId index;
  std::string name;
  ExprPtr lower, upper;
};
enum class ReductionKind { kSum, kProd, kMin, kMax, kAny, kAll, kArgMax, kArgMin, kFirst, kLast };
// Reduces `body` over all binders where `condition` (null: everywhere) holds. `if_empty` is the value of an
// empty set; null: the kind's own (0, 1, +inf, -inf, false, true), or proved non-empty. kArgMax, kArgMin: the
// body is the key, the result the row-major position among the binders' ranges; of equal keys the first, NaN
// counts as largest. kFirst, kLast: the body at the first or last place where the condition holds. Sums of
// f16, bf16, i8 and u8 accumulate wider and are rounded once.
struct Reduce {
  ReductionKind kind;
  std::vector<Binder> binders;
  ExprPtr condition, body, if_empty;
};

struct Expr {
  ElementType type;
  Span span;
  std::variant<Literal, IndexRef, SizeValue, Read, Apply, Cast, Reduce> node;
  int depth = 1;  // of the tree below; bounded, so that it can be walked by recursion
};

// Calls `visit` with every operand of `expr`, in the order of the text; some may be null.
template <typename Visit>
void ForEachOperand(const Expr& expr, const Visit& visit) {
  if (const auto* read = std::get_if<Read>(&expr.node)) {
    for (const Subscript& subscript : read->subscripts) visit(subscript.at);
    visit(read->fill);
  } else if (const auto* apply = std::get_if<Apply>(&expr.node)) {
    for (const ExprPtr& operand : apply->operands) visit(operand);
  } else if (const auto* cast = std::get_if<Cast>(&expr.node)) {
    visit(cast->operand);
  } else if (const auto* reduce = std::get_if<Reduce>(&expr.node)) {
    for (const Binder& binder : reduce->binders) visit(binder.lower), visit(binder.upper);
    for (const ExprPtr& part : {reduce->condition, reduce->body, reduce->if_empty}) visit(part);
  }
}

// ---- Statements

struct Domain {  // a left index
  IndexId index;
  std::string name;
  Size extent;  // ranges from 0
};

// results[r][domain...] = bodies[r], for every point of the domain. Usually one result.
struct Equation {
  std::vector<Domain> domain;
  std::vector<TensorId> results;
  std::vector<ExprPtr> bodies;
};
// The same elements in the same row-major order under another shape. Each group lists adjacent axes of the
// finer tensor that make one axis of the coarser; `result` is the coarser one in Collapse, the finer one in
// Expand.
struct Collapse {
  TensorId result, source;
  std::vector<std::vector<int>> groups;
};
struct Expand {
  TensorId result, source;
  std::vector<std::vector<int>> groups;
};
struct Concat {
  TensorId result;
  std::vector<TensorId> sources;
  int axis;
};
// A condition on sizes that could not be proved: checked when the program meets its inputs, before anything
// runs; as soon as they are known, if the data decides them. Holds if lhs == rhs (kEqual), lhs <= rhs
// (kAtMost), or rhs divides lhs (kDivisible).
struct Check {
  enum class Relation { kEqual, kAtMost, kDivisible } relation;
  Size lhs, rhs;
  // The whole sentence, with {0}, {1} for the values: "H must be divisible by 32, not {0}".
  std::string message;
  std::vector<Size> values;
};

// result[.., j] = the position along the last axis of keys[.., :] that comes j-th: smallest first, or
// largest; equal ones in order, NaN counts as largest. The result may be shorter than the keys along that
// axis.
struct Sort {
  TensorId result, keys;
  bool descending = false;
};
// result = the positions where the mask, a vector, holds: at most `most` of them, in order. How many, `size`
// in sizes from here on, only the data says: 0 <= size <= most.
struct Filter {
  TensorId result, mask;
  int size;  // id of its SizeAtom
  Size most;
};

// A call of an op in C. Results of int may have a range, which the call's results are checked to keep.
struct Extern {
  std::string name;
  std::vector<TensorId> inputs;
  struct Result {
    TensorId tensor;
    std::optional<std::pair<Size, Size>> range;  // first..second
  };
  std::vector<Result> results;
};

struct Statement;
// An op under indices: the body once per point of the domain. Tensors of the body have no axes for the
// domain; each yielded tensor has them prepended. Inside the body the domain's indices may be read like any
// index in force.
struct Parallel {
  std::vector<Domain> domain;
  std::vector<Statement> body;
  struct Yield {
    TensorId inner, outer;
  };
  std::vector<Yield> yields;
};

// One of two bodies, as a condition without axes says once it is computed. Both yield tensors of the result's
// shape.
struct Branch {
  TensorId condition;
  std::vector<Statement> then, otherwise;
  TensorId of_then, of_otherwise, result;
};

// Steps one after another: step `index` computes one slice of every state from slices of steps before it.
// Upwards the steps are 0, 1, ..., and `given[k]` is the slice at position -1 - k; downwards they end with 0,
// and `given[k]` is at position extent + k.
struct Recurrence {
  Domain index;
  bool is_downward = false;
  std::vector<Statement> body;
  struct State {
    TensorId slice;  // what a step computes
    std::vector<TensorId> given;
    // What the body reads: window[k] is the slice of k + 1 steps ago; `history` (or -1) holds all positions,
    // the given ones included, in the order of positions. Those of later steps are not read.
    std::vector<TensorId> window;
    TensorId history = -1;
    TensorId result;  // the slices of all steps, in the order of positions
    // Instead: the last step's slice alone, or where there is no step what is given.
    bool keeps_last = false;
  };
  std::vector<State> states;
  // Tensors of the body that are the second one, of outside, in every step.
  std::vector<std::pair<TensorId, TensorId>> unchanged;
  // `until`: the last step, of at most the index's extent, is the first one for which the body computes
  // `stop` (or -1), a bool without axes, as true. How many there were is `size` in sizes from here on, and in
  // the shapes of results: 1 <= size.
  TensorId stop = -1;
  int size = -1;  // id of its SizeAtom
  // Or the tensor that holds it, an int without axes: what stands in a Parallel is stepped for all points
  // until all have ended. The axes of results go as far as the index then.
  TensorId count = -1;
};

// A declaration in whose text a statement stands, or that calls one that it stands in.
struct Enclosing {
  std::string name;   // "softmax", "Linear.forward"
  Span declared;      // the op's or model's name
  std::string below;  // the equations from there down: "p.e"
};

struct Statement {
  std::variant<Equation, Collapse, Expand, Concat, Check, Sort, Filter, Extern, Parallel, Branch, Recurrence>
      node;
  Span span;
  // Instance path and equation name, `attention.p.e`; schedules and profiles name it so.
  std::string path;
  // The innermost declaration first, out to the next method.
  std::vector<Enclosing> enclosing;
};

// ---- Entries

struct Tensor {
  std::string name;
  ElementType element;
  std::vector<Size> shape;
  enum class Origin { kLocal, kInput, kWeight, kConstant } origin = Origin::kLocal;
  // kInput: into Method::inputs; kWeight: into Program::weights; kConstant: into Program::constants.
  int source = 0;
  Span span;
};

struct Port {  // an input or output of a method
  std::string name;
  ElementType element;
  std::vector<Size> shape;
  TensorId tensor;
  // A declared range of an int (R21), checked at the boundary for inputs.
  std::optional<Size> range_lo, range_hi;
  std::string doc;
  Span span;
};

struct Weight {      // a param or a state
  std::string path;  // "features.0.0.weight"
  ElementType element;
  std::vector<int64_t> shape;
  // The declared initial value, used where no weight file is given (tests) or it lacks a state: absent for
  // none, and for one that is computed.
  std::optional<double> fill;
  bool is_state = false;
  bool changes = false;                              // some method gives it a next value
  std::optional<std::pair<int64_t, int64_t>> range;  // of an int: first..second
  Span span;
};

struct ConstantData {  // a list of numbers that an index subscripts, row-major
  std::variant<std::vector<int64_t>, std::vector<double>> values;  // int64_t: of int and bool
};

struct Dimension {  // an entry's run-time dimension; a dimension fixed by --dim has become a number
  int id;           // of its SizeAtom
  std::string name;
  int64_t lo, hi, step;
  std::vector<int64_t> hot;  // without repetitions
  Span hot_span;             // of them all
};

struct Method {
  std::string name;  // "forward"
  std::string doc;
  std::vector<Port> inputs, outputs;
  std::vector<Tensor> tensors;
  std::vector<Statement> body;
  struct Next {  // the value of a state after the run
    int weight;  // into Program::weights
    TensorId tensor;
  };
  std::vector<Next> next;
  std::map<int, Size> found_bounds;  // of sizes of outputs that the data decides, by symbol: what is told
};

struct Program {
  std::string file, entry;
  std::map<std::string, int64_t> fixed;  // dimensions that are numbers since these were asked for
  std::vector<Dimension> dimensions;
  std::vector<Weight> weights;
  std::vector<ConstantData> constants;
  std::vector<Method> methods;
  // Initial values that are computed: each a method without ports, which leaves one weight behind. In the
  // order in which they are computed.
  std::vector<Method> initial_values;
  // The same entry at hot sizes, every combination of them: what is computed alike, with these sizes as
  // numbers.
  std::vector<Program> variants;
  std::map<std::string, int64_t> sizes;  // of a variant
};

}  // namespace weft::dsl

#endif  // WEFT_DSL_PROGRAM_PROGRAM_H_
