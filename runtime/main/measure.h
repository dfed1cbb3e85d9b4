#ifndef WEFT_RUNTIME_MAIN_MEASURE_H_
#define WEFT_RUNTIME_MAIN_MEASURE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/status.h"

namespace weft::runtime {

struct Measurement {
  double median_ms = 0, first_quartile_ms = 0, third_quartile_ms = 0;
  int rounds = 0;
  int64_t workspace_bytes = 0;  // of memory that is kept from run to run, without weights
};

// Times `run` after warming up: rounds of at least a millisecond, at least 11 and up to 101 of them in about
// three seconds.
Result<Measurement> Measure(const std::function<Status()>& run);

// For people or as JSON: {"method", "threads", "median_ms", "quartiles_ms": [q1, q3], "rounds",
// "workspace_bytes"}.
std::string PrintMeasurement(const Measurement& measurement, const std::string& method, int threads,
                             bool json);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_MEASURE_H_
