#ifndef WEFT_COMPILER_TUNE_RUN_PROGRAM_H_
#define WEFT_COMPILER_TUNE_RUN_PROGRAM_H_

// A whole program in a child process, with random weights and inputs: what its kernels are called with and
// how long they take, and how it compares with itself compiled otherwise.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "compiler/tune/kernel_call.h"
#include "compiler/tune/paired_rounds.h"

namespace weft::tune {

struct ProgramRun {
  std::vector<std::string> objects;  // as driver::CompileScheduled makes them
  std::vector<std::string> files;    // that have the ops in C
  std::string method;                // empty: `forward`, or the only one
  int64_t threads = 0;               // 0: one per processor
};

// How a program uses one of its kernels.
struct KernelUse {
  double seconds = 0;    // of one run of the program, in all its calls
  int64_t launches = 0;  // of one run
  KernelCall call;       // the first of a run
};

// In the parent: requests to a child and what its answers mean.
std::string RecordRequest(const ProgramRun& run, const std::map<std::string, KernelInterface>& kernels);
absl::StatusOr<std::map<std::string, KernelUse>> RecordedUses(absl::string_view answer);
std::string CompareRequest(const ProgramRun& before, const ProgramRun& after);

// In the child: answers them. `fields` are those of the request.
std::string Record(const std::vector<std::string>& fields);
std::string Compare(const std::vector<std::string>& fields);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_RUN_PROGRAM_H_
