#ifndef WEFT_COMPILER_TUNE_TRIALS_H_
#define WEFT_COMPILER_TUNE_TRIALS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/driver/fork_server.h"
#include "compiler/driver/kernel_work.h"
#include "compiler/tune/run_kernel.h"
#include "compiler/tune/trial_store.h"

namespace weft::tune {

// Compiles and measures schedules of one kernel, each step in a process of its own.
class Trials {
 public:
  // `kernel`: canonical. The servers and the task outlive this.
  Trials(std::string kernel, const KernelTask& task, driver::ForkServer& compiler, driver::ForkServer& runner)
      : kernel_(std::move(kernel)), task_(task), compiler_(compiler), runner_(runner) {}

  // Compiles side by side what is not compiled yet. Error: there are no more processes.
  absl::Status Compile(const std::vector<std::string>& schedules);

  // Measures a schedule against another, after comparing its results with the reference's. It is faster if
  // the lower quartile of the ratios says so twice, in two processes.
  absl::StatusOr<Trial> Run(const std::string& incumbent, const std::string& challenger);

  // Nobody will ask for it again.
  void Forget(const std::string& schedule) { objects_.erase(schedule); }

 private:
  struct Object {
    std::string code, problem;
  };

  void FindReference();
  Rounds Measure(const std::string& incumbent, const std::string& challenger);

  std::string kernel_;
  const KernelTask& task_;
  driver::ForkServer& compiler_;
  driver::ForkServer& runner_;
  std::map<std::string, Object> objects_;  // by schedule
  std::vector<std::string> reference_;     // results of plain loops
  std::string no_reference_;               // why there are none
};

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_TRIALS_H_
