#ifndef WEFT_DSL_BASE_DIAGNOSTIC_H_
#define WEFT_DSL_BASE_DIAGNOSTIC_H_

// What the compiler tells the author of a file. A mistake of the user is reported to a Diagnostics sink; it
// never travels in a Status.
//
//   diags.Report(name.span, kUnknownName, name.text)
//       .Label(scope.span, "searched here")
//       .Note(other.span, "`softmax` is declared here")
//       .Suggest("did you mean `softmax`?");
//
// Wording: lower case, no full stop, code in backticks, say what was observed and not only what was expected.

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "dsl/base/span.h"

namespace weft::dsl {

enum class Severity { kError, kWarning };

enum class KindId : int {
#define WEFT_DIAGNOSTIC(name, code, severity, message, ...) name,
#include "dsl/base/diagnostic_kinds.def"
#undef WEFT_DIAGNOSTIC
};

// What all diagnostics of one kind share. `message` holds {0}, {1}, ... for the arguments.
struct KindInfo {
  KindId id;
  const char* name;  // "kUnknownName"
  const char* code;  // "unknown-name", what the user sees and asks `weft explain` about
  Severity severity;
  const char* message;
};

const std::vector<KindInfo>& AllKinds();
const KindInfo& InfoOf(KindId id);
// Null if no kind has that code.
const KindInfo* FindKind(absl::string_view code);

// A kind together with the types of its arguments, so that a report with wrong arguments does not compile.
template <typename... Args>
struct DiagnosticKind {
  KindId id;
};

using Text = std::string;  // the type of an argument that is text
using Count = int64_t;     // the type of an argument that is a number

#define WEFT_DIAGNOSTIC(name, code, severity, message, ...) \
  inline constexpr DiagnosticKind<__VA_ARGS__> name{KindId::name};
#include "dsl/base/diagnostic_kinds.def"
#undef WEFT_DIAGNOSTIC

struct Diagnostic {
  // A further part of the excerpt, underlined with dashes.
  struct LabelledSpan {
    Span span;
    std::string text;
  };
  // A sentence below the excerpt, with an excerpt of its own if it has a place.
  struct NoteText {
    Span span;
    std::string text;
  };

  KindId kind;
  Severity severity;
  Span span;
  std::string message;
  std::vector<LabelledSpan> labels;
  std::vector<NoteText> notes;
  size_t trail = 0;  // so many notes at the end say how the compiler came here
  std::vector<std::string> suggestions;
};

class Diagnostics;

// Adds to a report just made. Usable until the next report.
class DiagnosticBuilder {
 public:
  DiagnosticBuilder() = default;  // of a report that was dropped: adds to nothing
  DiagnosticBuilder& Label(Span span, absl::string_view text);
  DiagnosticBuilder& Note(Span span, absl::string_view text);
  DiagnosticBuilder& Note(absl::string_view text) { return Note(Span(), text); }
  // As Note, but behind all notes: how the compiler came here, which is no cause.
  DiagnosticBuilder& Trail(Span span, absl::string_view text);
  DiagnosticBuilder& Suggest(absl::string_view text);
  // "did you mean `x`?" with the nearest of `candidates`; nothing if none is near.
  DiagnosticBuilder& SuggestNearest(absl::string_view wrong, const std::vector<std::string>& candidates);

 private:
  friend class Diagnostics;
  explicit DiagnosticBuilder(Diagnostic* target) : target_(target) {}
  Diagnostic* target_ = nullptr;  // null: the report was dropped
};

// Collects reports. A second one at the same place is dropped if it is of the same kind or both are errors:
// checking an op once per instance must not repeat its errors, nor report what follows from them.
class Diagnostics {
 public:
  template <typename... Args>
  DiagnosticBuilder Report(Span span, DiagnosticKind<Args...> kind,
                           const std::type_identity_t<Args>&... args) {
    return Add(kind.id, span, {absl::StrCat(args)...});
  }

  // Counts an error as found that repeats what was reported at another place.
  void CountRepeated() { ++errors_found_; }

  // In the order of the files and the places in them.
  std::vector<Diagnostic> Sorted() const;
  const std::vector<Diagnostic>& reports() const { return reports_; }
  int error_count() const { return error_count_; }
  bool has_errors() const { return error_count_ > 0; }
  // How many errors were found, dropped ones included: whether a step went well is told by this.
  int errors_found() const { return errors_found_; }
  // Takes over what another sink collected (after a part was checked on trial, say).
  void Append(const Diagnostics& other);

 private:
  DiagnosticBuilder Add(KindId kind, Span span, const std::vector<std::string>& args);

  bool IsNew(const Diagnostic& report);

  std::vector<Diagnostic> reports_;
  std::set<std::tuple<int, int32_t, int32_t, int32_t>> seen_;
  int error_count_ = 0;
  int errors_found_ = 0;
};

// The candidate that `wrong` most likely means: smallest edit distance (a swap of neighbours counts one), at
// most a third of its length; a candidate that differs only in case always counts. Empty if none is near.
std::string NearestName(absl::string_view wrong, const std::vector<std::string>& candidates);

}  // namespace weft::dsl

#endif  // WEFT_DSL_BASE_DIAGNOSTIC_H_
