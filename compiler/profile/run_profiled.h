#ifndef WEFT_COMPILER_PROFILE_RUN_PROFILED_H_
#define WEFT_COMPILER_PROFILE_RUN_PROFILED_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/profile/trace.h"

namespace weft::profile {

struct ProfiledRun {
  Trace trace;
  double median_seconds = 0;  // of a run while nothing is timed but that
};

// Runs a program, an executable's bytes, with these words and `--bench --profile` in a process of its own,
// which leaves no file behind; inputs that are not given are random. `note` is told what the program notes.
// Error: what the program says is wrong.
absl::StatusOr<ProfiledRun> RunProfiled(const std::string& name, const std::string& executable,
                                        std::vector<std::string> words,
                                        const std::function<void(const std::string&)>& note);

}  // namespace weft::profile

#endif  // WEFT_COMPILER_PROFILE_RUN_PROFILED_H_
