#ifndef WEFT_BACKENDS_SCHEDULE_TARGET_H_
#define WEFT_BACKENDS_SCHEDULE_TARGET_H_

// The machine that is compiled for, as far as decisions depend on it: instruction set, registers, caches,
// cores.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "passes/target/target.h"

namespace weft::backends {

struct Target {
  std::string name;                   // as the user wrote it, without features: "host", "x86-64-v3"
  std::string cpu;                    // LLVM's name of the processor: "znver4", "x86-64-v3"
  std::vector<std::string> features;  // LLVM's names with sign, sorted: "+avx2", "-avx512f"
  int vector_bytes = 16;              // widest vector register
  int vector_registers = 16;
  bool fma = false;
  int64_t l1_bytes = 32 << 10;  // data, per core
  int64_t l2_bytes = 512 << 10;
  int64_t l3_bytes = 8 << 20;  // shared
  bool l3_is_near = false;     // it feeds a core about as fast as l2 does
  int cores = 1;               // threads that a default schedule should keep busy
  // Memory accesses are instrumented for AddressSanitizer, whose run-time library the program then links.
  bool sanitize_address = false;

  bool Has(absl::string_view feature) const;  // `feature` without sign
};

// Reads "host", a named level ("x86-64-v2", "x86-64-v3", "x86-64-v4") or one of those followed by "+feature"
// and
// "-feature" ("x86-64-v3+avx512f"). The feature "asan" stands for sanitize_address. An unknown name or
// feature is an error that lists what is known.
absl::StatusOr<Target> ParseTarget(absl::string_view text);

// Everything that decides about generated code, for cache keys. ParseTarget need not read it.
std::string Describe(const Target& target);

// Number of `element_bytes` wide elements in one vector register, at least 1.
int Lanes(const Target& target, int element_bytes);

// The same machine as the passes see it.
passes::TargetDescription ForPasses(const Target& target);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_TARGET_H_
