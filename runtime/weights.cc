#include "runtime/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "runtime/element_type.h"
#include "runtime/nearest_name.h"
#include "runtime/safetensors.h"

namespace weft::runtime {
namespace {

// Comparisons of names until no more are suggested: a wholly wrong file must not take long to say so.
constexpr size_t kMostCompared = 1 << 20;
constexpr int64_t kConvertedAtOnce = 1 << 18;  // elements

struct Found {
  StoredTensor tensor;
  size_t file;  // number in options.weights
  bool used = false;
};

weft_type TypeOf(const WeightTable& weight) { return static_cast<weft_type>(weight.type); }

bool CanConvert(const StoredTensor& stored, const WeightTable& weight) {
  if (!stored.known_type) return false;
  weft_type type = TypeOf(weight);
  if (SameInMemory(stored.type, type)) return true;
  return (IsFloat(stored.type) && IsFloat(type)) || (IsInteger(stored.type) && IsInteger(type));
}

// Counter-based, so that the numbers depend on the seed, the weight's name and the position alone.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Uniform in +-sqrt(3 / fan in), so that activations keep their size; vectors around 1 would hide missing
// biases, so they get small numbers too.
void Draw(const WeightTable& weight, uint64_t seed, int64_t count, char* data) {
  uint64_t stream = seed;
  for (const char* c = weight.path; *c != 0; ++c) stream = Mix(stream ^ static_cast<unsigned char>(*c));
  int64_t fan_in = 1;
  for (int32_t axis = 1; axis < weight.rank; ++axis) fan_in *= weight.shape[axis];
  double scale = weight.rank < 2 ? 0.1 : std::sqrt(3.0 / static_cast<double>(std::max<int64_t>(1, fan_in)));
  weft_type type = TypeOf(weight);
  for (int64_t i = 0; i < count; ++i) {
    double unit = static_cast<double>(Mix(stream + static_cast<uint64_t>(i)) >> 11) * 0x1p-53;
    char* element = data + i * ByteSize(type);
    if (IsFloat(type)) {
      StoreFloat(element, type, (2 * unit - 1) * scale);
    } else {
      StoreInteger(element, type,
                   weight.has_range ? std::clamp<int64_t>(unit < 0.5 ? 0 : 1, weight.lo, weight.hi - 1)
                                    : (unit < 0.5 ? 0 : 1));
    }
  }
}

}  // namespace

void FillWeight(const WeightTable& weight, char* data) {
  weft_type type = TypeOf(weight);
  for (int64_t i = 0, count = ElementCount(weight.shape, weight.rank); i < count; ++i) {
    char* element = data + i * ByteSize(type);
    if (IsFloat(type)) {
      StoreFloat(element, type, weight.fill);
    } else {
      StoreInteger(element, type, static_cast<int64_t>(weight.fill));
    }
  }
}

std::string DeclarationText(const WeightTable& weight) {
  return TypeName(TypeOf(weight)) + (weight.rank > 0 ? ShapeText(weight.shape, weight.rank) : std::string());
}

std::string StoredText(const StoredTensor& tensor) {
  return tensor.dtype + " " + ShapeText(tensor.shape.data(), static_cast<int32_t>(tensor.shape.size()));
}

bool ReadsAsIs(const StoredTensor& stored, const WeightTable& weight) {
  return SameInMemory(stored.type, TypeOf(weight));
}

namespace {

Status CheckRange(const WeightTable& weight, const char* data, int64_t count) {
  if (!weight.has_range) return {};
  weft_type type = TypeOf(weight);
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = LoadInteger(data + i * ByteSize(type), type);
    if (value >= weight.lo && value < weight.hi) continue;
    return WeightError(std::string("`") + weight.path + "` must be in " + std::to_string(weight.lo) + ".." +
                       std::to_string(weight.hi) + ", but element " + std::to_string(i) + " is " +
                       std::to_string(value));
  }
  return {};
}

}  // namespace

Status ReadWeight(const InputFile& file, const StoredTensor& stored, const WeightTable& weight,
                  Buffer& buffer) {
  weft_type type = TypeOf(weight);
  weft_type from = ReadsAsIs(stored, weight) ? type : stored.type;
  int64_t count = ElementCount(weight.shape, weight.rank);
  if (!buffer.Reserve(count * ByteSize(type))) return OutOfMemory("not enough memory for the weights");
  if (from == type) {
    if (Status status = file.Read(stored.offset, buffer.data(), stored.bytes); !status.ok())
      return WeightError(status.message());
    if (type == WEFT_BOOL)
      for (int64_t k = 0; k < count; ++k) buffer.data()[k] = buffer.data()[k] != 0;
    return CheckRange(weight, buffer.data(), count);
  }
  std::vector<char> part(static_cast<size_t>(std::min(count, kConvertedAtOnce) * ByteSize(from)));
  for (int64_t done = 0; done < count; done += kConvertedAtOnce) {
    int64_t now = std::min(count - done, kConvertedAtOnce), position = 0;
    Status status = file.Read(stored.offset + done * ByteSize(from), part.data(), now * ByteSize(from));
    if (!status.ok()) return WeightError(status.message());
    if (!ConvertElements(part.data(), from, buffer.data() + done * ByteSize(type), type, now, &position))
      return WeightError(std::string("`") + weight.path + "` must be " + TypeName(type) + ", but element " +
                         std::to_string(done + position) + " does not fit");
  }
  return CheckRange(weight, buffer.data(), count);
}

void Note(const weft_options& options, const std::string& text) {
  if (options.note != nullptr) options.note(options.note_user, text.c_str());
}

