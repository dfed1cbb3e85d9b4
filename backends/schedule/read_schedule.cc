#include "backends/schedule/read_schedule.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsl/ast/expr.h"
#include "dsl/base/diagnostic_printer.h"
#include "dsl/parser/parser.h"

namespace weft::backends {

namespace ast = dsl::ast;

namespace {

constexpr int64_t kLargestFactor = int64_t{1} << 30;

class Reader {
 public:
  Reader(dsl::Diagnostics& diagnostics, std::vector<WrittenSchedule>& out)
      : diagnostics_(diagnostics), out_(out) {}

  void Read(const ast::Schedule& schedule) {
    if (schedule.target && schedule.target->text != "cpu") {
      diagnostics_
          .Report(schedule.target->span, dsl::kScheduleValue,
                  absl::StrCat("there is no target `", schedule.target->text, "`"))
          .Suggest("write `on cpu`, or nothing");
      return;
    }
    kernel_ = schedule.kernel ? schedule.kernel->text : "";
    for (const ast::Path& subject : schedule.subjects)
      ReadBlock(subject.ToString(), subject.span, schedule.directives);
  }

 private:
  struct Knob {
    std::optional<int64_t> value;  // none: it has been reported
  };

  void ReadBlock(const std::string& path, dsl::Span span,
                 const std::vector<const ast::Directive*>& directives) {
    std::map<std::string, Knob> knobs_outside = knobs_;
    std::string path_outside = std::exchange(path_, path);
    size_t own_outside = std::exchange(own_, out_.size());
    out_.push_back({path, span, kernel_, {}, std::nullopt, std::nullopt, {}});
    for (const ast::Directive* directive : directives) {
      if (directive->broken) continue;
      span_ = directive->span;
      std::visit([&](const auto& node) { Read(node); }, directive->node);
    }
    // Splits may follow.
    std::erase_if(out_[own_].packs,
                  [&](PackWord& word) { return !ResolveParts(word, out_[own_].directives, diagnostics_); });
    // What only holds blocks says nothing itself.
    if (out_[own_].SaysNothing() && out_.size() > own_ + 1) out_.erase(out_.begin() + own_);
    path_ = std::move(path_outside);
    own_ = own_outside;
    knobs_ = std::move(knobs_outside);
  }

  // Says it of the equation that the block is about.
  void Add(DirectiveKind kind, const std::vector<ast::Name>& names, int64_t factor = 0) {
    out_[own_].directives.push_back(Make(kind, names, factor));
  }

  Directive Make(DirectiveKind kind, const std::vector<ast::Name>& names, int64_t factor = 0) const {
    Directive directive{kind, {}, factor};
    directive.span = span_;
    for (const ast::Name& name : names) {
      directive.names.push_back(name.text);
      directive.name_spans.push_back(name.span);
    }
    return directive;
  }

  // A path inside a block begins where the block's ends, unless it repeats that. `this` is the block's.
  std::string Inside(const ast::Path& path) const {
    std::string text = path.ToString();
    if (text == "this") return path_;
    bool repeats = text == path_ || text.rfind(path_ + ".", 0) == 0;
    return repeats ? text : absl::StrCat(path_, ".", text);
  }

  void AddTo(const ast::Path& path, Directive directive) {
    std::string full = Inside(path);
    if (full == path_) {
      out_[own_].directives.push_back(std::move(directive));
    } else {
      out_.push_back({full, path.span, kernel_, {std::move(directive)}, std::nullopt, std::nullopt, {}});
    }
  }

  // `score.io`: an equation, which may be left out, and its loop.
  static std::vector<ast::Name> EquationAndLoop(const ast::Path& place) {
    ast::Path equation = place;
    ast::Name loop = equation.parts.back();
    equation.parts.pop_back();
    return {{equation.ToString(), place.span}, loop};
  }

  void Read(const ast::Knob& knob) {
    std::optional<int64_t> value;
    if (!knob.values.empty()) {
      value = Whole(*knob.values[0]);
      for (const ast::ExprPtr& other : knob.values) {
        if (!Whole(*other)) value = std::nullopt;
      }
    } else if (const auto* range = knob.range ? knob.range->As<ast::Range>() : nullptr) {
      value = Whole(*range->from);
      std::optional<int64_t> last = Whole(*range->to);
      if (value && last && *last < *value) {
        diagnostics_.Report(knob.range->span, dsl::kScheduleValue,
                            absl::StrCat("the knob `", knob.name.text, "` has no value: the range is empty"));
        value = std::nullopt;
      }
    } else if (knob.range) {
      diagnostics_.Report(knob.range->span, dsl::kScheduleValue,
                          absl::StrCat("the knob `", knob.name.text,
                                       "` takes its value from a range `4..16` or a list `{4, 8, 16}`"));
    }
    knobs_[knob.name.text] = {value};
  }

