#include "compiler/profile/page.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "compiler/page/page.h"
#include "compiler/profile/report.h"

namespace weft::profile {
namespace {

using runtime::Json;

constexpr char kStyle[] =
#include "compiler/profile/page_style.inc"
    ;

constexpr char kScript[] =
#include "compiler/profile/page_script.inc"
    ;

constexpr char kBody[] = R"(<p id="summary"></p>
<h2>One run</h2>
<figure id="timeline"></figure>
<h2>Kernels and what they hand over</h2>
<figure id="graph"></figure>
<h2>Roofline</h2>
<figure id="roofline"></figure>
<h2>Kernels</h2>
<figure id="table"></figure>
)";

// The method that was run, as it is compiled for the sizes that it met.
const MethodTable& MeasuredMethod(const KernelTable& table) {
  auto found = std::find_if(table.methods.begin(), table.methods.end(),
                            [](const MethodTable& method) { return method.run_seconds.has_value(); });
  return found == table.methods.end() ? table.methods.front() : *found;
}

// The run that took the median time: its launches by their place in the table, when they began, and how long
// they took.
Json TimelineJson(const MethodTable& method, const Trace& trace) {
  std::vector<const TraceRun*> runs;
  for (const TraceRun& run : trace.runs)
    if (run.method == method.method) runs.push_back(&run);
  std::sort(runs.begin(), runs.end(),
            [](const TraceRun* a, const TraceRun* b) { return a->seconds < b->seconds; });
  if (runs.empty()) return {{"seconds", 0}, {"slices", Json::array()}};  // it launches no kernel
  const TraceRun& run = *runs[(runs.size() - 1) / 2];
  std::map<int32_t, size_t> places;
  for (size_t i = 0; i < method.launches.size(); ++i) places[method.launches[i].launch.number] = i;
  Json slices = Json::array();
  for (const TraceLaunch& launch : run.launches) {
    auto place = places.find(launch.number);
    if (place != places.end())
      slices.push_back(Json::array({place->second, launch.start - run.start, launch.seconds}));
  }
  return {{"seconds", run.seconds}, {"slices", slices}};
}

}  // namespace

std::string ProfilePage(const KernelTable& table, const ProfiledRun& run) {
  const MethodTable& method = MeasuredMethod(table);
  Json data = ToJson(table);
  data["method"] = data["methods"][static_cast<size_t>(&method - table.methods.data())];
  data.erase("methods");
  data["median_seconds"] = run.median_seconds;
  data["timeline"] = TimelineJson(method, run.trace);
  // Inside of a script nothing is escaped, and `</script>` would end it.
  std::string text = absl::StrReplaceAll(runtime::JsonText(data), {{"<", "\\u003c"}});
  std::string body = absl::StrCat(kBody, "<script type=\"application/json\" id=\"data\">", text,
                                  "</script>\n<script>\n\"use strict\";\n", kScript, "</script>\n");
  std::string file = table.file.substr(table.file.rfind('/') + 1);
  return page::HtmlPage(absl::StrCat("Profile of `", table.entry, "` in ", file), kStyle, body);
}

}  // namespace weft::profile
