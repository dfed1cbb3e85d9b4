#include "runtime/cpu_features.h"

#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace weft::runtime {

#if defined(__x86_64__)
namespace {

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  int reg;  // 0 eax, 1 ebx, 2 ecx, 3 edx
  int bit;
  uint64_t state;  // bits of XCR0 that the system must have enabled
};

constexpr uint64_t kAvxState = 0x6, kAvx512State = 0xe6, kAmxState = 0x60000;

constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, 2, 0, 0},
    {"pclmul", 1, 0, 2, 1, 0},
    {"ssse3", 1, 0, 2, 9, 0},
    {"fma", 1, 0, 2, 12, kAvxState},
    {"sse4.1", 1, 0, 2, 19, 0},
    {"sse4.2", 1, 0, 2, 20, 0},
    {"movbe", 1, 0, 2, 22, 0},
    {"popcnt", 1, 0, 2, 23, 0},
    {"aes", 1, 0, 2, 25, 0},
    {"avx", 1, 0, 2, 28, kAvxState},
    {"f16c", 1, 0, 2, 29, kAvxState},
    {"bmi", 7, 0, 1, 3, 0},
    {"avx2", 7, 0, 1, 5, kAvxState},
    {"bmi2", 7, 0, 1, 8, 0},
    {"avx512f", 7, 0, 1, 16, kAvx512State},
    {"avx512dq", 7, 0, 1, 17, kAvx512State},
    {"avx512ifma", 7, 0, 1, 21, kAvx512State},
    {"avx512cd", 7, 0, 1, 28, kAvx512State},
    {"avx512bw", 7, 0, 1, 30, kAvx512State},
    {"avx512vl", 7, 0, 1, 31, kAvx512State},
    {"avx512vbmi", 7, 0, 2, 1, kAvx512State},
    {"avx512vbmi2", 7, 0, 2, 6, kAvx512State},
    {"gfni", 7, 0, 2, 8, 0},
    {"vaes", 7, 0, 2, 9, kAvxState},
    {"vpclmulqdq", 7, 0, 2, 10, kAvxState},
    {"avx512vnni", 7, 0, 2, 11, kAvx512State},
    {"avx512bitalg", 7, 0, 2, 12, kAvx512State},
    {"avx512vpopcntdq", 7, 0, 2, 14, kAvx512State},
    {"amx-bf16", 7, 0, 3, 22, kAmxState},
    {"avx512fp16", 7, 0, 3, 23, kAvx512State},
    {"amx-tile", 7, 0, 3, 24, kAmxState},
    {"amx-int8", 7, 0, 3, 25, kAmxState},
    {"avxvnni", 7, 1, 0, 4, kAvxState},
    {"avx512bf16", 7, 1, 0, 5, kAvx512State},
    {"lzcnt", 0x80000001, 0, 2, 5, 0},
    {"fma4", 0x80000001, 0, 2, 16, kAvxState},
};

uint64_t EnabledState() {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & (1u << 27)) == 0) return 0;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return (static_cast<uint64_t>(edx) << 32) | eax;
}

bool Has(const Feature& feature) {
  uint32_t registers[4] = {};
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, &registers[0], &registers[1], &registers[2],
                         &registers[3]))
    return false;
  return ((registers[feature.reg] >> feature.bit) & 1) != 0 &&
         (EnabledState() & feature.state) == feature.state;
}

}  // namespace

std::string MissingCpuFeatures(std::string_view needed) {
  std::string missing;
  while (!needed.empty()) {
    size_t end = needed.find(',');
    std::string_view name = needed.substr(0, end);
    needed = end == std::string_view::npos ? std::string_view() : needed.substr(end + 1);
    if (!name.empty() && name[0] == '-') continue;
    if (!name.empty() && name[0] == '+') name.remove_prefix(1);
    for (const Feature& feature : kFeatures) {
      if (feature.name != name || Has(feature)) continue;
      if (!missing.empty()) missing += ", ";
      missing += name;
    }
  }
  return missing;
}

std::string CpuName() {
  uint32_t words[12] = {};
  for (uint32_t part = 0; part < 3; ++part) {
    uint32_t* words_of_part = words + size_t{4} * part;
    if (!__get_cpuid(0x80000002 + part, words_of_part, words_of_part + 1, words_of_part + 2,
                     words_of_part + 3))
      return "";
  }
  char name[49] = {};
  std::memcpy(name, words, 48);
  std::string text = name;
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

#else

std::string MissingCpuFeatures(std::string_view) { return ""; }
std::string CpuName() { return ""; }

#endif

}  // namespace weft::runtime
