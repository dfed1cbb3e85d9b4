#include "compiler/page/page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace weft::page {
namespace {

constexpr char kStyle[] =
#include "compiler/page/style.inc"
    ;

}  // namespace

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string HtmlPage(absl::string_view title, absl::string_view style, absl::string_view body) {
  std::string name = Escaped(title);
  return absl::StrCat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>", name,
                      "</title>\n<style>\n", kStyle, style, "</style>\n</head>\n<body>\n<h1>", name,
                      "</h1>\n", body, "</body>\n</html>\n");
}

}  // namespace weft::page
