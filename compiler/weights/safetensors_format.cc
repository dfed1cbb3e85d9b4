#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "compiler/weights/checkpoint.h"

namespace weft::weights {

absl::StatusOr<std::string> WriteSafetensors(std::vector<NamedTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
  nlohmann::json header = nlohmann::json::object();
  uint64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    if (header.contains(tensor.name))
      return absl::InvalidArgumentError(absl::StrCat("there are two tensors `", tensor.name, "`"));
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  // Names that are not UTF-8 are written with the damaged bytes replaced.
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // so that data starts aligned
  std::string bytes;
  bytes.reserve(8 + text.size() + offset);
  uint64_t length = text.size();
  bytes.append(reinterpret_cast<const char*>(&length), 8);
  bytes += text;
  for (const NamedTensor& tensor : tensors) bytes += tensor.data;
  return bytes;
}

}  // namespace weft::weights
