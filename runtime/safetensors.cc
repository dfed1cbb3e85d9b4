#include "runtime/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "runtime/element_type.h"

namespace weft::runtime {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxNesting = 32;
constexpr int64_t kMostValues = 1 << 22;
constexpr size_t kMaxRank = 64;
constexpr size_t kLongestReason = 160;

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

// Numbers of a list; nothing for one with something else in it.
using Whole = std::optional<std::vector<int64_t>>;

// What the header says of one tensor.
struct Entry {
  std::string name;
  std::optional<std::string> dtype;
  bool has_shape = false, has_offsets = false;  // a list
  Whole shape, offsets;
};

// Takes the parser's events, keeps what describes tensors and ends the parsing at the first thing that is
// wrong. The header is { NAME: { "dtype": ..., "shape": [...], "data_offsets": [...] }, ... }.
class HeaderReader {
 public:
  HeaderReader(int64_t data_begin, int64_t data_bytes) : data_begin_(data_begin), data_bytes_(data_bytes) {}

  const Status& status() const { return status_; }
  std::vector<StoredTensor>& tensors() { return tensors_; }

  bool null() { return Other(); }
  bool boolean(bool) { return Other(); }
  bool number_float(double, const std::string&) { return Other(); }
  bool binary(std::vector<uint8_t>&) { return Other(); }
  bool number_integer(int64_t value) { return Number(value); }
  bool number_unsigned(uint64_t value) {
    return value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
               ? Number(static_cast<int64_t>(value))
               : Other();
  }
  bool string(std::string& text) {
    if (!Value()) return false;
    if (InEntry() && key_ == "dtype") entry_.dtype = std::move(text);
    return true;
  }

  bool start_object(size_t) {
    bool describes = names_.size() == 1 && key_ != "__metadata__";
    if (names_.empty()) {
      at_root_ = true;
    } else if (!Value(describes)) {
      return false;
    }
    if (list_) list_->reset();
    if (describes) entry_ = Entry(), entry_.name = key_;
    in_tensor_ = describes || (in_tensor_ && names_.size() > 1);
    names_.emplace_back();
    return Open();
  }
  bool key(std::string& name) {
    if (++values_ > kMostValues) return Damaged("too many values");
    if (!names_.back().insert(name).second) return Damaged("`" + name + "` is there twice");
    key_ = std::move(name);
    return true;
  }
  bool end_object() {
    names_.pop_back();
    --depth_;
    return !in_tensor_ || names_.size() != 1 || Finish();
  }

  bool start_array(size_t) {
    if (!Value()) return false;
    if (list_) list_->reset();
    list_ = nullptr;
    if (InEntry() && key_ == "shape") entry_.has_shape = true, list_ = &entry_.shape;
    if (InEntry() && key_ == "data_offsets") entry_.has_offsets = true, list_ = &entry_.offsets;
    if (list_) list_->emplace();
    ++lists_;
    return Open();
  }
  bool end_array() {
    list_ = nullptr;
    --lists_;
    --depth_;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    // "[json.exception...] parse error at line 1, column 9: REASON"
    std::string reason = error.what();
    size_t place = reason.find(", column "),
           end = place == std::string::npos ? place : reason.find(": ", place);
    if (end != std::string::npos) reason.erase(0, end + 2);
    if (reason.size() > kLongestReason) reason = reason.substr(0, kLongestReason) + "...";
    return Damaged("bad JSON at byte " + std::to_string(position) + ": " + reason);
  }

 private:
  bool Fail(std::string text) {
    if (status_.ok()) status_ = WeightError(std::move(text));
    return false;
  }
  bool Damaged(const std::string& reason) { return Fail("its header is damaged: " + reason); }
  bool Describe(const char* problem) { return Fail("tensor `" + entry_.name + "` " + problem); }

  // Directly in the description of a tensor.
  bool InEntry() const { return in_tensor_ && names_.size() == 2 && lists_ == 0; }

  // Before every value but the whole. Of a tensor, only an object says anything.
  bool Value(bool describes = false) {
    if (++values_ > kMostValues) return Damaged("too many values");
    if (!at_root_) return Fail("its header is no JSON object");
    if (names_.size() == 1 && lists_ == 0 && !describes && key_ != "__metadata__") {
      entry_.name = key_;
      return Describe("is not described by an object");
    }
    return true;
  }
  bool Open() { return ++depth_ <= kMaxNesting || Damaged("nested too deep"); }

  bool Number(int64_t value) {
    if (!Value()) return false;
    if (list_ && *list_) (*list_)->push_back(value);
    return true;
  }
  bool Other() {
    if (!Value()) return false;
    if (list_) list_->reset();
    return true;
  }

