#include "backends/schedule/schedule.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weft::backends {
namespace {

struct Token {
  std::string text;  // empty at the end
  int line = 1;
};

// Names (with the characters that lowered paths hold besides letters), numbers and single punctuation
// characters.
std::vector<Token> Tokenize(absl::string_view text) {
  std::vector<Token> tokens;
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    if (c == '\n') ++line;
    if (absl::ascii_isspace(c)) {
      ++i;
    } else if (c == '/' && i + 1 < text.size() && text[i + 1] == '/') {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (absl::ascii_isalnum(c) || c == '_') {
      size_t end = i;
      while (end < text.size() && (absl::ascii_isalnum(text[end]) || text[end] == '_' || text[end] == '#'))
        ++end;
      tokens.push_back({std::string(text.substr(i, end - i)), line});
      i = end;
    } else {
      tokens.push_back({std::string(1, c), line});
      ++i;
    }
  }
  tokens.push_back({"", line});
  return tokens;
}

const std::set<std::string>& Words() {
  static const auto& words = *new std::set<std::string>{
      "knob",    "split",     "join", "order",  "parallel",  "vectorize", "unroll", "pack",
      "overlap", "transpose", "pad",  "inline", "recompute", "at",        "by",     "into"};
  return words;
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : tokens_(Tokenize(text)) {}

  absl::StatusOr<Schedule> Run() {
    while (!Peek().text.empty()) {
      if (auto s = Expect("schedule"); !s.ok()) return s;
      auto path = Path();
      if (!path.ok()) return path.status();
      if (TakeIf("on")) {
        std::string machine = Take().text;
        if (machine != "cpu") return Error(absl::StrCat("`on cpu`, not `on ", machine, "`"));
      }
      if (auto s = Block(*path); !s.ok()) return s;
    }
    return std::move(result_);
  }

 private:
  const Token& Peek() const { return tokens_[at_]; }
  Token Take() {
    Token token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool TakeIf(absl::string_view text) {
    if (Peek().text != text) return false;
    Take();
    return true;
  }
  absl::Status Error(absl::string_view expected) const {
    return absl::InvalidArgumentError(
        absl::StrCat("schedule, line ", Peek().line, ": expected ", expected, " before ",
                     Peek().text.empty() ? "the end" : absl::StrCat("`", Peek().text, "`")));
  }
  absl::Status Expect(absl::string_view text) {
    return TakeIf(text) ? absl::OkStatus() : Error(absl::StrCat("`", text, "`"));
  }
  bool AtName() const {
    const std::string& text = Peek().text;
    return !text.empty() && (absl::ascii_isalnum(text[0]) || text[0] == '_') && !Words().count(text);
  }
  absl::StatusOr<std::string> Name() {
    if (!AtName()) return Error("a name");
    return Take().text;
  }
  // A directive's word is a name like any other where only a path can stand, and before a dot.
  bool AtPathWithDot() const {
    const std::string& text = Peek().text;
    return !text.empty() && (absl::ascii_isalnum(text[0]) || text[0] == '_') && at_ + 1 < tokens_.size() &&
           tokens_[at_ + 1].text == ".";
  }
  absl::StatusOr<std::string> Path() {
    if (!AtName() && !AtPathWithDot()) return Error("a name");
    absl::StatusOr<std::string> path = Take().text;
    while (TakeIf(".")) {
      if (Peek().text.empty()) return Error("a name");
      absl::StrAppend(&*path, ".", Take().text);
    }
    return path;
  }
  absl::StatusOr<int64_t> Number() {
    int64_t value;
    auto knob = knobs_.find(Peek().text);
    if (knob != knobs_.end()) {
      Take();
      return knob->second;
    }
    if (!absl::SimpleAtoi(Peek().text, &value) || value < 1) return Error("a number above 0 or a knob");
    Take();
    return value;
  }

  EquationSchedule& Of(const std::string& path) {
    for (auto& equation : result_.equations) {
      if (equation.path == path) return equation;
    }
    result_.equations.push_back({path, {}});
    return result_.equations.back();
  }

  absl::Status NameList(Directive& directive) {
    if (!AtName()) return Error("a name");
    // A name followed by `.`, `{` or `at` starts the next directive.
    while (AtName() && !StartsNested()) directive.names.push_back(Take().text);
    return absl::OkStatus();
  }
  bool StartsNested() const {
    if (at_ + 1 >= tokens_.size()) return false;
    const std::string& next = tokens_[at_ + 1].text;
    return next == "." || next == "{" || next == "at";
  }

  absl::Status Block(const std::string& path) {
    if (auto s = Expect("{"); !s.ok()) return s;
    Of(path);
    while (!TakeIf("}")) {
      if (Peek().text.empty()) return Error("`}`");
      if (auto s = One(path); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status One(const std::string& path) {
    Directive d{DirectiveKind::kInline, {}};
    d.line = Peek().line;
    if (AtPathWithDot()) return Nested(path, d);
    if (TakeIf("knob")) {
      auto name = Name();
      if (!name.ok()) return name.status();
      if (auto s = Expect("in"); !s.ok()) return s;
      bool braces = TakeIf("{");
      auto value = Number();
      if (!value.ok()) return value.status();
      knobs_[*name] = *value;
      if (braces) {
        while (TakeIf(",")) {
          if (auto more = Number(); !more.ok()) return more.status();
        }
        return Expect("}");
      }
      if (auto s = Expect("."); !s.ok()) return s;
      if (auto s = Expect("."); !s.ok()) return s;
      return Number().status();
    }
    if (TakeIf("split")) {
      d.kind = DirectiveKind::kSplit;
      auto loop = Name();
      if (!loop.ok()) return loop.status();
      if (auto s = Expect("by"); !s.ok()) return s;
      auto factor = Number();
      if (!factor.ok()) return factor.status();
      if (auto s = Expect("into"); !s.ok()) return s;
      auto outer = Name();
      if (!outer.ok()) return outer.status();
      if (auto s = Expect(","); !s.ok()) return s;
      auto inner = Name();
      if (!inner.ok()) return inner.status();
      d.factor = *factor;
      d.names = {*loop, *outer, *inner};
    } else if (TakeIf("join")) {
      d.kind = DirectiveKind::kJoin;
      if (auto s = NameList(d); !s.ok()) return s;
      if (auto s = Expect("into"); !s.ok()) return s;
      auto into = Name();
      if (!into.ok()) return into.status();
      d.names.push_back(*into);
    } else if (TakeIf("order")) {
      d.kind = DirectiveKind::kOrder;
      while (true) {
        if (TakeIf("|")) {
          if (d.bar2 >= 0) return Error("at most two bars");
          (d.bar1 < 0 ? d.bar1 : d.bar2) = static_cast<int>(d.names.size());
        } else if (AtName() && !StartsNested()) {
          d.names.push_back(Take().text);
        } else {
          break;
        }
      }
      if (d.names.empty()) return Error("a name");
      if (d.bar1 >= 0 && d.bar2 < 0) return Error("a second `|`");
    } else if (TakeIf("parallel")) {
      d.kind = DirectiveKind::kParallel;
      if (auto s = NameList(d); !s.ok()) return s;
    } else if (TakeIf("vectorize")) {
      d.kind = DirectiveKind::kVectorize;
      if (auto s = NameList(d); !s.ok()) return s;
    } else if (TakeIf("unroll")) {
      d.kind = DirectiveKind::kUnroll;
      if (auto s = NameList(d); !s.ok()) return s;
    } else if (TakeIf("overlap")) {
      d.kind = DirectiveKind::kOverlap;
      if (auto s = NameList(d); !s.ok()) return s;
    } else if (TakeIf("transpose")) {
      d.kind = DirectiveKind::kTranspose;
      d.names = {"", ""};
      if (TakeIf("at")) {
        auto loop = Path();
        if (!loop.ok()) return loop.status();
        size_t dot = loop->rfind('.');
        d.names = {dot == std::string::npos ? "" : loop->substr(0, dot),
                   dot == std::string::npos ? *loop : loop->substr(dot + 1)};
      }
    } else if (TakeIf("pad")) {
      d.kind = DirectiveKind::kPad;
      if (TakeIf("at")) {
        auto loop = Name();
        if (!loop.ok()) return loop.status();
        d.names = {*loop};
      }
    } else if (TakeIf("inline")) {
      auto inner = Path();
      if (!inner.ok()) return inner.status();
      Of(Inside(path, *inner)).directives.push_back(d);
      return absl::OkStatus();
    } else if (AtName()) {
      return Nested(path, d);
    } else if (Peek().text == "pack" || Peek().text == "recompute") {
      return absl::InvalidArgumentError(
          absl::StrCat("schedule, line ", Peek().line, ": `", Peek().text,
                       "` cannot be said of a kernel: it is decided before kernels are cut"));
    } else {
      return Error("a directive");
    }
    Of(path).directives.push_back(d);
    return absl::OkStatus();
  }

  // PATH { ... } or PATH at EQUATION.LOOP
  absl::Status Nested(const std::string& path, Directive d) {
    auto inner = Path();
    if (!inner.ok()) return inner.status();
    std::string full = Inside(path, *inner);
    if (Peek().text == "{") return Block(full);
    if (auto s = Expect("at"); !s.ok()) return s;
    auto target = Path();
    if (!target.ok()) return target.status();
    d.kind = DirectiveKind::kAt;
    size_t dot = target->rfind('.');
    if (*target == "root") {
      d.names = {"", ""};
    } else if (dot == std::string::npos) {
      return Error("an equation and one of its loops, as in `score.io`,");
    } else {
      d.names = {target->substr(0, dot), target->substr(dot + 1)};
    }
    Of(full).directives.push_back(d);
    return absl::OkStatus();
  }

  // A path inside a block is relative to it, unless it repeats the block's own path.
  static std::string Inside(const std::string& block, const std::string& path) {
    if (path == block || absl::string_view(path).substr(0, block.size() + 1) == absl::StrCat(block, "."))
      return path;
    return absl::StrCat(block, ".", path);
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::map<std::string, int64_t> knobs_;
  Schedule result_;
};

bool IsLoopDirective(DirectiveKind kind) {
  return kind != DirectiveKind::kAt && kind != DirectiveKind::kInline;
}

bool HasSuffix(absl::string_view path, absl::string_view suffix) {
  if (path == suffix) return true;
  return path.size() > suffix.size() && path.substr(path.size() - suffix.size()) == suffix &&
         path[path.size() - suffix.size() - 1] == '.';
}

void Merge(const EquationSchedule& user, EquationSchedule& into) {
  bool restructures = false;
  std::set<DirectiveKind> kinds;
  for (const Directive& d : user.directives) {
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
  merged.insert(merged.end(), user.directives.begin(), user.directives.end());
  into.directives = std::move(merged);
}

}  // namespace

absl::StatusOr<Schedule> ParseSchedule(absl::string_view text) { return Parser(text).Run(); }

std::string PrintSchedule(const Schedule& schedule) {
  std::string out;
  for (const EquationSchedule& equation : schedule.equations) {
    absl::StrAppend(&out, "schedule ", equation.path, " {\n");
    for (const Directive& d : equation.directives) {
      absl::StrAppend(&out, "  ");
      switch (d.kind) {
        case DirectiveKind::kSplit:
          absl::StrAppend(&out, "split ", d.names[0], " by ", d.factor, " into ", d.names[1], ", ",
                          d.names[2]);
          break;
        case DirectiveKind::kJoin:
          absl::StrAppend(&out, "join ", absl::StrJoin(d.names.begin(), d.names.end() - 1, " "), " into ",
                          d.names.back());
          break;
        case DirectiveKind::kOrder:
          absl::StrAppend(&out, "order");
          for (int i = 0; i <= static_cast<int>(d.names.size()); ++i) {
            if (i == d.bar1) absl::StrAppend(&out, " |");
            if (i == d.bar2) absl::StrAppend(&out, " |");
            if (i < static_cast<int>(d.names.size())) absl::StrAppend(&out, " ", d.names[i]);
          }
          break;
        case DirectiveKind::kParallel:
          absl::StrAppend(&out, "parallel ", absl::StrJoin(d.names, " "));
          break;
        case DirectiveKind::kVectorize:
          absl::StrAppend(&out, "vectorize ", absl::StrJoin(d.names, " "));
          break;
        case DirectiveKind::kUnroll:
          absl::StrAppend(&out, "unroll ", absl::StrJoin(d.names, " "));
          break;
        case DirectiveKind::kOverlap:
          absl::StrAppend(&out, "overlap ", absl::StrJoin(d.names, " "));
          break;
        case DirectiveKind::kTranspose:
          absl::StrAppend(&out, "transpose", d.names[1].empty() ? "" : " at ", d.names[0],
                          d.names[0].empty() ? "" : ".", d.names[1]);
          break;
        case DirectiveKind::kPad:
          absl::StrAppend(&out, "pad");
          if (!d.names.empty()) absl::StrAppend(&out, " at ", d.names[0]);
          break;
        case DirectiveKind::kInline:
          absl::StrAppend(&out, "inline ", equation.path);
          break;
        case DirectiveKind::kAt:
          absl::StrAppend(
              &out, equation.path, " at ",
              d.names[0].empty() ? std::string("root") : absl::StrCat(d.names[0], ".", d.names[1]));
          break;
      }
      absl::StrAppend(&out, "\n");
    }
    absl::StrAppend(&out, "}\n");
  }
  return out;
}

absl::Status OverrideSchedules(const Schedule& user, const std::vector<Schedule*>& kernels) {
  std::vector<std::string> paths;
  for (const Schedule* kernel : kernels) {
    for (const EquationSchedule& equation : kernel->equations) paths.push_back(equation.path);
  }
  for (const EquationSchedule& wanted : user.equations) {
    if (wanted.directives.empty()) continue;  // a block that only holds blocks
    std::set<std::string> fits;
    for (const std::string& path : paths) {
      if (path == wanted.path) {
        fits = {path};
        break;
      }
      if (HasSuffix(path, wanted.path)) fits.insert(path);
    }
    int line = wanted.directives.front().line;
    if (fits.empty()) {
      // Compared without what the path begins with, since any suffix may be written.
      std::vector<std::string> suffixes;
      for (const std::string& path : paths) {
        for (size_t at = 0; at != std::string::npos; at = path.find('.', at + 1)) {
          suffixes.push_back(at == 0 ? path : path.substr(at + 1));
        }
      }
      std::string nearest = NearestName(wanted.path, suffixes);
      return absl::NotFoundError(
          absl::StrCat("schedule, line ", line, ": no kernel computes `", wanted.path, "`",
                       nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?")));
    }
    if (fits.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat("schedule, line ", line, ": `", wanted.path, "` can be ",
                                                     absl::StrJoin(fits, " or ")));
    }
    for (Schedule* kernel : kernels) {
      for (EquationSchedule& equation : kernel->equations) {
        if (equation.path == *fits.begin()) Merge(wanted, equation);
      }
    }
  }
  return absl::OkStatus();
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
