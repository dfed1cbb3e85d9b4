#include "compiler/cache/object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "runtime/atomic_file.h"
#include "runtime/input_file.h"

namespace weft::cache {

namespace fs = std::filesystem;

namespace {

constexpr char kSuffix[] = ".weft-object";
constexpr char kTemporary[] = ".tmp";
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kAbandoned = 3600 * kSecond;

std::string HashOf(absl::string_view bytes) {
  llvm::BLAKE3 hasher;
  hasher.update(llvm::StringRef(bytes.data(), bytes.size()));
  auto hash = hasher.final<32>();
  return std::string(hash.begin(), hash.end());
}

struct Entry {
  std::string name;
  int64_t used;  // in nanoseconds since 1970
  int64_t bytes;
};

// The files of the cache: what was compiled, and what is being written or was left by a killed compiler.
struct Entries {
  std::vector<Entry> objects, temporary;
};

// One look at every file and no more: there are tens of thousands in a cache that is full.
Entries EntriesOf(const std::string& folder) {
  Entries entries;
  DIR* listing = ::opendir(folder.c_str());
  if (!listing) return entries;
  while (const dirent* file = ::readdir(listing)) {
    absl::string_view name = file->d_name;
    bool is_object = absl::EndsWith(name, kSuffix);
    if (!is_object && !(absl::EndsWith(name, kTemporary) && absl::StrContains(name, kSuffix))) continue;
    struct stat state;  // another compiler may delete it meanwhile
    if (::fstatat(::dirfd(listing), file->d_name, &state, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(state.st_mode)) continue;
    (is_object ? entries.objects : entries.temporary)
        .push_back(
            {std::string(name), state.st_mtim.tv_sec * kSecond + state.st_mtim.tv_nsec, state.st_size});
  }
  ::closedir(listing);
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
  // What cannot be kept is compiled again next time.
  (void)runtime::WriteFileAtomically(PathOf(key), absl::StrCat(HashOf(absl::StrCat(key, bytes)), bytes));
}

void ObjectCache::Trim() const {
  if (folder_.empty()) return;
  auto remove = [this](const Entry& entry) {
    return ::unlink(absl::StrCat(folder_, "/", entry.name).c_str()) == 0;
  };
  Entries entries = EntriesOf(folder_);
  int64_t now = ::time(nullptr) * kSecond;
  for (const Entry& entry : entries.temporary) {
    if (entry.used < now - kAbandoned) remove(entry);
  }
  int64_t total = 0;
  for (const Entry& entry : entries.objects) total += entry.bytes;
  if (total <= most_bytes_) return;
  std::sort(entries.objects.begin(), entries.objects.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries.objects) {
    if (total <= most_bytes_) break;
    if (remove(entry)) total -= entry.bytes;
  }
}

int64_t ObjectCache::Clear() const {
  int64_t count = 0;
  Entries entries = EntriesOf(folder_);
  for (const auto* kind : {&entries.objects, &entries.temporary}) {
    for (const Entry& entry : *kind) count += ::unlink(absl::StrCat(folder_, "/", entry.name).c_str()) == 0;
  }
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
