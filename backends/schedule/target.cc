#include "backends/schedule/target.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

namespace weft::backends {
namespace {

struct Level {
  absl::string_view name;
  std::vector<std::string> features;
};

// The x86-64 psABI levels. Each lists all that it has, since `Has` asks by name.
const std::vector<Level>& Levels() {
  static const auto& levels = *new std::vector<Level>{
      {"x86-64-v2", {"sse4.1", "sse4.2", "ssse3", "popcnt", "cx16"}},
      {"x86-64-v3",
       {"sse4.1", "sse4.2", "ssse3", "popcnt", "cx16", "avx", "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt",
        "movbe"}},
      {"x86-64-v4",
       {"sse4.1", "sse4.2", "ssse3", "popcnt", "cx16", "avx", "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt",
        "movbe", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}};
  return levels;
}

const std::vector<std::string>& KnownFeatures() {
  static const auto& known = *new std::vector<std::string>{
      "avx",      "avx2",       "avx512bf16", "avx512bw",     "avx512cd",   "avx512dq",
      "avx512f",  "avx512fp16", "avx512vl",   "avx512vnni",   "avxvnni",    "amx-bf16",
      "amx-int8", "amx-tile",   "bmi",        "bmi2",         "cx16",       "f16c",
      "fma",      "lzcnt",      "movbe",      "popcnt",       "sse4.1",     "sse4.2",
      "ssse3",    "avx512vbmi", "avx512ifma", "avx512bitalg", "avx512vbmi2"};
  return known;
}

void SetFeature(Target& target, absl::string_view name, bool on) {
  std::string with = absl::StrCat("+", name), without = absl::StrCat("-", name);
  auto& list = target.features;
  list.erase(std::remove_if(list.begin(), list.end(),
                            [&](const std::string& f) { return f == with || f == without; }),
             list.end());
  list.push_back(on ? with : without);
  std::sort(list.begin(), list.end());
}

void DeriveRegisters(Target& target) {
  target.fma = target.Has("fma");
  target.vector_bytes = target.Has("avx512f") && target.Has("avx512vl") ? 64 : target.Has("avx") ? 32 : 16;
  target.vector_registers = target.vector_bytes == 64 ? 32 : 16;
}

int64_t CacheSize(int name, int64_t fallback) {
  long size = sysconf(name);
  return size > 0 ? size : fallback;
}

// What the cores around this one share. The C library adds up all such caches of the package, which each core
// reaches one of.
int64_t SharedCacheSize(int64_t fallback) {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");  // "32768K"
  int64_t size = 0;
  char unit = 0;
  if (file >> size >> unit && size > 0 && unit == 'K') return size << 10;
  return CacheSize(_SC_LEVEL3_CACHE_SIZE, fallback);
}

Target Host() {
  Target target;
  target.name = "host";
  target.cpu = llvm::sys::getHostCPUName().str();
  auto found = llvm::sys::getHostCPUFeatures();
  for (const std::string& feature : KnownFeatures()) {
    auto it = found.find(feature);
    if (it != found.end()) SetFeature(target, feature, it->second);
  }
  target.l1_bytes = CacheSize(_SC_LEVEL1_DCACHE_SIZE, target.l1_bytes);
  target.l2_bytes = CacheSize(_SC_LEVEL2_CACHE_SIZE, target.l2_bytes);
  target.l3_bytes = SharedCacheSize(target.l3_bytes);
  target.l3_is_near = absl::StartsWith(target.cpu, "znver");
  target.cores = std::max(1u, std::thread::hardware_concurrency());
  return target;
}

}  // namespace

bool Target::Has(absl::string_view feature) const {
  return std::binary_search(features.begin(), features.end(), absl::StrCat("+", feature));
}

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  size_t end = 0;
  // A name may hold '-' itself ("x86-64-v3"); a feature starts at the first '+', or at a '-' after one.
  end = text.find('+');
  absl::string_view base = text.substr(0, end);
  std::vector<std::pair<std::string, bool>> changes;
  for (size_t at = end; at != absl::string_view::npos && at < text.size();) {
    bool on = text[at] == '+';
    size_t next = at + 1;
    // Names such as amx-bf16 hold a '-'; a '-' is a sign only where what follows is a feature by itself.
    while (next < text.size() && text[next] != '+') {
      if (text[next] == '-') {
        absl::string_view rest = text.substr(next + 1);
        rest = rest.substr(0, rest.find_first_of("+-"));
        const auto& known = KnownFeatures();
        if (std::find(known.begin(), known.end(), std::string(rest)) != known.end()) break;
      }
      ++next;
    }
    changes.emplace_back(std::string(text.substr(at + 1, next - at - 1)), on);
    at = next;
  }

  Target target;
  if (base == "host") {
    target = Host();
  } else {
    auto level =
        std::find_if(Levels().begin(), Levels().end(), [&](const Level& l) { return l.name == base; });
    if (level == Levels().end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown target `", base, "`; known are host, x86-64-v2, x86-64-v3 and x86-64-v4"));
    }
    target.name = std::string(base);
    target.cpu = std::string(base);
    for (const std::string& feature : level->features) SetFeature(target, feature, true);
    target.l2_bytes = 1 << 20;
    target.cores = std::max(1u, std::thread::hardware_concurrency());
  }
#ifdef WEFT_SANITIZE
  target.sanitize_address = true;
#endif
  for (const auto& [feature, on] : changes) {
    if (feature == "asan") {
      target.sanitize_address = on;
      continue;
    }
    const auto& known = KnownFeatures();
    if (std::find(known.begin(), known.end(), feature) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown feature `", feature, "` in target `", text,
                                                     "`; known are ", absl::StrJoin(known, ", "), ", asan"));
    }
    SetFeature(target, feature, on);
  }
  DeriveRegisters(target);
  return target;
}

std::string Describe(const Target& target) {
  return absl::StrCat(target.cpu, " ", absl::StrJoin(target.features, ","), " vector ", target.vector_bytes,
                      " x ", target.vector_registers, " caches ", target.l1_bytes, " ", target.l2_bytes, " ",
                      target.l3_bytes, " cores ", target.cores, target.sanitize_address ? " asan" : "");
}

int Lanes(const Target& target, int element_bytes) {
  return std::max(1, target.vector_bytes / element_bytes);
}

passes::TargetDescription ForPasses(const Target& target) {
  passes::TargetDescription description;
  description.vector_bytes = target.vector_bytes;
  description.vector_registers = target.vector_registers;
  description.l1_bytes = target.l1_bytes;
  description.l2_bytes = target.l2_bytes;
  description.threads = target.cores;
  return description;
}

}  // namespace weft::backends
