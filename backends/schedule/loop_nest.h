#ifndef WEFT_BACKENDS_SCHEDULE_LOOP_NEST_H_
#define WEFT_BACKENDS_SCHEDULE_LOOP_NEST_H_

// The directives of one equation, checked against its loops and put in order: what a back end builds loops
// from.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/schedule/schedule.h"

namespace weft::backends {

constexpr int64_t kUnknown = -1;  // an extent known at run time only

struct LoopInfo {
  std::string name;
  int64_t extent = kUnknown;
};

// The loops that directives may name. Loops of one equation have different names.
struct EquationLoops {
  std::string path;
  std::vector<LoopInfo> domain;      // outermost first, as the result lies in memory
  std::vector<LoopInfo> reductions;  // of all reductions in the body
};

struct NestLoop {
  std::string name;
  int64_t extent = kUnknown;
  bool reduction = false;
  std::string parent;       // the loop it was split from; empty: a loop of the equation (or of joined ones)
  int64_t factor = 0;       // of the split that made it, 0: none
  bool inner_part = false;  // of that split
  bool parallel = false, vectorized = false, unrolled = false;
  bool overlap = false;               // of a split loop: its last step is moved back
  std::vector<int64_t> lengths = {};  // for which there is code of its own
};

struct LoopNest {
  std::vector<std::vector<std::string>>
      joins;                    // of equation loops, outermost first; the last name is the new loop
  std::vector<NestLoop> loops;  // every loop ever named, split ones included
  std::vector<std::string> outer, reductions,
      inner;             // the leaves in order; results are computed over `inner` at once
  std::string block;     // the outer part of a reduction's loop that runs around some of `outer`; empty: none
  std::string block_at;  // the loop of `outer` that it runs inside of; empty: it runs around all
  std::vector<std::string> prefetches;  // loops, what whose steps read is fetched ahead
  bool pads = false;
  std::string pad_at;  // empty: in front of all loops
  bool transposes = false;
  std::string transpose_equation, transpose_at;  // as for `at`; no equation: this one
  bool inlined = false;
  bool placed = false;  // `at`
  std::string at_equation, at_loop;

  const NestLoop& Find(const std::string& name) const;
  bool IsSplit(const std::string& name) const;
  // The outer and inner part of a split loop.
  std::pair<std::string, std::string> Parts(const std::string& name) const;
  // The loop of the equation (or of joined ones) that `name` is a part of, or is.
  const std::string& Base(const std::string& name) const;
};

// Why a schedule does not fit its kernel.
struct ScheduleProblem {
  std::string text;  // a sentence that names the loops and the equation
  dsl::Span span;    // of the directive or of a name in it; invalid: of what the compiler has made
  // Of a name that is no loop there: it, and what it may be instead.
  std::string missing;
  std::vector<std::string> known;
};

// Every directive must name loops that exist at its place, an order must list all loops once. A loop may be
// split, and the outer part of one that results run along again, into steps of several. The outer part of one
// reduction's loop may run around results' loops: it cuts what is reduced into equal blocks, and the inner
// part may then be split again. Loops that no `order`
// lists keep the equation's order, reductions before an inner part that is vectorized. Errors are
// InvalidArgument and go to `problem` too.
absl::StatusOr<LoopNest> ResolveLoops(const EquationLoops& equation, const EquationSchedule& schedule,
                                      ScheduleProblem* problem = nullptr);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_LOOP_NEST_H_
