#ifndef WEFT_BACKENDS_SCHEDULE_PACK_WORD_H_
#define WEFT_BACKENDS_SCHEDULE_PACK_WORD_H_

// The directive `pack`: in which order a weight lies, in the loops that the splits beside it make.

#include <map>
#include <string>
#include <vector>

#include "backends/schedule/schedule.h"
#include "dsl/base/diagnostic.h"
#include "passes/analysis/packing.h"

namespace weft::backends {

struct PackWord {
  passes::Packing packing;
  dsl::Span span, operand_span;
  std::vector<dsl::Span> part_spans;  // of the order
};

// Puts parts of the equation's indices in the place of the loops that `splits` name; false, with a
// diagnostic: there is no such part, or it stands twice.
bool ResolveParts(PackWord& word, const std::vector<Directive>& splits, dsl::Diagnostics& diagnostics);

// `pack w as [jo, k, ji]`, with the loops of `splits` where they are the parts, else `j div 8` and `j % 8`.
std::string PrintPacking(const passes::Packing& packing, const std::vector<Directive>& splits);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_PACK_WORD_H_
