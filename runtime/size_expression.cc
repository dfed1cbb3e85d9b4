#include "runtime/size_expression.h"

#include <algorithm>
#include <cctype>

namespace weft::runtime {
namespace {

using Number = std::optional<int64_t>;

constexpr int kMaxDepth = 64;

// sum = product { ("+" | "-") product } .   product = factor { ("*" | "/" | "div" | "%") factor } .
// factor = "-" factor | atom [ "^" NUMBER ] .   atom = NUMBER | NAME | NAME "(" sum { "," sum } ")" | "(" sum
// ")" .
class Evaluator {
 public:
  Evaluator(std::string_view text, const KnownSizes& sizes) : text_(text), sizes_(sizes) {}

  Number Run() {
    Number value = Sum();
    SkipSpace();
    return at_ == text_.size() ? value : std::nullopt;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool Take(std::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Number Sum() {
    Number left = Product();
    while (left) {
      bool minus = false;
      if (Take("-")) {
        minus = true;
      } else if (!Take("+")) {
        break;
      }
      Number right = Product();
      int64_t result = 0;
      if (!right || (minus ? __builtin_sub_overflow(*left, *right, &result)
                           : __builtin_add_overflow(*left, *right, &result)))
        return std::nullopt;
      left = result;
    }
    return left;
  }

  static int64_t FloorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }

  Number Product() {
    Number left = Factor();
    while (left) {
      char op = Take("*") ? '*' : Take("/") ? '/' : Take("div") ? 'd' : Take("%") ? '%' : 0;
      if (op == 0) break;
      Number right = Factor();
      if (!right) return std::nullopt;
      int64_t a = *left, b = *right, result = 0;
      if (op == '*') {
        if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
      } else if (b == 0 || b == -1) {
        if (op == '/' && b == 0) return std::nullopt;
        result = b == 0 || op == '%' ? 0 : -a;
      } else if (op == '/') {
        if (a % b != 0) return std::nullopt;
        result = a / b;
      } else {
        result = op == 'd' ? FloorDiv(a, b) : a - FloorDiv(a, b) * b;
      }
      left = result;
    }
    return left;
  }

  Number Factor() {
    if (++depth_ > kMaxDepth) return std::nullopt;
    Number value;
    if (Take("-")) {
      value = Factor();
      if (value) value = -*value;
    } else {
      value = Atom();
      if (value && Take("^")) value = Power(*value);
    }
    --depth_;
    return value;
  }

  Number Power(int64_t base) {
    Number exponent = Atom();
    if (!exponent || *exponent < 0 || *exponent > 62) return std::nullopt;
    int64_t result = 1;
    for (int64_t i = 0; i < *exponent; ++i)
      if (__builtin_mul_overflow(result, base, &result)) return std::nullopt;
    return result;
  }

  Number Atom() {
    if (Take("(")) {
      Number value = Sum();
      return Take(")") ? value : std::nullopt;
    }
    SkipSpace();
    size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    std::string_view word = text_.substr(start, at_ - start);
    if (word.empty()) return std::nullopt;
    if (std::isdigit(static_cast<unsigned char>(word[0]))) {
      int64_t value = 0;
      for (char digit : word)
        if (!std::isdigit(static_cast<unsigned char>(digit)) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit - '0', &value))
          return std::nullopt;
      return value;
    }
    if (word == "minimum" || word == "maximum") return Extreme(word == "maximum");
    for (int32_t d = 0; d < sizes_.table.dimension_count; ++d)
      if (word == sizes_.table.dimensions[d].name)
        return sizes_.values[d] < 0 ? Number() : Number(sizes_.values[d]);
    return std::nullopt;
  }

  Number Extreme(bool maximum) {
    if (!Take("(")) return std::nullopt;
    Number best = Sum();
    while (best && Take(",")) {
      Number next = Sum();
      if (!next) return std::nullopt;
      best = maximum ? std::max(*best, *next) : std::min(*best, *next);
    }
    return Take(")") ? best : std::nullopt;
  }

  std::string_view text_;
  const KnownSizes& sizes_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<int64_t> EvaluateSize(std::string_view text, const KnownSizes& sizes) {
  return Evaluator(text, sizes).Run();
}

}  // namespace weft::runtime
