#include "compiler/driver/text_list.h"

#include <cstdint>
#include <cstring>

namespace weft::driver {

// The length of each, then itself.
std::string PackTexts(const std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts) {
    uint64_t size = text.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes.append(text);
  }
  return bytes;
}

std::optional<std::vector<std::string>> UnpackTexts(absl::string_view bytes, std::optional<size_t> count) {
  std::vector<std::string> texts;
  while (!bytes.empty()) {
    uint64_t size;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (size > bytes.size()) return std::nullopt;
    texts.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (count && texts.size() != *count) return std::nullopt;
  return texts;
}

}  // namespace weft::driver
