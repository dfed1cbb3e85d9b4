#include "runtime/json.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace weft::runtime {
namespace {

constexpr int kMaxDepth = 32;
constexpr int64_t kMostValues = 1 << 22;  // each takes up to fifty times its text

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> Parse() {
    Json json;
    if (!Value(json, 0)) return Error();
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("more text after the value");
      return Error();
    }
    return json;
  }

 private:
  Status Error() const { return InvalidArgument("bad JSON at byte " + std::to_string(at_) + ": " + reason_); }

  bool Fail(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return false;
  }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool Value(Json& json, int depth) {
    if (depth > kMaxDepth) return Fail("nested too deep");
    if (++values_ > kMostValues) return Fail("too many values");
    SkipSpace();
    if (at_ >= text_.size()) return Fail("the text ends inside a value");
    char c = text_[at_];
    if (c == '{') return Members(json, depth);
    if (c == '[') return Elements(json, depth);
    if (c == '"') {
      std::string text;
      if (!String(text)) return false;
      json.value = std::move(text);
      return true;
    }
    if (Word("true")) return json.value = true, true;
    if (Word("false")) return json.value = false, true;
    if (Word("null")) return json.value = nullptr, true;
    return Number(json);
  }

  bool Members(Json& json, int depth) {
    ++at_;
    Json::Object members;
    if (!Take('}')) {
      do {
        SkipSpace();
        if (!String(members.names.emplace_back())) return false;
        if (!Take(':')) return Fail("expected `:`");
        if (!Value(members.values.emplace_back(), depth + 1)) return false;
      } while (Take(','));
      if (!Take('}')) return Fail("expected `,` or `}`");
    }
    std::vector<std::string_view> sorted(members.names.begin(), members.names.end());
    std::sort(sorted.begin(), sorted.end());
    auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) return Fail("`" + std::string(*twice) + "` is there twice");
    json.value = std::move(members);
    return true;
  }

  bool Elements(Json& json, int depth) {
    ++at_;
    Json::Array elements;
    if (!Take(']')) {
      do {
        if (!Value(elements.emplace_back(), depth + 1)) return false;
      } while (Take(','));
      if (!Take(']')) return Fail("expected `,` or `]`");
    }
    json.value = std::move(elements);
    return true;
  }

  bool Hex(uint32_t& code) {
    if (text_.size() - at_ < 4) return Fail("bad \\u escape");
    const char* first = text_.data() + at_;
    auto [end, error] = std::from_chars(first, first + 4, code, 16);
    if (error != std::errc() || end != first + 4) return Fail("bad \\u escape");
    at_ += 4;
    return true;
  }

  static void AppendUtf8(std::string& text, uint32_t code) {
    auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 63)); };
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xc0 | (code >> 6)), tail(0);
    } else if (code < 0x10000) {
      text += static_cast<char>(0xe0 | (code >> 12)), tail(6), tail(0);
    } else {
      text += static_cast<char>(0xf0 | (code >> 18)), tail(12), tail(6), tail(0);
    }
  }

  bool Escape(std::string& text) {
    if (at_ >= text_.size()) return Fail("the text ends inside a string");
    char c = text_[at_++];
    switch (c) {
      case 'n':
        text += '\n';
        return true;
      case 't':
        text += '\t';
        return true;
      case 'r':
        text += '\r';
        return true;
      case 'b':
        text += '\b';
        return true;
      case 'f':
        text += '\f';
        return true;
      case '"':
      case '\\':
      case '/':
        text += c;
        return true;
      case 'u':
        break;
      default:
        return Fail("unknown escape");
    }
    uint32_t code = 0, low = 0;
    if (!Hex(code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      if (!Word("\\u") || !Hex(low) || low < 0xdc00 || low > 0xdfff) return Fail("half a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(text, code);
    return true;
  }

  bool String(std::string& text) {
    if (at_ >= text_.size() || text_[at_] != '"') return Fail("expected a string");
    ++at_;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return Fail("control character in a string");
      if (c != '\\') {
        text += c;
      } else if (!Escape(text)) {
        return false;
      }
    }
    return Fail("the text ends inside a string");
  }

  bool Number(Json& json) {
    const char* first = text_.data() + at_;
    const char* last = text_.data() + text_.size();
    if (*first != '-' && (*first < '0' || *first > '9')) return Fail("expected a value");
    int64_t whole = 0;
    auto [end, error] = std::from_chars(first, last, whole);
    if (error == std::errc() && (end == last || (*end != '.' && *end != 'e' && *end != 'E'))) {
      json.value = whole;
      at_ += end - first;
      return true;
    }
    double real = 0;
    auto [real_end, real_error] = std::from_chars(first, last, real);
    if (real_error == std::errc::invalid_argument) return Fail("bad number");
    json.value = real;
    at_ += real_end - first;
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t values_ = 0;
  std::string reason_;
};

}  // namespace

Result<Json> ParseJson(std::string_view text) { return Parser(text).Parse(); }

std::string JsonQuote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(c));
      quoted += code;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace weft::runtime
