#include "backends/schedule/pack_word.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace weft::backends {
namespace {

using passes::PackedPart;

// The part that a step of `step` takes of `whole`, and the one that goes inside of the step; none where the
// steps do not fill what `whole` is itself a part of.
std::optional<PackedPart> OuterPart(const PackedPart& whole, int64_t step) {
  if (whole.modulus % step != 0) return std::nullopt;
  return PackedPart{whole.index, whole.divisor * step, whole.modulus / step};
}
std::optional<PackedPart> InnerPart(const PackedPart& whole, int64_t step) {
  if (whole.modulus % step != 0) return std::nullopt;
  return PackedPart{whole.index, whole.divisor, step};
}

const Directive* Making(const std::string& loop, const std::vector<Directive>& directives) {
  auto found = std::find_if(directives.begin(), directives.end(), [&](const Directive& d) {
    return d.kind == DirectiveKind::kSplit && (d.names[1] == loop || d.names[2] == loop);
  });
  return found == directives.end() ? nullptr : &*found;
}

// A loop as a part of an index. The number of splits is the most that there can be between both.
std::optional<PackedPart> PartOf(const std::string& loop, const std::vector<Directive>& directives,
                                 size_t most) {
  const Directive* split = most > 0 ? Making(loop, directives) : nullptr;
  if (!split) return PackedPart{loop};
  std::optional<PackedPart> whole = PartOf(split->names[0], directives, most - 1);
  if (!whole) return std::nullopt;
  return split->names[1] == loop ? OuterPart(*whole, split->factor) : InnerPart(*whole, split->factor);
}

std::string TextOf(const PackedPart& part) {
  return absl::StrCat(PrintLoop(part.index), part.divisor > 1 ? absl::StrCat(" div ", part.divisor) : "",
                      part.modulus > 0 ? absl::StrCat(" % ", part.modulus) : "");
}

}  // namespace

bool ResolveParts(PackWord& word, const std::vector<Directive>& splits, dsl::Diagnostics& diagnostics) {
  std::vector<PackedPart>& order = word.packing.order;
  for (size_t i = 0; i < order.size(); ++i) {
    PackedPart written = order[i];
    std::optional<PackedPart> part = PartOf(written.index, splits, splits.size());
    if (part) part = OuterPart(*part, written.divisor);
    if (part && written.modulus > 0) part = InnerPart(*part, written.modulus);
    if (!part) {
      diagnostics.Report(word.part_spans[i], dsl::kIllegalSchedule,
                         absl::StrCat("`", word.packing.operand, "` cannot be packed by `", TextOf(written),
                                      "`: the step does not divide what it is a part of"));
      return false;
    }
    if (std::find(order.begin(), order.begin() + static_cast<int64_t>(i), *part) !=
        order.begin() + static_cast<int64_t>(i)) {
      diagnostics.Report(
          word.part_spans[i], dsl::kIllegalSchedule,
          absl::StrCat("`", TextOf(written), "` stands twice in the order of `", word.packing.operand, "`"));
      return false;
    }
    order[i] = *part;
  }
  return true;
}

std::string PrintPacking(const passes::Packing& packing, const std::vector<Directive>& splits) {
  std::vector<std::string> texts;
  for (const PackedPart& part : packing.order) {
    std::string text = TextOf(part);
    for (const Directive& d : splits) {
      if (d.kind != DirectiveKind::kSplit || part.IsWhole()) continue;
      for (const std::string& loop : {d.names[1], d.names[2]})
        if (PartOf(loop, splits, splits.size()) == part) text = PrintLoop(loop);
    }
    texts.push_back(text);
  }
  return absl::StrCat("pack ", PrintLoop(packing.operand), " as [", absl::StrJoin(texts, ", "), "]");
}

}  // namespace weft::backends
