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

// The beginning of a slice around those of its launches, and its end.
std::string RunJson(const MethodTable& method, double begin, double end) {
  Json json = {{"ph", "B"}, {"pid", 1}, {"tid", 1}, {"name", method.name}, {"ts", begin}};
  std::string text = JsonText(json);
  json["ph"] = "E";
  json["ts"] = end;
  return text + ",\n" + JsonText(json);
}

std::string LaunchJson(const LaunchTable& launch, const ProfileEvent& event, double begin) {
  double ns = static_cast<double>(std::max<int64_t>(1, event.duration_ns));
  Json json = {{"ph", "X"}, {"pid", 1}, {"tid", 1}, {"name", launch.path}};
  json["ts"] = begin;
  json["dur"] = static_cast<double>(event.duration_ns) / 1000;
  json["args"] = {{"launch", event.launch}, {"kernel", launch.kernel}, {"source", Line(launch)}};
  if (!event.extents.empty()) json["args"]["sizes"] = event.extents;
  if (launch.flops > 0) json["args"]["GFLOP/s"] = Rounded(launch.flops / ns);
  if (launch.bytes > 0) json["args"]["GB/s"] = Rounded(launch.bytes / ns);
  return JsonText(json);
}

}  // namespace

std::string TraceJson(const ProgramTable& table, const std::vector<ProfileEvent>& events, int threads) {
  Json name = {{"ph", "M"}, {"pid", 1}, {"tid", 1}, {"name", "process_name"}};
  name["args"]["name"] = std::string(table.file) + " " + table.entry;
  Json other = {{"file", table.file}, {"entry", table.entry}, {"threads", threads}};
  // A line per event: there are many.
  std::string text = "{\"displayTimeUnit\": \"ns\", \"otherData\": " + JsonText(other) +
                     ", \"traceEvents\": [\n" + JsonText(name);
  int64_t origin = events.empty() ? 0 : events.front().start_ns;
  for (const ProfileEvent& event : events) {
    double begin = static_cast<double>(event.start_ns - origin) / 1000;
    double end = static_cast<double>(event.start_ns + event.duration_ns - origin) / 1000;
    text += ",\n" + (event.method != nullptr ? RunJson(*event.method, begin, end)
                                             : LaunchJson(table.launches[event.launch], event, begin));
  }
  return text + "\n]}\n";
}

std::string ProfileTable(const ProgramTable& table, const std::vector<ProfileEvent>& events, int runs) {
  std::map<int32_t, int64_t> time;
  int64_t total = 0;
  for (const ProfileEvent& event : events) {
    if (event.method != nullptr) continue;
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
