#include "dsl/document/markdown.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "dsl/ast/decl.h"
#include "dsl/lexer/lexer.h"
#include "dsl/parser/parser.h"

namespace weft::dsl {

namespace {

class Chapter {
 public:
  Chapter(const SourceManager& sources, const ast::File& file) : sources_(sources), file_(file) {}

  std::string Write(const std::vector<Comment>& comments) {
    CollectProse(comments);
    std::string out = absl::StrCat("## ", sources_.file(file_.source).name(), "\n");
    auto prose = prose_.begin();
    for (const ast::Decl* decl : file_.decls) {
      for (; prose != prose_.end() && prose->first < decl->span.begin; ++prose)
        absl::StrAppend(&out, "\n", prose->second, "\n");
      std::string signature = Signature(*decl);
      if (signature.empty()) continue;
      absl::StrAppend(&out, "\n### ", ast::NameOf(*decl)->text, "\n\n```\n", signature, "\n```\n");
      if (!decl->doc.empty()) absl::StrAppend(&out, "\n", decl->doc, "\n");
    }
    for (; prose != prose_.end(); ++prose) absl::StrAppend(&out, "\n", prose->second, "\n");
    return out;
  }

 private:
  int LineOf(int32_t offset) const { return sources_.file(file_.source).Locate(offset).line; }

  // Paragraphs of `///` lines between declarations that a blank line divides from what follows.
  void CollectProse(const std::vector<Comment>& comments) {
    std::string paragraph;
    int32_t begin = 0;
    for (size_t i = 0; i < comments.size(); ++i) {
      const Comment& comment = comments[i];
      if (!comment.is_doc || !comment.first_on_line || IsInsideDeclaration(comment.span.begin)) continue;
      if (paragraph.empty()) begin = comment.span.begin;
      absl::string_view line = absl::StripPrefix(sources_.Text(comment.span), "///");
      absl::StrAppend(&paragraph, paragraph.empty() ? "" : "\n", absl::StripPrefix(line, " "));
      int next = LineOf(comment.span.begin) + 1;
      bool goes_on = i + 1 < comments.size() && LineOf(comments[i + 1].span.begin) == next;
      if (goes_on) continue;
      const SourceFile& source = sources_.file(file_.source);
      bool stands_alone = next > source.line_count() || absl::StripAsciiWhitespace(source.Line(next)).empty();
      if (stands_alone) prose_[begin] = paragraph;
      paragraph.clear();
    }
  }

  bool IsInsideDeclaration(int32_t offset) const {
    return std::any_of(file_.decls.begin(), file_.decls.end(), [&](const ast::Decl* decl) {
      return decl->span.begin <= offset && offset < decl->span.end;
    });
  }

  std::string TextBetween(int32_t begin, int32_t end) const {
    absl::string_view text = sources_.Text({file_.source, begin, end});
    return std::string(absl::StripTrailingAsciiWhitespace(text));
  }

  // The declaration without the bodies of its methods; empty for one that offers nothing.
  std::string Signature(const ast::Decl& decl) const {
    if (const auto* op = decl.As<ast::Op>()) return TextBetween(decl.span.begin, op->signature.span.end);
    const auto* model = decl.As<ast::Model>();
    if (model == nullptr) return "";
    std::string text = absl::StrCat(TextBetween(decl.span.begin, model->body_span.begin), " {\n");
    for (const ast::Member* member : model->members) {
      if (!member->doc.empty())
        absl::StrAppend(&text, "  /// ", absl::StrReplaceAll(member->doc, {{"\n", "\n  /// "}}), "\n");
      const auto* method = member->As<ast::Method>();
      int32_t end = method ? method->signature.span.end : member->span.end;
      absl::StrAppend(&text, "  ", TextBetween(member->span.begin, end), "\n");
    }
    return absl::StrCat(text, "}");
  }

  const SourceManager& sources_;
  const ast::File& file_;
  std::map<int32_t, std::string> prose_;  // by where it begins
};

}  // namespace

std::optional<std::string> Markdown(const SourceManager& sources, int32_t file, Diagnostics& diagnostics) {
  Diagnostics found;
  std::unique_ptr<ast::File> tree = ParseFile(sources, file, found);
  diagnostics.Append(found);
  if (found.has_errors()) return std::nullopt;
  Diagnostics again;  // the parser has reported them
  return Chapter(sources, *tree).Write(Tokenize(sources, file, again).comments);
}

}  // namespace weft::dsl
