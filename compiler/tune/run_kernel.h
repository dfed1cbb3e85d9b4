#ifndef WEFT_COMPILER_TUNE_RUN_KERNEL_H_
#define WEFT_COMPILER_TUNE_RUN_KERNEL_H_

// One kernel in a child process: what the reference computes, and whether a challenger computes the same and
// how long it takes beside the incumbent.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "compiler/tune/kernel_call.h"
#include "compiler/tune/paired_rounds.h"

namespace weft::tune {

inline constexpr char kKernelSymbol[] = "weft_tuned_kernel";  // of all objects here

// A kernel with the call that it is measured by.
struct KernelTask {
  KernelInterface interface;
  KernelCall call;
  // Inputs that a program finds in no near cache, since it has used others meanwhile: in turn, copies are
  // read that have so many bytes together. Empty or 0: none.
  std::vector<bool> is_weight;
  int64_t weight_bytes = 0;
  int64_t threads = 0;  // 0: one per processor
};

std::string ReferenceRequest(const KernelTask& task, absl::string_view object);
// The bytes of each result; empty: there are none.
std::vector<std::string> ReferenceResults(absl::string_view answer);

// The answer is of Rounds; the problem is what is wrong with the challenger.
std::string MeasureRequest(const KernelTask& task, const std::vector<std::string>& reference,
                           absl::string_view incumbent, absl::string_view challenger);

// In the child. `fields` are those of the request.
std::string ComputeReference(const std::vector<std::string>& fields);
std::string Measure(const std::vector<std::string>& fields);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_RUN_KERNEL_H_
