#include "dsl/base/source_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace weft::dsl {

int Utf8Length(absl::string_view text, size_t offset) {
  auto byte = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  unsigned first = byte(offset);
  if (offset >= text.size()) return 0;
  if (first < 0x80) return 1;
  int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (int i = 1; i < length; ++i) {
    if ((byte(offset + i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  unsigned second = byte(offset + 1);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  return length;
}

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\r' && i + 1 < text_.size() && text_[i + 1] == '\n') continue;
    if (text_[i] == '\n' || text_[i] == '\r') line_starts_.push_back(static_cast<int32_t>(i + 1));
  }
}

int32_t SourceFile::LineBegin(int line) const { return line_starts_[line - 1]; }

absl::string_view SourceFile::Line(int line) const {
  size_t begin = line_starts_[line - 1];
  size_t end = line < line_count() ? static_cast<size_t>(line_starts_[line]) : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  return absl::string_view(text_).substr(begin, end - begin);
}

LineColumn SourceFile::Locate(int32_t offset) const {
  offset = std::clamp<int32_t>(offset, 0, static_cast<int32_t>(text_.size()));
  auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  int line = static_cast<int>(after - line_starts_.begin());
  int column = 1;
  for (int32_t at = line_starts_[line - 1]; at < offset; ++column) {
    at += std::max(1, Utf8Length(text_, at));
  }
  return {line, column};
}

int32_t SourceManager::Add(std::string name, std::string text) {
  files_.push_back(std::make_unique<SourceFile>(std::move(name), std::move(text)));
  return static_cast<int32_t>(files_.size() - 1);
}

absl::string_view SourceManager::Text(Span span) const {
  if (!span.valid()) return "";
  absl::string_view text = file(span.file).text();
  size_t begin = std::min<size_t>(span.begin, text.size());
  return text.substr(begin, std::max(0, span.end - span.begin));
}

std::string SourceManager::Place(Span span) const {
  if (!span.valid()) return "<no file>";
  LineColumn at = file(span.file).Locate(span.begin);
  return absl::StrCat(file(span.file).name(), ":", at.line, ":", at.column);
}

}  // namespace weft::dsl
