#ifndef WEFT_COMPILER_DRIVER_FORK_SERVER_H_
#define WEFT_COMPILER_DRIVER_FORK_SERVER_H_

// Work in child processes, so that a fault in it is an answer like any other. The children are forked not by
// this process, which has threads, but by a small server that was forked before there were any.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace weft::driver {

// What one child may use.
struct ChildLimits {
  int64_t cpu_seconds = 120;
  int64_t megabytes = 0;     // of data; 0: half of the machine's memory
  int64_t wall_seconds = 0;  // of time, 0: any: what waits for ever uses no processor
};
// The default ones, or what WEFT_KERNEL_SECONDS and WEFT_KERNEL_MEGABYTES say.
ChildLimits LimitsOfEnvironment();

// How one child ended.
struct ChildEnd {
  size_t task = 0;
  double seconds = 0;    // from its start
  std::string answer;    // if `cause` is empty
  std::string cause;     // what ended it too early, as "was ended by the signal ..."
  bool limited = false;  // the cause is one of the limits
  std::string said;      // on its standard output and error
};

// Not for several threads. Nothing of it is left when this process ends, however that happens.
class ForkServer {
 public:
  // What a child makes of a request.
  using Work = std::function<std::string(absl::string_view request)>;

  // Forks the server: before this process starts threads. `work` sees this process as it is now.
  ForkServer(const Work& work, const ChildLimits& limits);
  ~ForkServer();  // ends all children
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  // Starts a child; `task` tells its end from others'. Error: the system has no process or memory for it.
  absl::Status Start(size_t task, absl::string_view request);
  // The next child to end. Some must be running.
  absl::StatusOr<ChildEnd> Wait();
  size_t running() const { return children_.size(); }

 private:
  struct Child {
    std::chrono::steady_clock::time_point start;
    int paper = -1, log = -1;
  };

  ChildLimits limits_;
  pid_t server_ = -1;
  int socket_ = -1;
  std::map<size_t, Child> children_;
};

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_FORK_SERVER_H_
