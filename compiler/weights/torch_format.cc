// torch.save's two forms: a zip archive (PyTorch 1.6 and later), or pickles one after the other with the
// storages behind.

#include <zip.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "compiler/weights/checkpoint.h"
#include "compiler/weights/pickle.h"

namespace weft::weights {

namespace {

constexpr int kDepth = 64;                      // of nested dicts and lists
constexpr size_t kSpelled = size_t{256} << 20;  // characters in the names of all values
// The whole number that a stream starts with: 0x1950a86a20f9469cfc6c, little-endian, as pickle's LONG1.
constexpr std::string_view kStreamStart("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

struct Type {
  const char* storage;  // torch's class of storage
  const char* dtype;    // torch's name of the type
  const char* name;     // in safetensors
  int64_t size;
};
constexpr Type kTypes[] = {
    {"FloatStorage", "float32", "F32", 4}, {"DoubleStorage", "float64", "F64", 8},
    {"HalfStorage", "float16", "F16", 2},  {"BFloat16Storage", "bfloat16", "BF16", 2},
    {"LongStorage", "int64", "I64", 8},    {"IntStorage", "int32", "I32", 4},
    {"ShortStorage", "int16", "I16", 2},   {"CharStorage", "int8", "I8", 1},
    {"ByteStorage", "uint8", "U8", 1},     {"BoolStorage", "bool", "BOOL", 1},
};

const Type* TypeOf(const Tensor& tensor) {
  for (const Type& type : kTypes) {
    if (tensor.dtype.empty() ? tensor.storage.type == type.storage : tensor.dtype == type.dtype) return &type;
  }
  return nullptr;
}

using Storages = absl::flat_hash_map<std::string, std::string_view>;  // key -> bytes inside the file

class Collector {
 public:
  Collector(const Storages& storages, size_t budget) : storages_(storages), budget_(budget) {}

  absl::Status Walk(PickleRef value, const std::string& name, int depth) {
    if (depth > kDepth)
      return absl::InvalidArgumentError(absl::StrCat("`", name.substr(0, 80), "...`: nested too deep"));
    // A container may be in many places, so a short file can spell out any number of values.
    spelled_ += name.size() + 16;
    if (spelled_ > kSpelled) return absl::InvalidArgumentError("there is too much in it");
    auto below = [&](const std::string& key) { return name.empty() ? key : absl::StrCat(name, ".", key); };
    if (const auto* mapping = value->As<PickleValue::Mapping>()) {
      for (const auto& [key, element] : mapping->items) {
        std::string text = key->As<std::string>() ? *key->As<std::string>()
                           : key->As<int64_t>()   ? absl::StrCat(*key->As<int64_t>())
                                                  : "";
        if (text.empty())
          return absl::InvalidArgumentError(absl::StrCat("a key in `", name, "` is neither text nor number"));
        if (absl::Status status = Walk(element, below(text), depth + 1); !status.ok()) return status;
      }
    } else if (const auto* sequence = value->As<PickleValue::Sequence>()) {
      for (size_t i = 0; i < sequence->elements.size(); ++i) {
        if (absl::Status status = Walk(sequence->elements[i], below(absl::StrCat(i)), depth + 1);
            !status.ok())
          return status;
      }
    } else if (const auto* tensor = value->As<Tensor>()) {
      return Copy(*tensor, name);
    } else {
      checkpoint.left_out.push_back(name);
    }
    return absl::OkStatus();
  }

  Checkpoint checkpoint;

 private:
  absl::Status Copy(const Tensor& tensor, const std::string& name) {
    auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat("tensor `", name.substr(0, 200), "`: ", what));
    };
    const Type* type = TypeOf(tensor);
    if (!type)
      return wrong(absl::StrCat("elements of `", tensor.dtype.empty() ? tensor.storage.type : tensor.dtype,
                                "` have no place in safetensors"));
    auto storage = storages_.find(tensor.storage.key);
    if (storage == storages_.end())
      return wrong(absl::StrCat("its data, storage `", tensor.storage.key, "`, is not in the file"));
    int64_t available = static_cast<int64_t>(storage->second.size()) / type->size;
    if (tensor.shape.size() != tensor.strides.size()) return wrong("shape and strides differ in length");
    // The last element reached, and how many there are.
    int64_t last = 0, count = 1;
    bool empty = false;
    bool fits = !__builtin_add_overflow(tensor.storage.offset, tensor.offset, &last) && tensor.offset >= 0 &&
                tensor.storage.offset >= 0;
    for (size_t i = 0; fits && i < tensor.shape.size(); ++i) {
      int64_t reach = 0;
      fits = tensor.shape[i] >= 0 && tensor.strides[i] >= 0 &&
             !__builtin_mul_overflow(std::max<int64_t>(tensor.shape[i] - 1, 0), tensor.strides[i], &reach) &&
             !__builtin_add_overflow(last, reach, &last) &&
             !__builtin_mul_overflow(count, std::max<int64_t>(tensor.shape[i], 1), &count);
      empty |= tensor.shape[i] == 0;
    }
    if (empty) count = 0;
    if (!fits) return wrong("its shape or strides are damaged");
    if (count > 0 && last >= available)
      return wrong(absl::StrCat("it needs ", last + 1, " elements of its storage, which has ", available));
    if (count > 0 && static_cast<uint64_t>(count) > (budget_ - used_) / type->size)
      return wrong("views make its tensors more than 16 times as large as the file");
    NamedTensor dense{name, type->name, tensor.shape,
                      std::string(static_cast<size_t>(count * type->size), '\0')};
    used_ += dense.data.size();
    if (count > 0) {
      const char* from = storage->second.data() + (tensor.storage.offset + tensor.offset) * type->size;
      Gather(from, tensor, type->size, count, dense.data.data());
    }
    checkpoint.tensors.push_back(std::move(dense));
    return absl::OkStatus();
  }

