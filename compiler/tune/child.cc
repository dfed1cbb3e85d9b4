#include "compiler/tune/child.h"

#include <algorithm>
#include <string>
#include <vector>

#include "compiler/driver/text_list.h"
#include "compiler/tune/run_kernel.h"
#include "compiler/tune/run_program.h"

namespace weft::tune {
namespace {

// A kernel runs for some milliseconds, and a measurement takes a second; a machine may be busy.
constexpr int64_t kMostCpuSeconds = 20;
constexpr int64_t kWallTimes = 3;

std::string Answer(absl::string_view request) {
  std::vector<std::string> fields = driver::UnpackTexts(request).value();
  if (fields[0] == "record") return Record(fields);
  if (fields[0] == "compare") return Compare(fields);
  if (fields[0] == "reference") return ComputeReference(fields);
  return Measure(fields);
}

}  // namespace

std::unique_ptr<driver::ForkServer> StartRunServer() {
  driver::ChildLimits limits = driver::LimitsOfEnvironment();
  limits.cpu_seconds = std::min(limits.cpu_seconds, kMostCpuSeconds);
  limits.wall_seconds = kWallTimes * limits.cpu_seconds;
  return std::make_unique<driver::ForkServer>(Answer, limits);
}

driver::ChildEnd Ask(driver::ForkServer& server, absl::string_view request) {
  driver::ChildEnd end;
  absl::Status status = server.Start(0, request);
  if (status.ok()) {
    absl::StatusOr<driver::ChildEnd> ended = server.Wait();
    if (ended.ok()) return *std::move(ended);
    status = ended.status();
  }
  end.cause = std::string(status.message());
  return end;
}

}  // namespace weft::tune
