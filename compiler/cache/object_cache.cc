#include "compiler/cache/object_cache.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "runtime/atomic_file.h"
#include "runtime/input_file.h"

namespace weft::cache {

namespace fs = std::filesystem;

namespace {

constexpr char kSuffix[] = ".weft-object";
constexpr char kTemporary[] = ".tmp";
constexpr std::chrono::hours kAbandoned(1);
// A file of as many bytes as blocks of this size were added since the last look at all files.
constexpr char kAdded[] = "added";
constexpr int64_t kBlock = 4096;
constexpr int64_t kPartToAdd = 32;  // of the cache, before it is looked through

std::string HashOf(absl::string_view bytes) {
  llvm::BLAKE3 hasher;
  hasher.update(llvm::StringRef(bytes.data(), bytes.size()));
  auto hash = hasher.final<32>();
  return std::string(hash.begin(), hash.end());
}

struct Entry {
  std::string path;
  llvm::sys::TimePoint<> used;
  int64_t bytes;
};

// The files of the cache: what was compiled, and what is being written or was left by a killed compiler.
struct Entries {
  std::vector<Entry> objects, temporary;
};

// One look at every file: there are tens of thousands in a cache that is full.
Entries EntriesOf(const std::string& folder) {
  Entries entries;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error, /*follow_symlinks=*/false), end;
       !error && it != end; it.increment(error)) {
    const std::string& path = it->path();
    llvm::StringRef name = llvm::sys::path::filename(path);
    bool is_object = name.ends_with(kSuffix);
    if (!is_object && !(name.ends_with(kTemporary) && name.contains(kSuffix))) continue;
    auto status = it->status();  // another compiler may delete it meanwhile
    if (!status || status->type() != llvm::sys::fs::file_type::regular_file) continue;
    (is_object ? entries.objects : entries.temporary)
        .push_back({path, status->getLastModificationTime(), static_cast<int64_t>(status->getSize())});
  }
  return entries;
}

}  // namespace

ObjectCache ObjectCache::Default() {
  auto variable = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  std::string folder = variable("WEFT_CACHE_DIR");
  if (folder.empty() && !variable("XDG_CACHE_HOME").empty()) folder = variable("XDG_CACHE_HOME") + "/weft";
  if (folder.empty() && !variable("HOME").empty()) folder = variable("HOME") + "/.cache/weft";
  int64_t megabytes = 0;
  if (!absl::SimpleAtoi(variable("WEFT_CACHE_SIZE"), &megabytes) || megabytes < 0) megabytes = 2048;
  return ObjectCache(folder, megabytes << 20);
}

std::string ObjectCache::PathOf(absl::string_view key) const {
  return absl::StrCat(folder_, "/", llvm::toHex(HashOf(key), true), kSuffix);
}

std::optional<std::string> ObjectCache::Find(absl::string_view key) const {
  if (folder_.empty()) return std::nullopt;
  std::string path = PathOf(key);
  runtime::Result<runtime::InputFile> file = runtime::InputFile::Open(path);
  if (!file.ok()) return std::nullopt;
  runtime::Result<std::string> content = file->ReadAll();
  if (!content.ok() || content->size() < 32) return std::nullopt;
  std::string bytes = content->substr(32);
  std::error_code error;
  if (HashOf(absl::StrCat(key, bytes)) != content->substr(0, 32)) {
    fs::remove(path, error);
    return std::nullopt;
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
  return bytes;
}

void ObjectCache::Keep(absl::string_view key, absl::string_view bytes) const {
  if (folder_.empty() || static_cast<int64_t>(bytes.size()) > most_bytes_) return;
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return;
  std::string content = absl::StrCat(HashOf(absl::StrCat(key, bytes)), bytes);
  // What cannot be kept is compiled again next time.
  if (!runtime::WriteFileAtomically(PathOf(key), content).ok()) return;
  std::ofstream(fs::path(folder_) / kAdded, std::ios::app) << std::string(content.size() / kBlock + 1, '.');
  Trim();
}

void ObjectCache::Trim() const {
  std::error_code error;
  fs::path added = fs::path(folder_) / kAdded;
  uintmax_t blocks = fs::file_size(added, error);
  int64_t room = most_bytes_ / kPartToAdd;
  if (error || static_cast<int64_t>(blocks) * kBlock < room) return;
  fs::remove(added, error);
  Entries entries = EntriesOf(folder_);
  auto now = std::chrono::system_clock::now();
  for (const Entry& entry : entries.temporary) {
    if (entry.used < now - kAbandoned) fs::remove(entry.path, error);
  }
  int64_t total = 0;
  for (const Entry& entry : entries.objects) total += entry.bytes;
  if (total <= most_bytes_ - room) return;
  std::sort(entries.objects.begin(), entries.objects.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries.objects) {
    if (total <= most_bytes_ - room) break;
    if (fs::remove(entry.path, error)) total -= entry.bytes;
  }
}

int64_t ObjectCache::Clear() const {
  int64_t count = 0;
  std::error_code error;
  Entries entries = EntriesOf(folder_);
  for (const auto* kind : {&entries.objects, &entries.temporary}) {
    for (const Entry& entry : *kind) count += fs::remove(entry.path, error);
  }
  fs::remove(fs::path(folder_) / kAdded, error);
  return count;
}

ObjectCache::Usage ObjectCache::Measure() const {
  Usage usage;
  for (const Entry& entry : EntriesOf(folder_).objects) {
    ++usage.files;
    usage.bytes += entry.bytes;
  }
  return usage;
}

}  // namespace weft::cache