  static void Gather(const char* from, const Tensor& tensor, int64_t size, int64_t count, char* to) {
    size_t rank = tensor.shape.size();
    int64_t run = 1;  // elements that lie together
    while (rank > 0 && (tensor.shape[rank - 1] == 1 || tensor.strides[rank - 1] == run))
      run *= tensor.shape[--rank];
    std::vector<int64_t> at(rank, 0);
    for (int64_t done = 0; done < count; done += run) {
      int64_t offset = 0;
      for (size_t i = 0; i < rank; ++i) offset += at[i] * tensor.strides[i];
      std::memcpy(to + done * size, from + offset * size, static_cast<size_t>(run * size));
      for (size_t i = rank; i > 0; --i) {
        ++at[i - 1];
        if (at[i - 1] < tensor.shape[i - 1]) break;
        at[i - 1] = 0;
      }
    }
  }

  const Storages& storages_;
  size_t budget_, used_ = 0, spelled_ = 0;
};

absl::StatusOr<Checkpoint> Collect(PickleRef root, const Storages& storages, size_t file_size) {
  Collector collector(storages, 16 * file_size);
  if (absl::Status status = collector.Walk(root, "", 0); !status.ok()) return status;
  return std::move(collector.checkpoint);
}

absl::StatusOr<Checkpoint> ReadStream(std::string_view bytes) {
  std::string_view rest = bytes;
  Pickle parts[5];  // magic number, protocol, machine, the object, the keys of its storages
  for (Pickle& part : parts) {
    size_t used = 0;
    absl::StatusOr<Pickle> pickle = Pickle::Read(rest, &used);
    if (!pickle.ok()) return pickle.status();
    part = std::move(*pickle);
    rest.remove_prefix(used);
  }
  const auto* machine = parts[2].root()->As<PickleValue::Mapping>();
  for (size_t i = 0; machine && i < machine->items.size(); ++i) {
    const auto* key = machine->items[i].first->As<std::string>();
    const bool* little = machine->items[i].second->As<bool>();
    if (key && *key == "little_endian" && little && !*little)
      return absl::InvalidArgumentError("it was written on a big-endian machine");
  }
  // Sizes of elements are known from the tensors alone.
  std::map<std::string, int64_t> element_size;
  for (const Storage& storage : parts[3].storages()) {
    for (const Type& type : kTypes) {
      if (storage.type == type.storage) element_size[storage.key] = type.size;
    }
    if (!element_size.contains(storage.key))
      return absl::InvalidArgumentError(absl::StrCat("storage of `", storage.type, "` is unknown"));
  }
  const auto* keys = parts[4].root()->As<PickleValue::Sequence>();
  if (!keys) return absl::InvalidArgumentError("the list of storages is damaged");
  Storages storages;
  for (PickleRef key : keys->elements) {
    const auto* name = key->As<std::string>();
    int64_t count = 0;
    if (!name || !element_size.contains(*name) || rest.size() < 8)
      return absl::InvalidArgumentError("the list of storages is damaged");
    std::memcpy(&count, rest.data(), 8);
    rest.remove_prefix(8);
    int64_t size = element_size[*name];
    if (count < 0 || static_cast<uint64_t>(count) > rest.size() / size)
      return absl::InvalidArgumentError(absl::StrCat("the file ends inside storage `", *name, "`"));
    storages[*name] = rest.substr(0, static_cast<size_t>(count * size));
    rest.remove_prefix(static_cast<size_t>(count * size));
  }
  return Collect(parts[3].root(), storages, bytes.size());
}

struct CloseZip {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

// The content of an entry, into `copy`; entries are stored as they are, so none is larger than the file.
absl::StatusOr<std::string_view> EntryBytes(std::string_view bytes, zip_t* archive, uint64_t index,
                                            std::string* copy) {
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_stat_index(archive, index, 0, &info) != 0)
    return absl::InvalidArgumentError("the archive's directory is damaged");
  std::string name = info.name ? info.name : "";
  if (info.comp_method != ZIP_CM_STORE || info.size != info.comp_size ||
      info.encryption_method != ZIP_EM_NONE)
    return absl::InvalidArgumentError(
        absl::StrCat("`", name, "` is compressed, which torch.save never does"));
  if (info.size > bytes.size())
    return absl::InvalidArgumentError(absl::StrCat("`", name, "` is larger than the file"));
  std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(archive, index, 0), zip_fclose);
  copy->resize(info.size);
  size_t done = 0;
  while (file && done < copy->size()) {
    zip_int64_t count = zip_fread(file.get(), copy->data() + done, copy->size() - done);
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  if (!file || done < copy->size())
    return absl::InvalidArgumentError(absl::StrCat("`", name, "` cannot be read from the archive"));
  return std::string_view(*copy);
}

absl::StatusOr<Checkpoint> ReadZip(std::string_view bytes) {
  zip_error_t problem;
  zip_error_init(&problem);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
  std::unique_ptr<zip_t, CloseZip> archive(source ? zip_open_from_source(source, ZIP_RDONLY, &problem)
                                                  : nullptr);
  if (!archive) {
    std::string text = zip_error_strerror(&problem);
    zip_error_fini(&problem);
    if (source) zip_source_free(source);
    return absl::InvalidArgumentError(absl::StrCat("the archive cannot be opened: ", text));
  }
  int64_t entries = zip_get_num_entries(archive.get(), 0);
  std::string pickled, folder;
  std::vector<std::pair<std::string, uint64_t>> found;
  for (int64_t i = 0; i < entries; ++i) {
    const char* entry = zip_get_name(archive.get(), i, 0);
    std::string name = entry ? entry : "";
    found.emplace_back(name, i);
    if (absl::EndsWith(name, "/data.pkl") && folder.empty()) {
      folder = name.substr(0, name.size() - 8);
      auto content = EntryBytes(bytes, archive.get(), i, &pickled);
      if (!content.ok()) return content.status();
    }
  }
  if (folder.empty()) return absl::InvalidArgumentError("there is no data.pkl in the archive");
  size_t used = 0;
  absl::StatusOr<Pickle> pickle = Pickle::Read(pickled, &used);
  if (!pickle.ok()) return pickle.status();
  std::map<std::string, bool> wanted;
  for (const Storage& storage : pickle->storages()) wanted[storage.key] = true;
  std::deque<std::string> data;
  uint64_t total = 0;
  Storages storages;
  for (const auto& [name, index] : found) {
    if (name == folder + "byteorder") {
      std::string order;
      auto content = EntryBytes(bytes, archive.get(), index, &order);
      if (!content.ok()) return content.status();
      if (order != "little") return absl::InvalidArgumentError("it was written on a big-endian machine");
    }
    if (!absl::StartsWith(name, folder + "data/") || !wanted.contains(name.substr(folder.size() + 5)))
      continue;
    auto content = EntryBytes(bytes, archive.get(), index, &data.emplace_back());
    if (!content.ok()) return content.status();
    total += content->size();
    if (total > bytes.size()) return absl::InvalidArgumentError("entries of the archive overlap");
    storages[name.substr(folder.size() + 5)] = *content;
  }
  return Collect(pickle->root(), storages, bytes.size());
}

}  // namespace

bool LooksLikeTorch(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with(kStreamStart);
}

absl::StatusOr<Checkpoint> ReadTorch(std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04")) return ReadZip(bytes);
  if (bytes.starts_with(kStreamStart)) return ReadStream(bytes);
  return absl::InvalidArgumentError(
      "it is no PyTorch checkpoint (neither a zip archive nor a stream with torch's magic number)");
}

}  // namespace weft::weights
