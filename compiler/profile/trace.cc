#include "compiler/profile/trace.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/json.h"

namespace weft::profile {
namespace {

using runtime::Json;

const Json* Find(const Json& object, const char* name) {
  auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? nullptr : &*found;
}

std::string TextAt(const Json& object, const char* name) {
  const Json* text = Find(object, name);
  return text && text->is_string() ? text->get<std::string>() : "";
}

std::optional<double> NumberAt(const Json& object, const char* name) {
  const Json* number = Find(object, name);
  return number && number->is_number() ? std::optional(number->get<double>()) : std::nullopt;
}

std::optional<int64_t> WholeAt(const Json& object, const char* name) {
  const Json* number = Find(object, name);
  return number && number->is_number_integer() ? std::optional(number->get<int64_t>()) : std::nullopt;
}

absl::Status Damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("it is no profile of a program: ", what));
}

// The slice of a launch.
std::optional<TraceLaunch> LaunchOf(const Json& event) {
  const Json* arguments = Find(event, "args");
  if (!arguments) return std::nullopt;
  std::optional<int64_t> number = WholeAt(*arguments, "launch");
  std::optional<double> start = NumberAt(event, "ts"), duration = NumberAt(event, "dur");
  std::string kernel = TextAt(*arguments, "kernel"), name = TextAt(event, "name");
  if (!number || *number < 0 || *number > INT32_MAX || !start || !duration || *duration < 0 || kernel.empty())
    return std::nullopt;
  TraceLaunch launch{static_cast<int32_t>(*number), kernel, name, *start * 1e-6, *duration * 1e-6, {}};
  if (const Json* sizes = Find(*arguments, "sizes")) {
    if (!sizes->is_array()) return std::nullopt;
    for (const Json& size : *sizes) {
      if (!size.is_number_integer() || size.get<int64_t>() < 0) return std::nullopt;
      launch.sizes.push_back(size.get<int64_t>());
    }
  }
  return launch;
}

}  // namespace

absl::StatusOr<Trace> ReadTrace(absl::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return Damaged("it is no JSON");
  const Json *other = Find(json, "otherData"), *events = Find(json, "traceEvents");
  std::optional<int64_t> threads = other ? WholeAt(*other, "threads") : std::nullopt;
  if (!events || !events->is_array() || !threads || *threads < 1 || *threads > 1024)
    return Damaged("there are no events, or it is not said of how many threads");
  Trace trace{TextAt(*other, "file"), TextAt(*other, "entry"), static_cast<int>(*threads), {}};
  std::vector<TraceLaunch> launches;
  for (size_t i = 0; i < events->size(); ++i) {
    const Json& event = (*events)[i];
    std::string phase = TextAt(event, "ph");
    std::optional<double> at = NumberAt(event, "ts");
    if (phase == "B" && at) {
      trace.runs.push_back({TextAt(event, "name"), *at * 1e-6, -1, {}});
    } else if (phase == "E" && at && !trace.runs.empty() && trace.runs.back().seconds < 0) {
      trace.runs.back().seconds = std::max(0.0, *at * 1e-6 - trace.runs.back().start);
    } else if (phase == "X") {
      std::optional<TraceLaunch> launch = LaunchOf(event);
      if (!launch) return Damaged(absl::StrCat("event ", i, " is no launch of a kernel"));
      launches.push_back(*std::move(launch));
    } else if (phase != "M") {
      return Damaged(absl::StrCat("event ", i, " is of another kind"));
    }
  }
  if (trace.runs.empty() || trace.runs.back().seconds < 0) return Damaged("no run of a method is in it");
  // Those of several threads may run at once; who runs what is not said, and the first that is around it
  // counts.
  for (TraceLaunch& launch : launches) {
    auto run = std::find_if(trace.runs.begin(), trace.runs.end(), [&](const TraceRun& each) {
      return launch.start >= each.start - 1e-9 &&
             launch.start + launch.seconds <= each.start + each.seconds + 1e-8;
    });
    if (run == trace.runs.end()) return Damaged(absl::StrCat("`", launch.name, "` is in no run"));
    run->launches.push_back(std::move(launch));
  }
  return trace;
}

}  // namespace weft::profile
