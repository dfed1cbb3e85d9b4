#include <iostream>

#include "absl/strings/str_format.h"
#include "compiler/cache/object_cache.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"

namespace weft::cli {

namespace {

int Info() {
  cache::ObjectCache cache = cache::ObjectCache::Default();
  if (cache.folder().empty()) return Fail("there is no cache: set WEFT_CACHE_DIR or HOME");
  cache::ObjectCache::Usage usage = cache.Measure();
  std::cout << absl::StrFormat("%s: %d files, %.1f of %.0f MB\n", cache.folder(), usage.files,
                               static_cast<double>(usage.bytes) / (1 << 20),
                               static_cast<double>(cache.most_bytes()) / (1 << 20));
  return 0;
}

int Clear() {
  std::cout << cache::ObjectCache::Default().Clear() << " files deleted\n";
  return 0;
}

}  // namespace

void AddCacheCommand(CLI::App& app, Run& run) {
  CLI::App* command =
      app.add_subcommand("cache", "What was compiled, kept in WEFT_CACHE_DIR.\nExample: weft cache info");
  command->require_subcommand(1);
  command->add_subcommand("info", "Print where it is and how much it takes.\nExample: weft cache info")
      ->callback([&run] { run = Info; });
  command->add_subcommand("clear", "Delete it.\nExample: weft cache clear")->callback([&run] {
    run = Clear;
  });
}

}  // namespace weft::cli
