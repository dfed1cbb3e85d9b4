#ifndef WEFT_COMPILER_TUNE_TUNE_H_
#define WEFT_COMPILER_TUNE_TUNE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/driver/compile.h"
#include "compiler/tune/paired_rounds.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"

namespace weft::tune {

// How far it went with one kernel, or with several equal ones.
struct KernelProgress {
  std::string name;           // of the equation that it computes last
  size_t number = 0;          // of the kernels that are worth it, from 1, those that take most time first
  double share = 0;           // of the time of all kernels
  int64_t launches = 0;       // of one run
  double seconds = 0;         // of one call, by the default schedule
  int64_t candidates = 0;     // tried or found in the store
  int64_t measured = 0;       // trials that were made now, with that of the default by itself
  int64_t rejected = 0;       // of these, those that failed or computed something else
  double gain = 1;            // the default's time over the best's
  std::vector<double> gains;  // behind each candidate
  std::vector<std::string> accepted;  // what was changed, step by step
  std::string problem;                // why nothing can be tried
  bool is_done = false;               // all near the best was tried; else time or candidates ran out
};

struct TuneOptions {
  driver::CompileOptions compile;
  std::string method;            // what runs; empty: `forward`, or the only one
  double seconds = 600;          // all together, about
  int64_t most_candidates = 48;  // of one kernel
  int64_t threads = 0;           // 0: one per processor
  std::string store;             // the file of all trials
  // Told of every candidate, with the number of kernels and the seconds that it will take at most; and when a
  // kernel is finished.
  std::function<void(const KernelProgress& kernel, size_t kernels, double seconds_left)> progress, finished;
  // Gets the schedules that were found so far, for a file, whenever there are new ones.
  std::function<absl::Status(const std::string& schedules)> keep;
};

struct TuneResult {
  std::vector<KernelProgress> kernels;
  int64_t scheduled = 0;  // kernels that got another schedule than the default
  Rounds program;         // the whole of it, before against after; `problem` if that could not be measured
};

// Searches for faster schedules of a program's kernels on this machine. To be called before this process
// starts threads. What has a place in its files is reported to `diagnostics`.
absl::StatusOr<TuneResult> Tune(const dsl::Program& program, const dsl::SourceManager& sources,
                                const TuneOptions& options, dsl::Diagnostics& diagnostics);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_TUNE_H_
