#include "compiler/driver/timing.h"

#include "absl/strings/str_format.h"

namespace weft::driver {

std::string Print(const Timing& timing) {
  std::string text;
  double all = 0;
  for (const auto& [name, seconds] : timing.phases) {
    absl::StrAppendFormat(&text, "%-12s %8.3f s", name, seconds);
    if (name == "kernels") {
      absl::StrAppendFormat(&text, "  %d compiled, %d from cache, %d identical", timing.compiled,
                            timing.from_cache, timing.identical);
    }
    if (name == "cache") text += timing.program_from_cache ? "  has the program" : "  has no such program";
    text += "\n";
    all += seconds;
    if (name != "kernels") continue;
    for (const auto& [kernel_class, share] : timing.classes)
      absl::StrAppendFormat(&text, "  %-10s %8.3f s  %d kernels\n", kernel_class, share.seconds, share.count);
  }
  absl::StrAppendFormat(&text, "%-12s %8.3f s\n", "all", all);
  return text;
}

TimedPhase::~TimedPhase() {
  if (!timing_) return;
  std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  timing_->phases.emplace_back(name_, passed.count());
}

}  // namespace weft::driver
