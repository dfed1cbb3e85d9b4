#ifndef WEFT_COMPILER_DRIVER_TIMING_H_
#define WEFT_COMPILER_DRIVER_TIMING_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace weft::driver {

// Where the time of a compilation went, for people.
struct Timing {
  struct Share {
    size_t count = 0;
    double seconds = 0;
  };

  std::vector<std::pair<std::string, double>> phases;  // (name, seconds) in order; they do not overlap
  // Launches by where the code of their kernel comes from.
  size_t compiled = 0, from_cache = 0, identical = 0;
  bool program_from_cache = false;
  std::map<std::string, Share> classes;  // of compiled kernels; several run at a time
};

// The phases with their seconds and the counts, a line each.
std::string Print(const Timing& timing);

// Adds the time it lives to a timing, under a name; to none if that is null.
class TimedPhase {
 public:
  TimedPhase(Timing* timing, absl::string_view name) : timing_(timing), name_(name) {}
  ~TimedPhase();
  TimedPhase(const TimedPhase&) = delete;
  TimedPhase& operator=(const TimedPhase&) = delete;

 private:
  Timing* timing_;
  std::string name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_TIMING_H_