  // The description of a tensor has ended.
  bool Finish() {
    in_tensor_ = false;
    if (!entry_.dtype) return Describe("has no dtype");
    if (!entry_.has_shape) return Describe("has no shape");
    if (!entry_.shape ||
        std::any_of(entry_.shape->begin(), entry_.shape->end(), [](int64_t s) { return s < 0; }))
      return Describe("has a size that is no whole number");
    if (entry_.shape->size() > kMaxRank) return Describe("has more than 64 axes");
    if (!entry_.offsets || entry_.offsets->size() != 2) return Describe("has no data_offsets");
    int64_t begin = (*entry_.offsets)[0], end = (*entry_.offsets)[1];
    if (begin < 0 || end < begin || end > data_bytes_) return Describe("lies outside of the file");

    StoredTensor& tensor = tensors_.emplace_back();
    tensor.name = std::move(entry_.name);
    tensor.dtype = std::move(*entry_.dtype);
    tensor.shape = std::move(*entry_.shape);
    tensor.offset = data_begin_ + begin;
    tensor.bytes = end - begin;
    const TypeWord* word = std::find_if(std::begin(kTypes), std::end(kTypes),
                                        [&](const TypeWord& type) { return tensor.dtype == type.word; });
    if (word == std::end(kTypes)) return true;  // a type of later versions: nothing is known of its size
    tensor.known_type = word->known;
    tensor.type = word->type;
    int64_t count = ElementCount(tensor.shape.data(), static_cast<int32_t>(tensor.shape.size())), bytes = 0;
    if (count >= 0 && !__builtin_mul_overflow(count, word->bytes, &bytes) && bytes == tensor.bytes)
      return true;
    entry_.name = tensor.name;
    return Describe("has another number of bytes than its type and shape need");
  }

  int64_t data_begin_, data_bytes_;
  std::vector<StoredTensor> tensors_;
  Status status_;
  std::vector<std::set<std::string>> names_;  // of every object that is open
  std::string key_;                           // the last
  Entry entry_;
  bool at_root_ = false, in_tensor_ = false;
  Whole* list_ = nullptr;  // that numbers go to
  size_t depth_ = 0, lists_ = 0;
  int64_t values_ = 0;
};

Status FindOverlap(const std::vector<StoredTensor>& tensors) {
  std::vector<const StoredTensor*> by_place;
  for (const StoredTensor& tensor : tensors)
    if (tensor.bytes > 0) by_place.push_back(&tensor);
  std::sort(by_place.begin(), by_place.end(),
            [](const StoredTensor* a, const StoredTensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_place.size(); ++i)
    if (by_place[i - 1]->offset + by_place[i - 1]->bytes > by_place[i]->offset)
      return WeightError("tensors `" + by_place[i - 1]->name + "` and `" + by_place[i]->name + "` overlap");
  return {};
}

}  // namespace

const char* SafetensorsType(weft_type type) {
  for (const TypeWord& word : kTypes)
    if (word.known && SameInMemory(word.type, type)) return word.word;
  return "";
}

Result<std::vector<StoredTensor>> ReadSafetensors(int64_t size, const ReadBytes& read) {
  uint64_t header_bytes = 0;
  constexpr int64_t kPrefix = sizeof(header_bytes);
  if (size < kPrefix) return WeightError("it is too short for a safetensors file");
  if (Status status = read(0, reinterpret_cast<char*>(&header_bytes), kPrefix); !status.ok()) return status;
  if (header_bytes > kMaxHeader || header_bytes > static_cast<uint64_t>(size - kPrefix))
    return WeightError("it is no safetensors file, or it is cut off: its header would have " +
                       std::to_string(header_bytes) + " bytes");
  std::string header(header_bytes, '\0');
  int64_t data_begin = kPrefix + static_cast<int64_t>(header_bytes);
  if (Status status = read(kPrefix, header.data(), data_begin - kPrefix); !status.ok()) return status;
  HeaderReader reader(data_begin, size - data_begin);
  if (!nlohmann::json::sax_parse(header, &reader)) return reader.status();
  if (Status status = FindOverlap(reader.tensors()); !status.ok()) return status;
  return std::move(reader.tensors());
}

Result<std::vector<StoredTensor>> ReadSafetensors(const InputFile& file) {
  return ReadSafetensors(
      file.size(), [&](int64_t offset, char* to, int64_t count) { return file.Read(offset, to, count); });
}

}  // namespace weft::runtime
