#include "compiler/tune/paired_rounds.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "compiler/driver/text_list.h"

namespace weft::tune {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSideSeconds = 4e-4;  // at least, of one contender in one round
constexpr double kMostSeconds = 0.8;   // of all rounds, if there are enough
constexpr size_t kFewestRounds = 9, kMostRounds = 61;
constexpr double kHopeless = 4;  // times slower: not measured any further

// How often this process had to leave a processor to another one.
int64_t Displacements() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

// Seconds of one call; negative if one fails.
double Time(const std::function<bool()>& run, int64_t calls) {
  Clock::time_point start = Clock::now();
  for (int64_t i = 0; i < calls; ++i)
    if (!run()) return -1;
  return std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(calls);
}

double Quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

struct Series {
  std::vector<double> ratios, times, other_times;

  void Add(double time, double other) {
    ratios.push_back(time / other), times.push_back(time), other_times.push_back(other);
  }
  Rounds Result() const {
    return {"",
            Quantile(ratios, 0.25),
            Quantile(ratios, 0.5),
            Quantile(ratios, 0.75),
            Quantile(times, 0.5),
            Quantile(other_times, 0.5),
            static_cast<int>(ratios.size())};
  }
};

}  // namespace

Rounds RunRounds(const std::function<bool()>& incumbent, const std::function<bool()>& challenger) {
  // Warms up, too.
  double once = INFINITY, other_once = INFINITY;
  for (int i = 0; i < 3; ++i) {
    double time = Time(incumbent, 1), other = Time(challenger, 1);
    if (time < 0 || other < 0) return {"a call failed"};
    once = std::min(once, time), other_once = std::min(other_once, other);
  }
  bool is_hopeless = other_once > kHopeless * once;
  auto calls = static_cast<int64_t>(std::ceil(kSideSeconds / std::max(once, 1e-8)));
  Series undisturbed, all;
  Clock::time_point start = Clock::now();
  while (undisturbed.ratios.size() < kMostRounds) {
    bool first = all.ratios.size() % 2 == 0;
    int64_t before = Displacements();
    double time = first ? Time(incumbent, calls) : 0, other = Time(challenger, calls);
    if (!first) time = Time(incumbent, calls);
    if (time < 0 || other < 0) return {"a call failed"};
    all.Add(time, other);
    if (Displacements() == before) undisturbed.Add(time, other);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    bool is_enough = undisturbed.ratios.size() >= kFewestRounds;
    bool is_slower = is_enough && Quantile(undisturbed.ratios, 0.75) < 1;
    bool is_busy = all.ratios.size() >= kFewestRounds && seconds > 3 * kMostSeconds;
    if (is_hopeless || is_slower || (is_enough && seconds > kMostSeconds) || is_busy) break;
  }
  return (undisturbed.ratios.size() >= kFewestRounds ? undisturbed : all).Result();
}

std::string ToBytes(const Rounds& rounds) {
  auto number = [](double value) { return absl::StrCat(value); };
  return driver::PackTexts({rounds.problem, number(rounds.lower_quartile), number(rounds.median),
                            number(rounds.upper_quartile), number(rounds.incumbent_seconds),
                            number(rounds.challenger_seconds), absl::StrCat(rounds.count)});
}

Rounds RoundsFrom(absl::string_view bytes) {
  auto fields = driver::UnpackTexts(bytes, 7);
  if (!fields) return {"a child process gave no result"};
  Rounds rounds;
  rounds.problem = (*fields)[0];
  size_t next = 1;
  for (double* value : {&rounds.lower_quartile, &rounds.median, &rounds.upper_quartile,
                        &rounds.incumbent_seconds, &rounds.challenger_seconds})
    (void)absl::SimpleAtod((*fields)[next++], value);
  (void)absl::SimpleAtoi((*fields)[next], &rounds.count);
  return rounds;
}

}  // namespace weft::tune
