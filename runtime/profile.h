#ifndef WEFT_RUNTIME_PROFILE_H_
#define WEFT_RUNTIME_PROFILE_H_

#include <string>
#include <vector>

#include "runtime/program_table.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// The trace that Perfetto and chrome://tracing open: one slice per run of a method, and in it one per launch,
// with its number in the table, the source line of its equation, and the run-time sizes it was given.
// `threads`: of the program.
std::string TraceJson(const ProgramTable& table, const std::vector<ProfileEvent>& events, int threads);

// Time per equation over `runs` runs, the most expensive first, for people.
std::string ProfileTable(const ProgramTable& table, const std::vector<ProfileEvent>& events, int runs);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_PROFILE_H_
