#ifndef WEFT_DSL_SEMA_FRAME_H_
#define WEFT_DSL_SEMA_FRAME_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "dsl/ast/decl.h"
#include "dsl/sema/value.h"

namespace weft::dsl::sema {

// A state of a model, by its member's name; in the order in which models are made.
struct StateKey {
  ModelPtr model;
  std::string name;
  bool operator<(const StateKey& other) const {
    return std::tie(model->number, name) < std::tie(other.model->number, other.name);
  }
  bool operator==(const StateKey& other) const { return model == other.model && name == other.name; }
};

// Names that one body sees, besides its module: dimensions, parameters, locals, indices.
struct Frame {
  const Module* module = nullptr;
  ModelPtr self;  // of a method
  Frame* caller = nullptr;
  std::vector<std::map<std::string, Binding>> scopes{1};
  std::map<std::string, std::vector<Size>> size_packs;  // ..S
  std::optional<ElementType> float_type;                // what `float` is in this call
  bool training = false;
  // R31. What `seed` is where the body has none of its own: a seed further out (nothing: there is none),
  // mixed with the place of the calls from there to here, and with what counts at these places.
  struct Seed {
    // Whether the call sets it, or the body around the call has one of its own, or inherits it.
    enum class Source { kNone, kSet, kBound, kInherited } source = Source::kNone;
    std::optional<Value> from;
    uint64_t place = 0;
    std::vector<Scalar> counters;
  };
  Seed seed;
  bool reads_seed = false;  // so far, in a way that depends on the place of the call
  // Where a call stands in this body: in which equation, in which round of `for` and of lists, in which step.
  struct Sentence {
    std::string name;
    const ast::Expr* value = nullptr;
    int number = 0;  // among the equations of this name
  };
  Sentence sentence;
  std::map<std::string, std::vector<const ast::Expr*>> sentences;  // those that were met, by name
  std::vector<int64_t> rounds;
  std::vector<IndexPtr> steps;
  std::set<std::string> until_indices;  // of what the step has computed, while `until` is worked out
  std::string path;                     // of equations, R38
  std::string equation;                 // the one being elaborated
  std::string
      declaration;  // of an op or method, R38: "conv2d", "Conv2d.forward"; and its op's or model's name
  Span declared;
  bool is_method = false;
  std::string subject;  // "`conv2d`", for messages
  Span call;
  std::shared_ptr<const std::map<StateKey, Value>>
      weights;                                      // that the call of a method gives instead of its model's
  bool is_inline = false;                           // the body of an op of scalars: nothing is stored
  std::map<StateKey, const ast::Head*> next_heads;  // states that have a next value by now
  std::set<std::string> found_names;                // sizes that results declare, `K <= N`
  std::set<std::string> bounded;                    // of them, those whose bound was looked at
  std::map<std::string, Size> declared_bounds;      // of them, N
  std::set<std::string> optionals;                  // parameters that may be absent
  std::map<std::string, const ast::TypeExpr*> results;  // declared types of results
  struct OpenShape {
    const ast::SizeExpr* size;
    Size actual;
    Span span;
    std::string what;
    std::vector<Size> shape;  // that `actual` is an axis of
  };
  struct OpenRange {
    const ast::Param* param;
    Span span;
  };
  std::vector<OpenShape> open_shapes;  // sizes and ranges to compare once all parameters are bound
  std::vector<OpenRange> open_ranges;
  std::map<std::string, Span> given;  // arguments, by the names of their parameters
};

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_FRAME_H_
