#include "backends/schedule/schedule.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dsl/parser/parser.h"

namespace weft::backends {
namespace {

bool IsLoopDirective(DirectiveKind kind) {
  return kind != DirectiveKind::kAt && kind != DirectiveKind::kInline && kind != DirectiveKind::kSpecialize;
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

bool IsName(absl::string_view text) {
  auto is_part = [](char c) { return absl::ascii_isalnum(c) || c == '_'; };
  return !text.empty() && !absl::ascii_isdigit(text[0]) && std::all_of(text.begin(), text.end(), is_part);
}

std::string PrintLoops(std::vector<std::string>::const_iterator begin,
                       std::vector<std::string>::const_iterator end) {
  return absl::StrJoin(begin, end, " ",
                       [](std::string* out, const std::string& name) { *out += PrintLoop(name); });
}

std::string PrintLoops(const std::vector<std::string>& names) {
  return PrintLoops(names.begin(), names.end());
}

std::string PrintPath(absl::string_view path) {
  std::vector<std::string> parts;
  for (absl::string_view part : absl::StrSplit(path, '.')) {
    bool is_number = !part.empty() && std::all_of(part.begin(), part.end(), absl::ascii_isdigit);
    // A number begins no path.
    bool is_plain = IsName(part) || (is_number && !parts.empty());
    parts.push_back(is_plain ? std::string(part) : Quoted(part));
  }
  // A word alone is a directive.
  if (parts.size() == 1 && dsl::IsScheduleWord(parts[0])) parts[0] = Quoted(parts[0]);
  return absl::StrJoin(parts, ".");
}

std::string PrintPlace(const std::vector<std::string>& names) {
  return absl::StrCat(names[0].empty() ? "" : absl::StrCat(PrintPath(names[0]), "."), PrintLoop(names[1]));
}

std::string PrintOrder(const Directive& d) {
  std::string out = "order";
  for (int i = 0; i <= static_cast<int>(d.names.size()); ++i) {
    if (i == d.bar1) absl::StrAppend(&out, " |");
    if (i == d.bar2) absl::StrAppend(&out, " |");
    if (i < static_cast<int>(d.names.size())) absl::StrAppend(&out, " ", PrintLoop(d.names[i]));
  }
  return out;
}

std::string PrintDirective(const Directive& d) {
  switch (d.kind) {
    case DirectiveKind::kSplit:
      return absl::StrCat("split ", PrintLoop(d.names[0]), " by ", d.factor, " into ", PrintLoop(d.names[1]),
                          ", ", PrintLoop(d.names[2]));
    case DirectiveKind::kJoin:
      return absl::StrCat("join ", PrintLoops(d.names.begin(), d.names.end() - 1), " into ",
                          PrintLoop(d.names.back()));
    case DirectiveKind::kOrder:
      return PrintOrder(d);
    case DirectiveKind::kParallel:
      return absl::StrCat("parallel ", PrintLoops(d.names));
    case DirectiveKind::kVectorize:
      return absl::StrCat("vectorize ", PrintLoops(d.names));
    case DirectiveKind::kUnroll:
      return absl::StrCat("unroll ", PrintLoops(d.names));
    case DirectiveKind::kOverlap:
      return absl::StrCat("overlap ", PrintLoops(d.names));
    case DirectiveKind::kPrefetch:
      return absl::StrCat("prefetch ", PrintLoops(d.names));
    case DirectiveKind::kSpecialize:
      return absl::StrCat("specialize ", PrintLoop(d.names[0]), " in {", absl::StrJoin(d.lengths, ", "), "}");
    case DirectiveKind::kTranspose:
      return d.names[1].empty() ? "transpose" : absl::StrCat("transpose at ", PrintPlace(d.names));
    case DirectiveKind::kPad:
      return d.names.empty() ? "pad" : absl::StrCat("pad at ", PrintLoop(d.names[0]));
    case DirectiveKind::kInline:
      return "inline this";
    case DirectiveKind::kAt:
      return absl::StrCat("this at ", d.names[0].empty() ? "root" : PrintPlace(d.names));
  }
  return "";
}

}  // namespace

std::string PrintLoop(const std::string& name) {
  return IsName(name) && !dsl::IsScheduleWord(name) ? name : Quoted(name);
}

std::string LoopWithin(std::string loop, const std::vector<Directive>& directives, LoopPart part) {
  for (const Directive& d : directives) {
    bool is_joined = d.kind == DirectiveKind::kJoin &&
                     std::find(d.names.begin(), d.names.end() - 1, loop) != d.names.end() - 1;
    if (is_joined) loop = d.names.back();
  }
  for (bool found = true; found;) {
    auto split = std::find_if(directives.begin(), directives.end(), [&](const Directive& d) {
      return d.kind == DirectiveKind::kSplit && d.names[0] == loop;
    });
    found = split != directives.end();
    if (found) loop = split->names[part == LoopPart::kOuter ? 1 : 2];
  }
  return loop;
}

bool HasSuffix(absl::string_view path, absl::string_view suffix) {
  if (path == suffix) return true;
  return path.size() > suffix.size() && path.substr(path.size() - suffix.size()) == suffix &&
         path[path.size() - suffix.size() - 1] == '.';
}

void Override(const std::vector<Directive>& user, EquationSchedule& into) {
  bool restructures = false;
  std::set<DirectiveKind> kinds;
  for (const Directive& d : user) {
    kinds.insert(d.kind);
    restructures |=
        d.kind == DirectiveKind::kSplit || d.kind == DirectiveKind::kJoin || d.kind == DirectiveKind::kOrder;
  }
  if (kinds.count(DirectiveKind::kAt)) kinds.insert(DirectiveKind::kInline);
  if (kinds.count(DirectiveKind::kInline)) kinds.insert(DirectiveKind::kAt);
  std::vector<Directive> merged;
  for (const Directive& d : into.directives) {
    if (kinds.count(d.kind) || (restructures && IsLoopDirective(d.kind))) continue;
    merged.push_back(d);
  }
  size_t kept = merged.size();
  merged.insert(merged.end(), user.begin(), user.end());
  if (!restructures) {
    for (size_t i = kept; i < merged.size(); ++i) {
      bool is_parallel = merged[i].kind == DirectiveKind::kParallel;
      if (!is_parallel && merged[i].kind != DirectiveKind::kVectorize &&
          merged[i].kind != DirectiveKind::kUnroll)
        continue;
      for (std::string& name : merged[i].names)
        name = LoopWithin(name, into.directives, is_parallel ? LoopPart::kOuter : LoopPart::kInner);
    }
  }
  into.directives = std::move(merged);
}

std::string PrintBlock(const std::vector<std::string>& paths, const std::vector<Directive>& directives,
                       absl::string_view kernel, const std::vector<std::string>& words) {
  auto print = [](std::string* text, const std::string& path) { *text += PrintPath(path); };
  std::string out = absl::StrCat("schedule ", absl::StrJoin(paths, ",\n         ", print),
                                 kernel.empty() ? "" : absl::StrCat(" for \"", kernel, "\""), " {\n");
  for (const std::string& word : words) absl::StrAppend(&out, "  ", word, "\n");
  for (const Directive& d : directives) absl::StrAppend(&out, "  ", PrintDirective(d), "\n");
  return out + "}\n";
}

std::string PrintFusion(const std::string& path, const std::string& into) {
  std::string word = into.empty() ? "alone" : absl::StrCat("fuse into ", PrintPath(into));
  return absl::StrCat("schedule ", PrintPath(path), " {\n  ", word, "\n}\n");
}

std::string PrintSchedule(const Schedule& schedule) {
  std::string out;
  for (const EquationSchedule& equation : schedule.equations)
    out += PrintBlock({equation.path}, equation.directives);
  return out;
}

std::string NearestName(absl::string_view name, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = name.size() / 3 + 2;
  for (const std::string& candidate : known) {
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        size_t change = diagonal + (name[i - 1] != candidate[j - 1]);
        diagonal = row[j];
        row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row[candidate.size()] < best_distance) best = candidate, best_distance = row[candidate.size()];
  }
  return best;
}

}  // namespace weft::backends
