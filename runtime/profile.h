#ifndef WEFT_RUNTIME_PROFILE_H_
#define WEFT_RUNTIME_PROFILE_H_

#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// The trace that Perfetto and chrome://tracing open: one slice per launch, with the source line of its
// equation.
std::string TraceJson(const ProgramTable& table, const std::vector<ProfileEvent>& events);

// Time per equation over `runs` runs, the most expensive first, for people.
std::string ProfileTable(const ProgramTable& table, const std::vector<ProfileEvent>& events, int runs);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_PROFILE_H_
