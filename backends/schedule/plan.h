#ifndef WEFT_BACKENDS_SCHEDULE_PLAN_H_
#define WEFT_BACKENDS_SCHEDULE_PLAN_H_

// A schedule of one equation in the making.

#include <set>
#include <string>
#include <vector>

#include "backends/schedule/joins.h"
#include "backends/schedule/kernel_view.h"
#include "backends/schedule/schedule.h"

namespace weft::backends {

// An equation's loops after joins, and the directives chosen so far.
struct Plan {
  const EquationView* view = nullptr;
  std::vector<LoopInfo> domain, reductions;
  std::vector<std::vector<mlir::Value>> domain_indices, reduction_indices;
  std::set<std::string> names;
  std::vector<Directive> directives;

  // A name that no loop has yet.
  std::string Fresh(const std::string& base, const std::string& suffix);
  void Split(const std::string& loop, int64_t factor, std::string* outer, std::string* inner);
  // Whether a split of `loop` made it of its outside.
  bool IsOuterPart(const std::string& name, const std::string& loop) const;
  // Whether it is what a split made of a loop's inside: that cannot be split again.
  bool IsInnerPart(const std::string& loop) const;
  // Adds `loop` to the directive of this kind.
  void Mark(DirectiveKind kind, const std::string& loop);
  void Order(const std::vector<std::string>& outer, const std::vector<std::string>& reductions,
             const std::vector<std::string>& inner);
};

// Loops are joined as far as they can be, but not across the borders before these positions of the domain.
Plan MakePlan(const EquationView& view, const Joins& joins, const std::set<int>& borders);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_PLAN_H_
