#ifndef WEFT_COMPILER_DRIVER_TEXT_LIST_H_
#define WEFT_COMPILER_DRIVER_TEXT_LIST_H_

// Lists of texts as bytes, for requests to child processes and their answers.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace weft::driver {

std::string PackTexts(const std::vector<std::string>& texts);

// Nothing for bytes that are no list; of `count` texts, where that is given.
std::optional<std::vector<std::string>> UnpackTexts(absl::string_view bytes,
                                                    std::optional<size_t> count = std::nullopt);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_TEXT_LIST_H_
