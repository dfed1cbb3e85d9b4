#ifndef WEFT_COMPILER_PROFILE_TRACE_H_
#define WEFT_COMPILER_PROFILE_TRACE_H_

// Profiles that programs write (`--profile`), as runtime/profile.h makes them.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace weft::profile {

struct TraceLaunch {
  int32_t number = 0;  // in the program's table
  std::string kernel, name;
  double start = 0, seconds = 0;  // since the profile's beginning
  std::vector<int64_t> sizes;     // that it was given
};

struct TraceRun {
  std::string method;
  double start = 0, seconds = 0;
  std::vector<TraceLaunch> launches;
};

struct Trace {
  std::string file, entry;
  int threads = 1;
  std::vector<TraceRun> runs;  // in order of time, at least one
};

// Error: what it is instead.
absl::StatusOr<Trace> ReadTrace(absl::string_view text);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_TRACE_H_
