#include "runtime/profile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "runtime/json.h"

namespace weft::runtime {
namespace {

std::string Line(const LaunchTable& launch) {
  return std::string(launch.file) + ":" + std::to_string(launch.line);
}

double Rounded(double value) { return std::round(value * 1000) / 1000; }

template <typename... Values>
std::string Format(const char* format, Values... values) {
  char text[512];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

}  // namespace

std::string TraceJson(const ProgramTable& table, const std::vector<ProfileEvent>& events) {
  Json name = {{"ph", "M"}, {"pid", 1}, {"tid", 1}, {"name", "process_name"}};
  name["args"]["name"] = std::string(table.file) + " " + table.entry;
  // A line per event: there are many.
  std::string text = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n" + JsonText(name);
  int64_t origin = events.empty() ? 0 : events.front().start_ns;
  for (const ProfileEvent& event : events) {
    const LaunchTable& launch = table.launches[event.launch];
    double ns = static_cast<double>(std::max<int64_t>(1, event.duration_ns));
    Json json = {{"ph", "X"}, {"pid", 1}, {"tid", 1}, {"name", launch.path}};
    json["ts"] = static_cast<double>(event.start_ns - origin) / 1000;
    json["dur"] = static_cast<double>(event.duration_ns) / 1000;
    json["args"] = {{"kernel", launch.kernel}, {"source", Line(launch)}};
    if (launch.flops > 0) json["args"]["GFLOP/s"] = Rounded(launch.flops / ns);
    if (launch.bytes > 0) json["args"]["GB/s"] = Rounded(launch.bytes / ns);
    text += ",\n" + JsonText(json);
  }
  return text + "\n]}\n";
}

std::string ProfileTable(const ProgramTable& table, const std::vector<ProfileEvent>& events, int runs) {
  std::map<int32_t, int64_t> time;
  int64_t total = 0;
  for (const ProfileEvent& event : events) {
    time[event.launch] += event.duration_ns;
    total += event.duration_ns;
  }
  std::vector<std::pair<int32_t, int64_t>> rows(time.begin(), time.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second > b.second || (a.second == b.second && a.first < b.first);
  });
  size_t width = 8;
  for (const auto& [launch, ns] : rows)
    width = std::max(width, std::string(table.launches[launch].path).size());
  int column = static_cast<int>(std::min<size_t>(width, 60));
  std::string text =
      Format("%10s %6s %9s %9s  %-*s  %s\n", "us", "share", "GFLOP/s", "GB/s", column, "equation", "source");
  double per_run = 1.0 / std::max(1, runs);
  for (const auto& [number, ns] : rows) {
    const LaunchTable& launch = table.launches[number];
    double run_ns = std::max(1.0, static_cast<double>(ns) * per_run);
    std::string flops = launch.flops > 0 ? Format("%.1f", launch.flops / run_ns) : "";
    std::string bytes = launch.bytes > 0 ? Format("%.1f", launch.bytes / run_ns) : "";
    text += Format("%10.1f %5.1f%% %9s %9s  %-*s  %s\n", run_ns / 1000,
                   100.0 * static_cast<double>(ns) / static_cast<double>(std::max<int64_t>(1, total)),
                   flops.c_str(), bytes.c_str(), column, launch.path, Line(launch).c_str());
  }
  return text + Format("%10.1f  in %d kernels\n", static_cast<double>(total) * per_run / 1000,
                       static_cast<int>(rows.size()));
}

}  // namespace weft::runtime
