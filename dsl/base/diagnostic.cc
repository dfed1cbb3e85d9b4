#include "dsl/base/diagnostic.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace weft::dsl {
namespace {

// Puts `args` for {0}, {1}, ... of the kind's message. Other braces stay as they are.
std::string FillIn(absl::string_view message, const std::vector<std::string>& args) {
  std::string out;
  for (size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '{' && i + 2 < message.size() && message[i + 2] == '}' && message[i + 1] >= '0' &&
        static_cast<size_t>(message[i + 1] - '0') < args.size()) {
      out += args[message[i + 1] - '0'];
      i += 2;
    } else {
      out += message[i];
    }
  }
  return out;
}

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// Nobody reads more; the rest is only counted.
constexpr int kMostErrors = 300;

}  // namespace

const std::vector<KindInfo>& AllKinds() {
  static const std::vector<KindInfo>* kinds = new std::vector<KindInfo>{
#define WEFT_DIAGNOSTIC(name, code, severity, message, ...) \
  {KindId::name, #name, code, Severity::severity, message},
#include "dsl/base/diagnostic_kinds.def"
#undef WEFT_DIAGNOSTIC
  };
  return *kinds;
}

const KindInfo& InfoOf(KindId id) { return AllKinds()[static_cast<int>(id)]; }

const KindInfo* FindKind(absl::string_view code) {
  for (const KindInfo& kind : AllKinds()) {
    if (code == kind.code) return &kind;
  }
  return nullptr;
}

DiagnosticBuilder& DiagnosticBuilder::Label(Span span, absl::string_view text) {
  if (target_) target_->labels.push_back({span, std::string(text)});
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::Note(Span span, absl::string_view text) {
  if (!target_) return *this;
  std::vector<Diagnostic::NoteText>& notes = target_->notes;
  notes.insert(notes.end() - static_cast<std::ptrdiff_t>(target_->trail), {span, std::string(text)});
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::Trail(Span span, absl::string_view text) {
  if (!target_) return *this;
  target_->notes.push_back({span, std::string(text)});
  ++target_->trail;
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::Suggest(absl::string_view text) {
  if (target_) target_->suggestions.emplace_back(text);
  return *this;
}

DiagnosticBuilder& DiagnosticBuilder::SuggestNearest(absl::string_view wrong,
                                                     const std::vector<std::string>& candidates) {
  if (!target_) return *this;
  std::string nearest = NearestName(wrong, candidates);
  return nearest.empty() ? *this : Suggest(absl::StrCat("did you mean `", nearest, "`?"));
}

bool Diagnostics::IsNew(const Diagnostic& report) {
  constexpr int kAnyError = -1;
  bool is_error = report.severity == Severity::kError;
  errors_found_ += is_error;
  const Span& s = report.span;
  bool is_new =
      seen_.insert({is_error ? kAnyError : static_cast<int>(report.kind), s.file, s.begin, s.end}).second;
  if (is_new) error_count_ += is_error;
  return is_new;
}

DiagnosticBuilder Diagnostics::Add(KindId kind, Span span, const std::vector<std::string>& args) {
  const KindInfo& info = InfoOf(kind);
  Diagnostic report;
  report.kind = kind;
  report.severity = info.severity;
  report.span = span;
  if (!IsNew(report) || error_count_ > kMostErrors) return DiagnosticBuilder(nullptr);
  report.message = FillIn(info.message, args);
  reports_.push_back(std::move(report));
  return DiagnosticBuilder(&reports_.back());
}

std::vector<Diagnostic> Diagnostics::Sorted() const {
  std::vector<const Diagnostic*> order;
  for (const Diagnostic& report : reports_) order.push_back(&report);
  std::sort(order.begin(), order.end(), [](const Diagnostic* a, const Diagnostic* b) {
    return std::tie(a->span.file, a->span.begin, a) < std::tie(b->span.file, b->span.begin, b);
  });
  std::vector<Diagnostic> sorted;
  for (const Diagnostic* report : order) sorted.push_back(*report);
  return sorted;
}

void Diagnostics::Append(const Diagnostics& other) {
  for (const Diagnostic& report : other.reports_) {
    if (IsNew(report) && error_count_ <= kMostErrors) reports_.push_back(report);
  }
}

std::string NearestName(absl::string_view wrong, const std::vector<std::string>& candidates) {
  // Longer names are no slips of the finger, and the distance is quadratic.
  constexpr size_t kLongest = 100;
  std::string nearest;
  if (wrong.size() > kLongest) return nearest;
  int limit = std::max<int>(1, static_cast<int>(wrong.size()) / 3);
  int best = limit + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > kLongest || candidate == wrong) continue;
    int distance = absl::EqualsIgnoreCase(wrong, candidate) ? 0 : EditDistance(wrong, candidate);
    // A single letter is near to every other: only its case may be wrong.
    if (distance > 0 && static_cast<size_t>(distance) >= std::min(wrong.size(), candidate.size())) continue;
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace weft::dsl
