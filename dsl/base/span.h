#ifndef WEFT_DSL_BASE_SPAN_H_
#define WEFT_DSL_BASE_SPAN_H_

#include <algorithm>
#include <cstdint>

namespace weft::dsl {

// A range of bytes of one source file: [begin, end). The default span belongs to no file.
struct Span {
  int32_t file = -1;  // from SourceManager::Add
  int32_t begin = 0;
  int32_t end = 0;

  bool valid() const { return file >= 0; }
  friend bool operator==(const Span&, const Span&) = default;
};

// The smallest span that covers both; `a` alone if they lie in different files or `b` is nowhere.
inline Span Cover(Span a, Span b) {
  if (!a.valid()) return b;
  if (a.file != b.file) return a;
  return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

}  // namespace weft::dsl

#endif  // WEFT_DSL_BASE_SPAN_H_
