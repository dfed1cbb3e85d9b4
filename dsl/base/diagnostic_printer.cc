#include "dsl/base/diagnostic_printer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace weft::dsl {
namespace {

constexpr int kTabWidth = 4;
constexpr int kWidestExcerpt = 160;  // of a longer line only the part around the mistake is shown

uint32_t DecodeUtf8(absl::string_view text, size_t at, int length) {
  auto byte = [&](int i) { return static_cast<unsigned char>(text[at + i]); };
  if (length == 1) return byte(0);
  uint32_t code = byte(0) & (0xFF >> (length + 1));
  for (int i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3F);
  return code;
}

// Columns that a terminal gives a character: none to marks that combine, two to East Asian letters and emoji.
int DisplayWidth(uint32_t code) {
  static const std::pair<uint32_t, uint32_t> kNone[] = {
      {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};
  static const std::pair<uint32_t, uint32_t> kTwo[] = {
      {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xAC00, 0xD7A3},
      {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6},
      {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  auto inside = [&](std::pair<uint32_t, uint32_t> r) { return r.first <= code && code <= r.second; };
  if (std::any_of(std::begin(kNone), std::end(kNone), inside)) return 0;
  return std::any_of(std::begin(kTwo), std::end(kTwo), inside) ? 2 : 1;
}

// A line made printable, and the display column of each of its bytes (and of its end).
struct Excerpt {
  std::string text;
  std::vector<int> column;
};

Excerpt MakePrintable(absl::string_view line) {
  Excerpt out;
  int column = 0;
  for (size_t i = 0; i < line.size();) {
    int length = Utf8Length(line, i);
    unsigned char byte = static_cast<unsigned char>(line[i]);
    std::string shown;
    int width;
    if (line[i] == '\t') {
      width = kTabWidth - column % kTabWidth;
      shown = std::string(width, ' ');
    } else if (length == 0 || byte < 0x20 || byte == 0x7F) {
      length = 1;
      shown = absl::StrFormat("\\x%02X", byte);
      width = 4;
    } else {
      shown = std::string(line.substr(i, length));
      width = DisplayWidth(DecodeUtf8(line, i, length));
    }
    for (int k = 0; k < length; ++k) out.column.push_back(column);
    absl::StrAppend(&out.text, shown);
    column += width;
    i += length;
  }
  out.column.push_back(column);
  return out;
}

struct Underline {
  int begin, end;  // byte offsets in the line
  char mark;
  std::string text;
};

std::string Bar(int line_number) {
  return line_number > 0 ? absl::StrFormat("%5d | ", line_number) : "      | ";
}

void PutAt(std::string& row, int column, absl::string_view text) {
  if (static_cast<int>(row.size()) < column) row.resize(column, ' ');
  row.resize(column);
  absl::StrAppend(&row, text);
}

void TrimRight(std::string& row) {
  while (!row.empty() && row.back() == ' ') row.pop_back();
}

// One source line with its underlines; texts stand to the right of the last mark, the others below theirs.
void PrintLine(const SourceFile& file, int line, std::vector<Underline> marks, std::string& out) {
  std::sort(marks.begin(), marks.end(), [](const Underline& a, const Underline& b) {
    return std::tie(a.begin, a.end, a.mark, a.text) < std::tie(b.begin, b.end, b.mark, b.text);
  });
  absl::string_view text = file.Line(line);
  std::string prefix, suffix;
  int shift = 0;
  if (text.size() > kWidestExcerpt) {
    shift = std::max(0, std::min(marks.front().begin - kWidestExcerpt / 3,
                                 static_cast<int>(text.size()) - kWidestExcerpt));
    while (shift > 0 && (text[shift] & 0xC0) == 0x80) --shift;
    if (shift > 0) prefix = "...";
    if (shift + kWidestExcerpt < static_cast<int>(text.size())) suffix = "...";
    size_t length = kWidestExcerpt;
    while (shift + length < text.size() && (text[shift + length] & 0xC0) == 0x80) ++length;
    text = text.substr(shift, length);
  }
  Excerpt shown = MakePrintable(text);
  auto column = [&](int byte) {
    byte = std::clamp<int>(byte - shift, 0, static_cast<int>(text.size()));
    return static_cast<int>(prefix.size()) + shown.column[byte];
  };
  std::string source = absl::StrCat(Bar(line), prefix, shown.text, suffix);
  TrimRight(source);
  absl::StrAppend(&out, source, "\n");

  std::string row;
  for (char mark : {'-', '^'}) {  // the main mark last: it wins where they overlap
    for (const Underline& u : marks) {
      if (u.mark != mark) continue;
      int from = column(u.begin), to = std::max(from + 1, column(u.end));
      if (static_cast<int>(row.size()) < to) row.resize(to, ' ');
      std::fill(row.begin() + from, row.begin() + to, mark);
    }
  }
  std::vector<const Underline*> texts;
  for (const Underline& u : marks) {
    if (!u.text.empty()) texts.push_back(&u);
  }
  if (!texts.empty()) absl::StrAppend(&row, " ", texts.back()->text);
  absl::StrAppend(&out, Bar(0), row, "\n");
  for (int i = static_cast<int>(texts.size()) - 2; i >= 0; --i) {
    std::string below;
    PutAt(below, column(texts[i]->begin), texts[i]->text);
    absl::StrAppend(&out, Bar(0), below, "\n");
  }
}

// The lines of the marks, in order; a mark that goes on beyond its first line is cut there.
void PrintExcerpt(const SourceManager& sources, Span main,
                  const std::vector<Diagnostic::LabelledSpan>& labels, std::string& out) {
  const SourceFile& file = sources.file(main.file);
  std::map<int, std::vector<Underline>> lines;
  auto add = [&](Span span, char mark, std::string text) {
    LineColumn at = file.Locate(span.begin);
    int begin = span.begin - file.LineBegin(at.line);
    int length = static_cast<int>(file.Line(at.line).size());
    int end = std::min(span.end - file.LineBegin(at.line), std::max(length, begin + 1));
    lines[at.line].push_back({begin, end, mark, std::move(text)});
  };
  add(main, '^', "");
  for (const Diagnostic::LabelledSpan& label : labels) {
    if (label.span.file != main.file) continue;
    if (label.span == main) {
      lines.begin()->second.front().text = label.text;
    } else {
      add(label.span, '-', label.text);
    }
  }
  int last = 0;
  for (auto& [line, marks] : lines) {
    if (last != 0 && line > last + 1) absl::StrAppend(&out, "  ... |\n");
    PrintLine(file, line, marks, out);
    last = line;
  }
}

nlohmann::json PlaceToJson(const SourceManager& sources, Span span) {
  nlohmann::json place = nlohmann::json::object();
  if (!span.valid()) return place;
  const SourceFile& file = sources.file(span.file);
  LineColumn begin = file.Locate(span.begin), end = file.Locate(span.end);
  place["file"] = file.name();
  place["line"] = begin.line;
  place["column"] = begin.column;
  place["end_line"] = end.line;
  place["end_column"] = end.column;
  return place;
}

absl::string_view SeverityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

}  // namespace

std::string PrintDiagnostic(const SourceManager& sources, const Diagnostic& diagnostic) {
  std::string out;
  if (diagnostic.span.valid()) absl::StrAppend(&out, sources.Place(diagnostic.span), ": ");
  absl::StrAppend(&out, SeverityName(diagnostic.severity), ": ", diagnostic.message, " [",
                  InfoOf(diagnostic.kind).code, "]\n");
  if (diagnostic.span.valid()) PrintExcerpt(sources, diagnostic.span, diagnostic.labels, out);
  // What lies in another file cannot stand in the excerpt; it becomes a note.
  std::vector<Diagnostic::NoteText> notes;
  for (const Diagnostic::LabelledSpan& label : diagnostic.labels) {
    if (label.span.file != diagnostic.span.file) notes.push_back({label.span, label.text});
  }
  notes.insert(notes.end(), diagnostic.notes.begin(), diagnostic.notes.end());
  for (const Diagnostic::NoteText& note : notes) {
    if (!note.span.valid()) {
      absl::StrAppend(&out, "  note: ", note.text, "\n");
      continue;
    }
    absl::StrAppend(&out, sources.Place(note.span), ": note: ", note.text, "\n");
    PrintExcerpt(sources, note.span, {}, out);
  }
  for (const std::string& text : diagnostic.suggestions) absl::StrAppend(&out, "  help: ", text, "\n");
  return out;
}

std::string PrintDiagnostics(const SourceManager& sources, const Diagnostics& diagnostics) {
  std::string out;
  int not_shown = diagnostics.error_count();
  for (const Diagnostic& diagnostic : diagnostics.Sorted()) {
    absl::StrAppend(&out, PrintDiagnostic(sources, diagnostic));
    if (diagnostic.severity == Severity::kError) --not_shown;
  }
  if (not_shown > 0) absl::StrAppend(&out, not_shown, " more errors are not shown\n");
  return out;
}

std::string DiagnosticsToJson(const SourceManager& sources, const Diagnostics& diagnostics) {
  nlohmann::json all = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics.Sorted()) {
    nlohmann::json one = PlaceToJson(sources, diagnostic.span);
    one["severity"] = std::string(SeverityName(diagnostic.severity));
    one["code"] = InfoOf(diagnostic.kind).code;
    one["message"] = diagnostic.message;
    one["labels"] = nlohmann::json::array();
    one["notes"] = nlohmann::json::array();
    for (const Diagnostic::LabelledSpan& label : diagnostic.labels) {
      one["labels"].push_back(PlaceToJson(sources, label.span));
      one["labels"].back()["message"] = label.text;
    }
    for (const Diagnostic::NoteText& note : diagnostic.notes) {
      one["notes"].push_back(PlaceToJson(sources, note.span));
      one["notes"].back()["message"] = note.text;
    }
    one["suggestions"] = diagnostic.suggestions;
    all.push_back(std::move(one));
  }
  // Texts quote the source, which may hold anything: bytes that are no UTF-8 are replaced.
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace weft::dsl
