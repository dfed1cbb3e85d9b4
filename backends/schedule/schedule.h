#ifndef WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_
#define WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_

// Schedules as data: how an equation's loops run, never what they compute. Defaults, a user's file and a
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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

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
  kAt,  // the equation is computed inside loop names[1] of the equation names[0]; names[1] empty: outside of
        // all
  kInline,     // the equation is written out where it is read
  kTranspose,  // reads that stride along the vectorized loop go to a copy that is dense along it, made inside
               // loop names[1] of equation names[0] (both empty: in front of all loops; names[0] empty: of
               // this equation)
  kPad,  // reads outside a tensor go to a padded copy, made inside loop names[0]; no name: in front of all
         // loops
};

struct Directive {
  DirectiveKind kind;
  std::vector<std::string> names;
  int64_t factor = 0;        // kSplit
  int bar1 = -1, bar2 = -1;  // kOrder; -1: no bar
  int line = 0;              // in the text it was read from, 0: made by the compiler
};

struct EquationSchedule {
  std::string path;  // in a text: any suffix of a path that names one equation
  std::vector<Directive> directives;
};

struct Schedule {
  std::vector<EquationSchedule> equations;
};

// Reads any number of `schedule PATH [on cpu] { ... }` blocks, nested blocks and knobs included (a knob
// stands for its first value). Errors name the line and what was expected.
absl::StatusOr<Schedule> ParseSchedule(absl::string_view text);

// One block per equation; ParseSchedule reads it back to equal data.
std::string PrintSchedule(const Schedule& schedule);

// Puts the directives of `user` in place of those of the schedules of all kernels. A block that splits, joins
// or orders replaces all loop directives of its equation; otherwise each word replaces its own kind and the
// rest stays. A path that fits no equation is an error with the nearest path, one that fits several is an
// error that lists them.
absl::Status OverrideSchedules(const Schedule& user, const std::vector<Schedule*>& kernels);

// Of `known`, the name nearest to `name` by edit distance; empty if none is near.
std::string NearestName(absl::string_view name, const std::vector<std::string>& known);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_SCHEDULE_H_
