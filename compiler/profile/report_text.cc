#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "compiler/profile/report.h"

namespace weft::profile {
namespace {

constexpr size_t kColumns = 110;
constexpr size_t kMostNames = 4;

// "12.3 MB": three digits and a prefix.
std::string Amount(double value, absl::string_view unit) {
  static constexpr const char* kPrefixes[] = {"n", "u", "m", "", "k", "M", "G", "T"};
  size_t prefix = 3;
  if (value > 0) {
    for (; value >= 999.5 && prefix < 7; ++prefix) value /= 1000;
    for (; value < 0.9995 && prefix > 0; --prefix) value *= 1000;
  }
  int digits = value >= 99.95 || value == 0 ? 0 : value >= 9.995 ? 1 : 2;
  return absl::StrFormat("%.*f %s%s", digits, value, kPrefixes[prefix], unit);
}

// Operations and bytes are counted: there are no parts of them.
std::string Count(double value, absl::string_view unit) {
  return value < 999.5 ? absl::StrFormat("%.0f %s", value, unit) : Amount(value, unit);
}

std::string Percent(double part, double whole) {
  double share = part / std::max(whole, 1e-30);
  return share < 0.0005 ? "< 0.1 %" : absl::StrFormat("%.*f %%", share < 0.0995 ? 1 : 0, 100 * share);
}

std::string Plural(double count, std::string_view what) {
  return absl::StrFormat("%.4g %s%s", count, std::string(what),
                         count == 1            ? ""
                         : what.ends_with('h') ? "es"
                                               : "s");
}

// The first names, and how many more there are.
std::string SomeOf(const std::vector<std::string>& names) {
  size_t shown = names.size() <= kMostNames + 1 ? names.size() : kMostNames;
  std::string text = absl::StrJoin(names.begin(), names.begin() + static_cast<int64_t>(shown), ", ");
  if (shown < names.size()) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

// Without its folders.
std::string ShortPlace(const std::string& place) { return place.substr(place.rfind('/') + 1); }

void AddOnce(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

std::string Wrapped(absl::string_view text, size_t indent, absl::string_view first) {
  std::string all, line(first);
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (line.size() > indent && line.size() + 1 + word.size() > kColumns) {
      absl::StrAppend(&all, line, "\n");
      line = std::string(indent + 2, ' ');
    } else if (line.size() > indent && line.back() != ' ') {
      line += ' ';
    }
    absl::StrAppend(&line, word);
  }
  return absl::StrCat(all, line, "\n");
}

class Printer {
 public:
  Printer(const KernelTable& table, const MethodTable& method) : table_(table), method_(method) {}

  std::string Run() {
    std::string text = Head();
    for (size_t i = 0; i < method_.kernels.size(); ++i) {
      std::string number = absl::StrFormat("%3d  ", i + 1);
      const KernelRow& kernel = method_.kernels[i];
      absl::StrAppend(&text, Wrapped(What(kernel), 5, number));
      absl::StrAppend(&text, Wrapped(HowMuch(kernel.totals, First(kernel)), 5, "     "));
      for (const std::string& line : Apart(kernel)) absl::StrAppend(&text, Wrapped(line, 5, "     "));
    }
    return text;
  }

 private:
  const Launch& First(const KernelRow& kernel) const {
    return method_.launches[kernel.launches.front()].launch;
  }

  std::string Head() const {
    const Totals& totals = method_.totals;
    std::string name =
        method_.method.empty() ? "when the program starts" : absl::StrCat("method ", method_.method);
    if (!method_.sizes.empty()) absl::StrAppend(&name, " for ", method_.sizes);
    std::string text = absl::StrCat(name, ": ", Plural(static_cast<double>(method_.kernels.size()), "kernel"),
                                    ", ", Plural(static_cast<double>(method_.launches.size()), "launch"));
    if (totals.calls && *totals.calls != static_cast<double>(method_.launches.size()))
      absl::StrAppend(&text, ", ", Plural(*totals.calls, "call"));
    absl::StrAppend(&text, WorkOf(totals));
    if (totals.limit)
      absl::StrAppend(&text, "; at least ", Amount(*totals.limit, "s"), " on ",
                      Plural(table_.limits.all.threads, "thread"));
    if (totals.measured && *totals.measured > 0) {
      absl::StrAppend(&text, "; measured ", Amount(*totals.measured, "s"));
      if (totals.limit)
        absl::StrAppend(&text, ", ", Percent(*totals.limit, *totals.measured), " of the limit");
      if (method_.run_seconds) absl::StrAppend(&text, "; a run takes ", Amount(*method_.run_seconds, "s"));
    }
    return Wrapped(text, 0, "");
  }

  static std::string WorkOf(const Totals& totals) {
    if (!totals.bytes || !totals.flops) return "; sizes or data decide the work";
    return absl::StrCat(", ", Count(*totals.flops, "FLOP"), ", ", Count(*totals.bytes, "B"), " moved");
  }

  // Its name, its lines, what is fused.
  std::string What(const KernelRow& kernel) const {
    const Launch& first = First(kernel);
    std::vector<std::string> equations, places, others;
    for (const KernelEquation& each : first.equations) {
      AddOnce(places, ShortPlace(each.equation.place));
      std::vector<std::string> fused;
      for (const EquationPlace& part : each.fused) {
        AddOnce(fused, part.path);
        AddOnce(places, ShortPlace(part.place));
      }
      equations.push_back(fused.empty() ? each.equation.path
                                        : absl::StrCat(each.equation.path, " (with ", SomeOf(fused), ")"));
    }
    for (size_t i : kernel.launches) AddOnce(others, method_.launches[i].launch.name);
    std::string text = absl::StrCat(absl::StrJoin(equations, ", "), ": ", first.kernel_class, ", ",
                                    places.empty() ? "no line" : absl::StrJoin(places, ", "));
    if (others.size() > 1) {
      others.erase(others.begin());
      absl::StrAppend(&text, "; as well for ", SomeOf(others));
    }
    return text;
  }

  std::string HowMuch(const Totals& totals, const Launch& first) const {
    std::string text = totals.calls ? Plural(*totals.calls, "call") : "calls that sizes or data decide";
    absl::StrAppend(&text, WorkOf(totals));
    if (first.parallel.empty()) {
      absl::StrAppend(&text, "; one thread");
    } else {
      absl::StrAppend(&text, "; ", first.tasks ? Plural(static_cast<double>(*first.tasks), "task") : "tasks",
                      " over ", absl::StrJoin(first.parallel, ", "));
    }
    if (totals.limit) {
      absl::StrAppend(&text, "; at least ", Amount(*totals.limit, "s"),
                      totals.moving ? ", moving" : ", computing");
      if (method_.totals.limit && !totals.measured)
        absl::StrAppend(&text, " (", Percent(*totals.limit, *method_.totals.limit), " of all)");
    }
    if (totals.measured && *totals.measured > 0) {
      absl::StrAppend(&text, "; measured ", Amount(*totals.measured, "s"));
      if (totals.limit)
        absl::StrAppend(&text, ", ", Percent(*totals.limit, *totals.measured), " of the limit");
      absl::StrAppend(&text, ", ", Percent(*totals.measured, method_.totals.measured.value_or(0)),
                      " of the time");
    }
    return text;
  }

  // One line for each reason.
  std::vector<std::string> Apart(const KernelRow& kernel) const {
    std::vector<std::string> reasons;
    std::map<std::string, std::vector<std::string>> from;
    for (size_t i : kernel.launches) {
      for (const auto& [maker, because] : method_.launches[i].launch.apart) {
        AddOnce(reasons, because);
        AddOnce(from[because], maker);
      }
    }
    for (std::string& because : reasons)
      because = absl::StrCat("apart from ", SomeOf(from[because]), ": ", because);
    return reasons;
  }

  const KernelTable& table_;
  const MethodTable& method_;
};

}  // namespace

std::string ToText(const KernelTable& table) {
  std::vector<std::string> texts;
  for (const MethodTable& method : table.methods) texts.push_back(Printer(table, method).Run());
  return absl::StrCat("entry ", table.entry, "\n\n", absl::StrJoin(texts, "\n"));
}

}  // namespace weft::profile
