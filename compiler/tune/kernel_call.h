#ifndef WEFT_COMPILER_TUNE_KERNEL_CALL_H_
#define WEFT_COMPILER_TUNE_KERNEL_CALL_H_

// A kernel as child processes see it: what it takes and gives, without its IR, and a call of it with all the
// tensors of a real run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "compiler/ir/weft_dialect.h"
#include "runtime/weft.h"

namespace weft::tune {

struct TensorType {
  weft_type type = WEFT_F32;
  std::vector<int64_t> shape;  // -1: known at run time
};

struct KernelInterface {
  std::vector<TensorType> inputs, results;
  size_t arguments = 0;  // operands that are sizes
};

// Nothing for a kernel that takes or gives what no file can hold.
std::optional<KernelInterface> InterfaceOf(ir::KernelOp kernel);

std::string ToBytes(const KernelInterface& interface);
KernelInterface InterfaceFrom(absl::string_view bytes);

std::string ToBytes(const std::vector<int64_t>& numbers);
std::vector<int64_t> NumbersFrom(absl::string_view bytes);

// How many run-time extents a call has.
size_t ExtentCount(const KernelInterface& interface);

// Bytes of all inputs, then of all results, in a call with these extents.
std::vector<int64_t> TensorBytes(const KernelInterface& interface, const int64_t* extents);

struct KernelCall {
  std::vector<int64_t> extents;     // as the kernel ABI has them
  std::vector<std::string> inputs;  // their elements
};

// In what a result differs from the reference; empty: in nothing. Integers are equal; floats may differ by
// the reassociation of sums: 2e-5 of the largest magnitude of their tensor (f16: 1e-3, bf16: 8e-3, f64:
// 1e-12), NaN and infinities stand at the same places.
std::string Difference(weft_type type, absl::string_view result, absl::string_view reference);

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_KERNEL_CALL_H_
