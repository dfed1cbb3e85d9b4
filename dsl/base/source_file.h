#ifndef WEFT_DSL_BASE_SOURCE_FILE_H_
#define WEFT_DSL_BASE_SOURCE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dsl/base/span.h"

namespace weft::dsl {

// A place as people say it: both count from 1, columns count characters (not bytes).
struct LineColumn {
  int line = 1;
  int column = 1;
};

// One text with its name. Lines end at "\n", "\r\n" or a lone "\r".
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }  // as it is printed, usually the path the user gave
  absl::string_view text() const { return text_; }
  int line_count() const { return static_cast<int>(line_starts_.size()); }

  // The place of a byte; offsets past the end are the end.
  LineColumn Locate(int32_t offset) const;
  // The line (from 1) without its line break, and where it begins.
  absl::string_view Line(int line) const;
  int32_t LineBegin(int line) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<int32_t> line_starts_;
};

// Owns the files of one compilation; spans point into them.
class SourceManager {
 public:
  // Keeps `text` and returns the number that spans carry. The text must be shorter than 2 GiB.
  int32_t Add(std::string name, std::string text);

  const SourceFile& file(int32_t file) const { return *files_[file]; }
  int size() const { return static_cast<int>(files_.size()); }

  // The text of a span; empty if it belongs to no file.
  absl::string_view Text(Span span) const;
  // "file:line:column" of where the span begins.
  std::string Place(Span span) const;

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

// Length in bytes of the UTF-8 sequence at `text[offset]`, 0 if what stands there is not valid UTF-8.
int Utf8Length(absl::string_view text, size_t offset);

}  // namespace weft::dsl

#endif  // WEFT_DSL_BASE_SOURCE_FILE_H_
