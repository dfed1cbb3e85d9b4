#ifndef WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_
#define WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_

// Schedules as data: how an equation's loops run, never what they compute. Defaults, a user's text and a
// tuner's result are the same data and are applied by the same code. The text form is the language's
// `schedule` block:
//
//   schedule net.conv1.y {
//     join n i into m
//     split k by 32 into ko, ki
//     split j by 14 into jo, ji
//     order ko m jo | r s c | ji ki
//     parallel ko
//     vectorize ki
//     unroll ji
//   }

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dsl/base/span.h"

namespace weft::backends {

enum class DirectiveKind {
  kSplit,      // names[0] by `factor` into names[1] (outer), names[2] (inner)
  kJoin,       // names[0..n-1), adjacent loops, into names[n-1]
  kOrder,      // names, outermost first; `bar1`, `bar2`: how many stand before each bar
  kParallel,   // names
  kVectorize,  // names[0]; on a reduction's loop: that many partial results, joined at the end
  kUnroll,     // names
  kOverlap,    // names: the last step of these split loops is moved back to end at the edge, computing some
               // results twice
  kPrefetch,  // names: while a step of such a loop runs, the packed weights of its next step are fetched into
              // the cache; where it walks none, in front of sums what results read beside them
  kAt,  // the equation is computed inside loop names[1] of the equation names[0]; names[1] empty: outside of
        // all
  kInline,     // the equation is written out where it is read
  kTranspose,  // reads that stride along the vectorized loop, and dense ones where its last vector goes past
               // the end, go to a copy that is dense along it and has an end to read, made inside loop
               // names[1] of equation names[0] (both empty: in front of all loops; names[0] empty: of this
               // equation)
  kPad,  // reads outside a tensor go to a padded copy, made inside loop names[0]; no name: in front of all
         // loops
  kSpecialize,  // where the loop names[0], of a length known at run time only, is as long as one of
                // `lengths`, code with that number runs
};

struct Directive {
  DirectiveKind kind;
  std::vector<std::string> names;
  int64_t factor = 0;                 // kSplit
  int bar1 = -1, bar2 = -1;           // kOrder; -1: no bar
  std::vector<int64_t> lengths = {};  // kSpecialize
  // Where it and each of its names, or lengths, are written; invalid: made by the compiler.
  dsl::Span span = {};
  std::vector<dsl::Span> name_spans = {}, length_spans = {};
};

struct EquationSchedule {
  std::string path;
  std::vector<Directive> directives;
};

struct Schedule {
  std::vector<EquationSchedule> equations;
};

// One block per equation, as the language has it.
std::string PrintSchedule(const Schedule& schedule);

// A loop or an operand, as the language writes it: in quotes if it has a word for its name.
std::string PrintLoop(const std::string& name);

// A block with these directives, behind the lines `words`, for all equations of `paths`, of which there is
// one at least; with `kernel`, only where they are computed by it.
std::string PrintBlock(const std::vector<std::string>& paths, const std::vector<Directive>& directives,
                       absl::string_view kernel = "", const std::vector<std::string>& words = {});

// A block that has the equation `path` in the kernel of `into`; if that is empty, in one of its own.
std::string PrintFusion(const std::string& path, const std::string& into);

// Puts the directives of `user` in place of those of `into`. What splits, joins or orders replaces all
// directives about the loops; otherwise each word replaces its own kind and the rest stays: of a loop that
// this splits, the outer part is made parallel, the inner one vectorized or unrolled.
void Override(const std::vector<Directive>& user, EquationSchedule& into);

// What a loop that is joined and split by some of `directives` has become: the joined one, its outermost or
// its innermost part.
enum class LoopPart { kOuter, kInner };
std::string LoopWithin(std::string loop, const std::vector<Directive>& directives, LoopPart part);

// Whether `path` is `suffix`, or ends with it behind a dot.
bool HasSuffix(absl::string_view path, absl::string_view suffix);

// Of `known`, the name nearest to `name` by edit distance; empty if none is near.
std::string NearestName(absl::string_view name, const std::vector<std::string>& known);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_