Status Weights::Load(const ProgramTable& table, const weft_options& options) {
  std::map<std::string, Found> found;
  std::vector<InputFile> files;
  for (size_t i = 0; i < options.weight_count; ++i) {
    const weft_weight_file& source = options.weights[i];
    std::string path = source.path != nullptr ? source.path : "";
    Result<InputFile> file = InputFile::Open(path);
    if (!file.ok()) return WeightError(file.status().message());
    Result<std::vector<StoredTensor>> tensors = ReadSafetensors(*file);
    if (!tensors.ok()) return WeightError(path + ": " + tensors.status().message());
    std::string prefix =
        source.prefix != nullptr && *source.prefix != 0 ? std::string(source.prefix) + "." : "";
    for (StoredTensor& tensor : *tensors) {
      std::string name = prefix + tensor.name;
      auto [place, added] = found.try_emplace(name);
      if (!added)
        return WeightError("weight `" + name + "` is in " + files[place->second.file].path() + " and in " +
                           path);
      place->second = {std::move(tensor), i};
    }
    files.push_back(std::move(*file));
  }

  buffers_.resize(static_cast<size_t>(table.weight_count));
  pointers_.assign(static_cast<size_t>(table.weight_count), nullptr);
  uncomputed_.assign(static_cast<size_t>(table.weight_count), false);
  for (int32_t i = 0; i < table.weight_count; ++i)
    if (auto place = found.find(table.weights[i].path); place != found.end()) place->second.used = true;
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : found)
    if (!tensor.used) unused.push_back(name);

  std::vector<std::string> problems;         // lines of one error
  std::map<std::string, int64_t> converted;  // by "F16 to f32"
  std::vector<std::pair<int32_t, const Found*>> to_read;
  int64_t missing = 0;
  const WeightTable* first_missing = nullptr;
  for (int32_t i = 0; i < table.weight_count; ++i) {
    const WeightTable& weight = table.weights[i];
    auto place = found.find(weight.path);
    if (place == found.end()) {
      if (weight.is_state && (weight.has_fill || weight.has_initial)) continue;
      if (options.init_weights) continue;
      ++missing;
      if (first_missing == nullptr) first_missing = &weight;
      std::string line = std::string("`") + weight.path + "` " + DeclarationText(weight) + " is missing";
      if (static_cast<size_t>(missing) * unused.size() < kMostCompared)
        line += Suggestion(weight.path, unused);
      problems.push_back(std::move(line));
      continue;
    }
    const StoredTensor& stored = place->second.tensor;
    bool same_shape = stored.shape.size() == static_cast<size_t>(weight.rank) &&
                      std::equal(stored.shape.begin(), stored.shape.end(), weight.shape);
    if (!same_shape || !CanConvert(stored, weight)) {
      problems.push_back(std::string("`") + weight.path + "` must be " + DeclarationText(weight) + ", but " +
                         files[place->second.file].path() + " has " + StoredText(stored));
      continue;
    }
    if (!ReadsAsIs(stored, weight)) ++converted[stored.dtype + " to " + TypeName(TypeOf(weight))];
    to_read.emplace_back(i, &place->second);
  }
  if (options.weight_count == 0 && missing > 0)
    return WeightError("the program needs weights: " + std::to_string(missing) + " tensors, such as `" +
                       std::string(first_missing->path) + "` " + DeclarationText(*first_missing) +
                       ", from safetensors files");
  if (!problems.empty()) {
    std::string text = std::to_string(problems.size()) +
                       (problems.size() == 1 ? " weight does" : " weights do") + " not fit " +
                       (files.size() == 1 ? files[0].path() : std::string("the files")) + ":";
    for (const std::string& line : problems) text += "\n  " + line;
    return WeightError(text);
  }

  for (int32_t i = 0; i < table.weight_count; ++i) {
    const WeightTable& weight = table.weights[i];
    if (found.count(weight.path) != 0) continue;
    int64_t count = ElementCount(weight.shape, weight.rank), bytes = 0;
    Buffer& buffer = buffers_[static_cast<size_t>(i)];
    if (count < 0 || __builtin_mul_overflow(count, ByteSize(TypeOf(weight)), &bytes) ||
        !buffer.Reserve(bytes))
      return OutOfMemory("not enough memory for the weights");
    if (weight.has_initial) {
      uncomputed_[static_cast<size_t>(i)] = true;
    } else if (weight.has_fill) {
      FillWeight(weight, buffer.data());
    } else {
      Draw(weight, options.seed, count, buffer.data());
    }
    pointers_[static_cast<size_t>(i)] = buffer.data();
  }
  for (const auto& [i, source] : to_read) {
    Buffer& buffer = buffers_[static_cast<size_t>(i)];
    if (Status status = ReadWeight(files[source->file], source->tensor, table.weights[i], buffer);
        !status.ok())
      return status;
    pointers_[static_cast<size_t>(i)] = buffer.data();
  }

  for (const auto& [what, count] : converted)
    Note(options,
         std::to_string(count) + (count == 1 ? " weight was" : " weights were") + " converted from " + what);
  if (!unused.empty()) {
    std::string text = std::to_string(unused.size()) + (unused.size() == 1 ? " tensor" : " tensors") +
                       " of the weight files " + (unused.size() == 1 ? "is" : "are") + " not used:";
    for (size_t i = 0; i < unused.size() && i < 5; ++i) text += (i > 0 ? ", `" : " `") + unused[i] + "`";
    if (unused.size() > 5) text += ", ...";
    if (options.strict) return WeightError(text);
    Note(options, text);
  }
  return {};
}

void Weights::ReleaseAfterPrepare(const ProgramTable& table) {
  for (int32_t i = 0; i < table.weight_count; ++i) {
    if (table.weights[i].used_by_methods) continue;
    buffers_[static_cast<size_t>(i)].Free();
    pointers_[static_cast<size_t>(i)] = nullptr;
  }
}

}  // namespace weft::runtime
