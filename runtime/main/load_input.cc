#include "runtime/main/load_input.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <random>

#include "runtime/input_file.h"
#include "runtime/main/image.h"
#include "runtime/main/npy.h"
#include "runtime/size_expression.h"

namespace weft::runtime {
namespace {

std::optional<HostTensor> NumberInput(weft_type type, const std::string& text) {
  HostTensor tensor;
  tensor.type = type;
  if (!tensor.Allocate()) return std::nullopt;
  const char* first = text.data() + (!text.empty() && text[0] == '+');
  const char* last = text.data() + text.size();
  if (type == WEFT_BOOL && (text == "true" || text == "false")) {
    *tensor.data.data() = text == "true";
    return tensor;
  }
  if (IsFloat(type)) {
    double value = 0;
    auto [end, error] = std::from_chars(first, last, value);
    if (error != std::errc() || end != last) return std::nullopt;
    StoreFloat(tensor.data.data(), type, value);
    return tensor;
  }
  int64_t value = 0;
  auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc() || end != last || !StoreInteger(tensor.data.data(), type, value))
    return std::nullopt;
  return tensor;
}

// The channels that a picture must have for `port`: 0 (no axis for them), 1, 3 or 4; nothing if it takes no
// picture.
std::optional<int> Channels(const PortTable& port) {
  if (port.type != WEFT_U8) return std::nullopt;
  if (port.rank == 2) return 0;
  if (port.rank != 3 && !(port.rank == 4 && (port.shape[0] == 1 || port.shape[0] < 0))) return std::nullopt;
  int64_t last = port.shape[port.rank - 1];
  if (last == 1 || last == 3 || last == 4) return static_cast<int>(last);
  return last < 0 ? std::optional<int>(3) : std::nullopt;
}

}  // namespace

Result<HostTensor> LoadInput(const PortTable& port, const std::string& text, std::string* note) {
  weft_type type = static_cast<weft_type>(port.type);
  if (port.rank == 0)
    if (std::optional<HostTensor> number = NumberInput(type, text)) return std::move(*number);
  auto at_file = [&](const Status& status) {
    return Status(status.code(), std::string("input `") + port.name + "`: " + text + ": " + status.message());
  };
  Result<InputFile> file = InputFile::Open(text);
  if (!file.ok()) {
    std::string hint =
        port.rank == 0 ? std::string(", and it is no ") + TypeName(type) + " number either" : "";
    return Status(file.status().code(),
                  std::string("input `") + port.name + "`: " + file.status().message() + hint);
  }
  Result<std::string> content = file->ReadAll();
  if (!content.ok())
    return Status(content.status().code(),
                  std::string("input `") + port.name + "`: " + content.status().message());
  std::string_view bytes = *content;
  bool png = LooksLikePng(bytes), jpeg = LooksLikeJpeg(bytes);
  if (!png && !jpeg) {
    if (bytes.substr(0, 6) != "\x93NUMPY")
      return at_file(InvalidArgument("it is neither .npy nor .png nor .jpg"));
    Result<HostTensor> tensor = ReadNpy(bytes, type, note);
    return tensor.ok() ? std::move(tensor) : Result<HostTensor>(at_file(tensor.status()));
  }
  std::optional<int> channels = Channels(port);
  if (!channels)
    return at_file(
        InvalidArgument("a picture gives u8[height, width, channels], and this input takes something else"));
  Result<HostTensor> picture = png ? ReadPng(bytes, *channels, note) : ReadJpeg(bytes, *channels, note);
  if (!picture.ok()) return at_file(picture.status());
  if (port.rank == 4) picture->shape.insert(picture->shape.begin(), 1);
  return picture;
}

Result<HostTensor> RandomInput(const ProgramTable& table, const PortTable& port, uint64_t seed) {
  std::vector<int64_t> typical;
  for (int32_t d = 0; d < table.dimension_count; ++d) typical.push_back(table.dimensions[d].typical);
  KnownSizes sizes = {table, typical.data()};
  HostTensor tensor;
  tensor.type = static_cast<weft_type>(port.type);
  for (int32_t axis = 0; axis < port.rank; ++axis) {
    std::optional<int64_t> size =
        port.shape[axis] >= 0 ? port.shape[axis] : EvaluateSize(port.shape_text[axis], sizes);
    if (!size)
      return InvalidArgument(std::string("the size of `") + port.name + "` is not known: give it as --input");
    tensor.shape.push_back(*size);
  }
  if (!tensor.Allocate()) return OutOfMemory(std::string("not enough memory for `") + port.name + "`");
  int64_t lo = 0, hi = tensor.type == WEFT_U8 ? 256 : tensor.type == WEFT_I8 ? 128 : 2;
  if (port.range_lo != nullptr) lo = EvaluateSize(port.range_lo, sizes).value_or(lo);
  if (port.range_hi != nullptr) hi = EvaluateSize(port.range_hi, sizes).value_or(hi);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> whole(lo, std::max(lo, hi - 1));
  std::normal_distribution<double> real;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    char* element = tensor.data.data() + i * ByteSize(tensor.type);
    if (IsFloat(tensor.type)) {
      StoreFloat(element, tensor.type, real(random));
    } else {
      StoreInteger(element, tensor.type, whole(random));
    }
  }
  return tensor;
}

}  // namespace weft::runtime
