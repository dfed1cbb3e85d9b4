#ifndef WEFT_COMPILER_CACHE_OBJECT_CACHE_H_
#define WEFT_COMPILER_CACHE_OBJECT_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace weft::cache {

// What was compiled before, on disk, by content. A file appears whole or not at all and carries a checksum,
// so compilers that run at once, or are killed, do no harm: a damaged file counts as absent. A folder that
// cannot be written means that nothing is kept. Threads may share one.
class ObjectCache {
 public:
  // WEFT_CACHE_DIR, else XDG_CACHE_HOME/weft, else HOME/.cache/weft; at most WEFT_CACHE_SIZE megabytes (2048
  // if unset).
  static ObjectCache Default();
  ObjectCache(std::string folder, int64_t most_bytes) : folder_(std::move(folder)), most_bytes_(most_bytes) {}
  // One that keeps nothing.
  ObjectCache() = default;

  std::optional<std::string> Find(absl::string_view key) const;
  // Once what was kept amounts to a part of the cache, deletes what was not used for longest until as much
  // fits again, and what a killed compiler left: that takes a look at every file.
  void Keep(absl::string_view key, absl::string_view bytes) const;

  // Deletes everything. The number of files.
  int64_t Clear() const;

  struct Usage {
    int64_t files = 0, bytes = 0;
  };
  Usage Measure() const;
  const std::string& folder() const { return folder_; }
  int64_t most_bytes() const { return most_bytes_; }

 private:
  std::string PathOf(absl::string_view key) const;
  void Trim() const;

  std::string folder_;
  int64_t most_bytes_ = 0;
};

}  // namespace weft::cache

#endif  // WEFT_COMPILER_CACHE_OBJECT_CACHE_H_
