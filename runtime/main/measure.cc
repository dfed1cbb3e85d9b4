#include "runtime/main/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "runtime/json.h"

namespace weft::runtime {
namespace {

constexpr double kWarmUpMs = 200, kRoundMs = 1, kBudgetMs = 3000;
constexpr size_t kFewestRounds = 11, kMostRounds = 101;

double NowMs() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<Measurement> Measure(const std::function<Status()>& run) {
  double start = NowMs(), fastest = INFINITY;
  do {
    double before = NowMs();
    if (Status status = run(); !status.ok()) return status;
    fastest = std::min(fastest, NowMs() - before);
  } while (NowMs() - start < kWarmUpMs);
  int repeats = static_cast<int>(std::ceil(kRoundMs / std::max(fastest, 1e-4)));
  std::vector<double> times;
  start = NowMs();
  while (times.size() < kFewestRounds || (times.size() < kMostRounds && NowMs() - start < kBudgetMs)) {
    double before = NowMs();
    for (int i = 0; i < repeats; ++i)
      if (Status status = run(); !status.ok()) return status;
    times.push_back((NowMs() - before) / repeats);
  }
  std::sort(times.begin(), times.end());
  size_t last = times.size() - 1;
  return Measurement{times[last / 2], times[last / 4], times[last * 3 / 4], static_cast<int>(times.size()),
                     0};
}

std::string PrintMeasurement(const Measurement& measurement, const std::string& method, int threads,
                             bool json) {
  if (json) {
    Json numbers = {{"method", method}, {"threads", threads}, {"median_ms", measurement.median_ms}};
    numbers["quartiles_ms"] = {measurement.first_quartile_ms, measurement.third_quartile_ms};
    numbers["rounds"] = measurement.rounds;
    numbers["workspace_bytes"] = measurement.workspace_bytes;
    return JsonText(numbers) + "\n";
  }
  char text[200];
  std::snprintf(text, sizeof(text), ": %.4g ms (quartiles %.4g to %.4g ms, %d rounds, %d thread%s)\n",
                measurement.median_ms, measurement.first_quartile_ms, measurement.third_quartile_ms,
                measurement.rounds, threads, threads == 1 ? "" : "s");
  return method + text;
}

}  // namespace weft::runtime