  // A number that loops can be split by.
  std::optional<int64_t> Whole(const ast::Expr& expr) {
    const auto* number = expr.As<ast::Number>();
    if (number && !number->is_real && number->whole >= 1 && number->whole <= kLargestFactor)
      return number->whole;
    diagnostics_.Report(expr.span, dsl::kScheduleValue,
                        absl::StrCat("this is a whole number from 1 to ", kLargestFactor,
                                     number ? absl::StrCat(", not ", number->text) : ""));
    return std::nullopt;
  }

  std::optional<int64_t> Factor(const ast::Expr& expr) {
    const auto* name = expr.As<ast::Ref>();
    if (!name) return Whole(expr);
    auto knob = knobs_.find(name->name);
    if (knob != knobs_.end()) return knob->second.value;
    std::vector<std::string> known;
    for (const auto& [other, value] : knobs_) known.push_back(other);
    diagnostics_
        .Report(expr.span, dsl::kScheduleValue,
                absl::StrCat("no knob of this block is called `", name->name, "`"))
        .SuggestNearest(name->name, known);
    return std::nullopt;
  }

  void Read(const ast::Split& split) {
    std::optional<int64_t> factor = Factor(*split.factor);
    if (factor) Add(DirectiveKind::kSplit, {split.index, split.outer, split.inner}, *factor);
  }

  void Read(const ast::Join& join) {
    std::vector<ast::Name> names = join.indices;
    names.push_back(join.into);
    Add(DirectiveKind::kJoin, names);
  }

  void Read(const ast::Order& order) {
    std::vector<ast::Name> names;
    std::vector<int> bars;
    for (const ast::Name& name : order.indices) {
      if (name.text == "|") {
        bars.push_back(static_cast<int>(names.size()));
      } else {
        names.push_back(name);
      }
    }
    if (bars.size() != 0 && bars.size() != 2) {
      diagnostics_.Report(span_, dsl::kIllegalSchedule, "an `order` has two bars or none")
          .Suggest(
              "write `order a b | r | c`: the loops outside, the reductions, and the loops inside of them");
      return;
    }
    Directive directive = Make(DirectiveKind::kOrder, names);
    if (!bars.empty()) directive.bar1 = bars[0], directive.bar2 = bars[1];
    out_[own_].directives.push_back(std::move(directive));
  }

  void Read(const ast::Mark& mark) {
    switch (mark.kind) {
      case ast::Mark::Kind::kParallel:
        return Add(DirectiveKind::kParallel, mark.indices);
      case ast::Mark::Kind::kVectorize:
        return Add(DirectiveKind::kVectorize, mark.indices);
      case ast::Mark::Kind::kUnroll:
        return Add(DirectiveKind::kUnroll, mark.indices);
      case ast::Mark::Kind::kOverlap:
        return Add(DirectiveKind::kOverlap, mark.indices);
      case ast::Mark::Kind::kPrefetch:
        return Add(DirectiveKind::kPrefetch, mark.indices);
    }
  }

  void Read(const ast::Copy& copy) {
    if (copy.kind == ast::Copy::Kind::kTranspose) {
      std::vector<ast::Name> nowhere(2);
      Add(DirectiveKind::kTranspose, copy.place.parts.empty() ? nowhere : EquationAndLoop(copy.place));
    } else if (copy.place.parts.size() > 1) {
      diagnostics_.Report(copy.place.span, dsl::kIllegalSchedule,
                          "a padded copy is made inside a loop of its own equation");
    } else {
      Add(DirectiveKind::kPad, copy.place.parts);
    }
  }

  void Read(const ast::Inline& node) { AddTo(node.equation, Make(DirectiveKind::kInline, {})); }

  void Read(const ast::ComputeAt& node) {
    bool is_root = node.place.parts.size() == 1 && node.place.parts[0].text == "root";
    if (node.place.parts.size() == 1 && !is_root) {
      diagnostics_
          .Report(node.place.span, dsl::kIllegalSchedule,
                  "behind `at` stand an equation and one of its loops, as in `score.io`, or `root`")
          .SuggestNearest(node.place.parts[0].text, {"root"});
      return;
    }
    std::vector<ast::Name> outside(2);
    AddTo(node.equation, Make(DirectiveKind::kAt, is_root ? outside : EquationAndLoop(node.place)));
  }

