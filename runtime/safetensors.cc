#include "runtime/safetensors.h"

#include <algorithm>
#include <cstring>

#include "runtime/element_type.h"
#include "runtime/json.h"

namespace weft::runtime {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;

struct TypeWord {
  const char* word;
  bool known;
  weft_type type;
  int64_t bytes;
};
// Types that no weight can have still have a size that is checked.
constexpr TypeWord kTypes[] = {
    {"F32", true, WEFT_F32, 4},      {"F16", true, WEFT_F16, 2},      {"BF16", true, WEFT_BF16, 2},
    {"F64", true, WEFT_F64, 8},      {"I64", true, WEFT_I64, 8},      {"I32", true, WEFT_I32, 4},
    {"I8", true, WEFT_I8, 1},        {"U8", true, WEFT_U8, 1},        {"BOOL", true, WEFT_BOOL, 1},
    {"I16", false, WEFT_I32, 2},     {"U16", false, WEFT_I32, 2},     {"U32", false, WEFT_I32, 4},
    {"U64", false, WEFT_I64, 8},     {"F8_E4M3", false, WEFT_F16, 1}, {"F8_E5M2", false, WEFT_F16, 1},
    {"F8_E8M0", false, WEFT_F16, 1}, {"C64", false, WEFT_F64, 8},
};

const Json* Find(const Json::Object& object, std::string_view name) {
  for (size_t i = 0; i < object.names.size(); ++i)
    if (object.names[i] == name) return &object.values[i];
  return nullptr;
}

Status Describe(const std::string& name, const char* problem) {
  return WeightError("tensor `" + name + "` " + problem);
}

Status ReadShape(const Json::Object& entry, StoredTensor& tensor) {
  const Json* shape = Find(entry, "shape");
  if (!shape || !shape->AsArray()) return Describe(tensor.name, "has no shape");
  for (const Json& size : *shape->AsArray()) {
    if (!size.AsInteger() || *size.AsInteger() < 0)
      return Describe(tensor.name, "has a size that is no whole number");
    tensor.shape.push_back(*size.AsInteger());
  }
  if (tensor.shape.size() > 64) return Describe(tensor.name, "has more than 64 axes");
  return {};
}

Status ReadEntry(const Json& json, std::string_view data, StoredTensor& tensor) {
  const Json::Object* entry = json.AsObject();
  if (!entry) return Describe(tensor.name, "is not described by an object");
  const Json* dtype = Find(*entry, "dtype");
  if (!dtype || !dtype->AsString()) return Describe(tensor.name, "has no dtype");
  tensor.dtype = *dtype->AsString();
  const TypeWord* word = std::find_if(std::begin(kTypes), std::end(kTypes),
                                      [&](const TypeWord& type) { return tensor.dtype == type.word; });
  if (Status status = ReadShape(*entry, tensor); !status.ok()) return status;
  const Json* offsets = Find(*entry, "data_offsets");
  const Json::Array* pair = offsets ? offsets->AsArray() : nullptr;
  if (!pair || pair->size() != 2 || !(*pair)[0].AsInteger() || !(*pair)[1].AsInteger())
    return Describe(tensor.name, "has no data_offsets");
  int64_t begin = *(*pair)[0].AsInteger(), end = *(*pair)[1].AsInteger();
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > data.size())
    return Describe(tensor.name, "lies outside of the file");
  tensor.data = data.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  if (word == std::end(kTypes)) return {};  // a type of later versions: nothing is known of its size
  tensor.known_type = word->known;
  tensor.type = word->type;
  int64_t count = ElementCount(tensor.shape.data(), static_cast<int32_t>(tensor.shape.size())), bytes = 0;
  if (count < 0 || __builtin_mul_overflow(count, word->bytes, &bytes) || bytes != end - begin)
    return Describe(tensor.name, "has another number of bytes than its type and shape need");
  return {};
}

}  // namespace

Result<std::vector<StoredTensor>> ReadSafetensors(std::string_view bytes) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof(header_bytes)) return WeightError("it is too short for a safetensors file");
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  if (header_bytes > kMaxHeader || header_bytes > bytes.size() - sizeof(header_bytes))
    return WeightError("it is no safetensors file, or it is cut off: its header would have " +
                       std::to_string(header_bytes) + " bytes");
  std::string_view data = bytes.substr(sizeof(header_bytes) + header_bytes);
  Result<Json> header = ParseJson(bytes.substr(sizeof(header_bytes), header_bytes));
  if (!header.ok()) return WeightError("its header is damaged: " + header.status().message());
  const Json::Object* members = header->AsObject();
  if (!members) return WeightError("its header is no JSON object");

  std::vector<StoredTensor> tensors;
  for (size_t i = 0; i < members->names.size(); ++i) {
    const std::string& name = members->names[i];
    const Json& entry = members->values[i];
    if (name == "__metadata__") continue;
    StoredTensor& tensor = tensors.emplace_back();
    tensor.name = name;
    if (Status status = ReadEntry(entry, data, tensor); !status.ok()) return status;
  }
  std::vector<const StoredTensor*> by_place;
  for (const StoredTensor& tensor : tensors)
    if (!tensor.data.empty()) by_place.push_back(&tensor);
  std::sort(by_place.begin(), by_place.end(),
            [](const StoredTensor* a, const StoredTensor* b) { return a->data.data() < b->data.data(); });
  for (size_t i = 1; i < by_place.size(); ++i)
    if (by_place[i - 1]->data.data() + by_place[i - 1]->data.size() > by_place[i]->data.data())
      return WeightError("tensors `" + by_place[i - 1]->name + "` and `" + by_place[i]->name + "` overlap");
  return tensors;
}

}  // namespace weft::runtime
