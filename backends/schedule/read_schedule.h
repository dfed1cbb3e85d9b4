#ifndef WEFT_BACKENDS_SCHEDULE_READ_SCHEDULE_H_
#define WEFT_BACKENDS_SCHEDULE_READ_SCHEDULE_H_

// The `schedule` blocks of a file as data.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/schedule/pack_word.h"
#include "backends/schedule/schedule.h"
#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"

namespace weft::backends {

// Which kernel an equation is to be in.
struct FusionWord {
  std::string into;  // that of this equation, as it is written; empty: one of its own
  dsl::Span span;
};

// What a block says of one equation. A block within a block is one of its own, and so is each of several
// names at its beginning.
struct WrittenSchedule {
  std::string path;  // as it is written, behind those of the blocks around it
  dsl::Span span;    // where
  // What it was found for, as driver::KernelFingerprint has it; of another kernel it says nothing. Empty:
  // any.
  std::string kernel;
  std::vector<Directive> directives;
  // What passes are told of the equation.
  std::optional<double> tolerance;  // the error that it may have, relative to its largest result
  std::optional<FusionWord> fusion;
  std::vector<PackWord> packs;

  bool SaysNothing() const { return directives.empty() && !tolerance && !fusion && packs.empty(); }
};

// All of a file, in the order of the text. A knob stands for its first value. What is said in words that no
// back end knows, or with numbers that cannot be, is reported and left out.
std::vector<WrittenSchedule> ReadSchedules(const dsl::ast::File& file, dsl::Diagnostics& diagnostics);

// A text as PrintSchedule makes it: each block is of the equation with just that path. What is wrong in it
// comes as InvalidArgument with the diagnostics as they are printed.
absl::StatusOr<Schedule> ParseSchedule(absl::string_view text);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_READ_SCHEDULE_H_
