#include "dsl/ast/expr.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace weft::dsl::ast {
namespace {

constexpr std::array<const char*, 16> kReductionWords = {
    "sum",    "prod",   "mean",      "max",   "min",  "any",    "all",     "count",
    "argmax", "argmin", "logsumexp", "first", "last", "filter", "argsort", "topk"};
static_assert(static_cast<int>(ReductionWord::kTopK) + 1 == kReductionWords.size());

constexpr std::array<const char*, 17> kBinaryOps = {"or", "and", "==", "!=", "<", "<=",  ">", ">=", "in",
                                                    "+",  "-",   "++", "*",  "/", "div", "%", "^"};
static_assert(static_cast<int>(BinaryOp::kPow) + 1 == kBinaryOps.size());

}  // namespace

std::string Path::ToString() const {
  std::string text;
  for (const Name& part : parts) absl::StrAppend(&text, text.empty() ? "" : ".", part.text);
  return text;
}

const char* Spelling(ReductionWord word) { return kReductionWords[static_cast<int>(word)]; }

std::optional<ReductionWord> FindReductionWord(const std::string& text) {
  for (size_t i = 0; i < kReductionWords.size(); ++i) {
    if (text == kReductionWords[i]) return static_cast<ReductionWord>(i);
  }
  return std::nullopt;
}

bool TakesConditions(ReductionWord word) {
  return word == ReductionWord::kAny || word == ReductionWord::kAll || word == ReductionWord::kCount ||
         word == ReductionWord::kFilter;
}

const char* Spelling(UnaryOp op) { return op == UnaryOp::kNeg ? "-" : "not"; }

const char* Spelling(BinaryOp op) { return kBinaryOps[static_cast<int>(op)]; }

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEq && op <= BinaryOp::kIn; }

}  // namespace weft::dsl::ast