  void Read(const ast::Nested& node) {
    dsl::Span span = span_;
    ReadBlock(Inside(node.equation), node.equation.span, node.directives);
    span_ = span;
  }

  void Read(const ast::Tolerance& node) {
    const auto* number = node.error->As<ast::Number>();
    double error = number->is_real ? number->real : static_cast<double>(number->whole);
    if (error >= 0 && error < 1) {
      out_[own_].tolerance = error;
      return;
    }
    diagnostics_.Report(
        node.error->span, dsl::kScheduleValue,
        absl::StrCat("a tolerance is a share of the largest result, less than 1, not ", number->text));
  }

  void Read(const ast::Alone&) { out_[own_].fusion = FusionWord{"", span_}; }
  void Read(const ast::Fuse& node) { out_[own_].fusion = FusionWord{node.into.ToString(), span_}; }

  void Read(const ast::Pack& node) {
    PackWord word{{node.tensor.text, {}}, span_, node.tensor.span, {}};
    for (const PackWord& other : out_[own_].packs) {
      if (other.packing.operand != node.tensor.text) continue;
      diagnostics_.Report(span_, dsl::kIllegalSchedule,
                          absl::StrCat("`", node.tensor.text, "` is packed twice"));
      return;
    }
    for (const ast::Pack::Part& part : node.order) {
      std::optional<int64_t> divisor = part.divisor ? Factor(*part.divisor) : 1;
      std::optional<int64_t> modulus = part.modulus ? Factor(*part.modulus) : 0;
      if (!divisor || !modulus) return;
      word.packing.order.push_back({part.index.text, *divisor, *modulus});
      word.part_spans.push_back(part.span);
    }
    out_[own_].packs.push_back(std::move(word));
  }
  void Read(const ast::Specialize& node) {
    Directive directive = Make(DirectiveKind::kSpecialize, {node.index});
    for (const ast::ExprPtr& written : node.lengths) {
      std::optional<int64_t> length = Whole(*written);
      if (!length) return;
      if (std::find(directive.lengths.begin(), directive.lengths.end(), *length) != directive.lengths.end()) {
        diagnostics_.Report(written->span, dsl::kScheduleValue,
                            absl::StrCat("the length ", *length, " stands twice"));
        return;
      }
      directive.lengths.push_back(*length);
      directive.length_spans.push_back(written->span);
    }
    out_[own_].directives.push_back(std::move(directive));
  }
  // It says what a backward pass computes again, and forward nothing is.
  void Read(const ast::Recompute&) {}

  dsl::Diagnostics& diagnostics_;
  std::vector<WrittenSchedule>& out_;
  std::map<std::string, Knob> knobs_;
  std::string kernel_;
  // Of the innermost block: its path, its place in `out_`; and the directive that is read.
  std::string path_;
  size_t own_ = 0;
  dsl::Span span_;
};

}  // namespace

std::vector<WrittenSchedule> ReadSchedules(const ast::File& file, dsl::Diagnostics& diagnostics) {
  std::vector<WrittenSchedule> written;
  for (const ast::Decl* decl : file.decls) {
    const auto* schedule = decl->As<ast::Schedule>();
    if (schedule && !decl->broken) Reader(diagnostics, written).Read(*schedule);
  }
  return written;
}

absl::StatusOr<Schedule> ParseSchedule(absl::string_view text) {
  dsl::SourceManager sources;
  dsl::Diagnostics diagnostics;
  int32_t source = sources.Add("schedule", std::string(text));
  auto file = dsl::ParseScheduleFile(sources, source, diagnostics);
  std::vector<WrittenSchedule> blocks = ReadSchedules(*file, diagnostics);
  if (diagnostics.has_errors())
    return absl::InvalidArgumentError(dsl::PrintDiagnostics(sources, diagnostics));
  Schedule schedule;
  for (WrittenSchedule& block : blocks) {
    auto known = std::find_if(schedule.equations.begin(), schedule.equations.end(),
                              [&](const EquationSchedule& equation) { return equation.path == block.path; });
    if (known == schedule.equations.end()) {
      schedule.equations.push_back({block.path, std::move(block.directives)});
    } else {
      std::move(block.directives.begin(), block.directives.end(), std::back_inserter(known->directives));
    }
  }
  return schedule;
}

}  // namespace weft::backends
