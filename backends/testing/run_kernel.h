#ifndef WEFT_BACKENDS_TESTING_RUN_KERNEL_H_
#define WEFT_BACKENDS_TESTING_RUN_KERNEL_H_

// For tests of back ends: loads a kernel's object into this process and runs it on buffers with guarded
// edges.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlir/IR/Operation.h"

namespace weft::backends::testing {

// One tensor's elements as they lie in memory, 64-byte aligned.
class Elements {
 public:
  explicit Elements(size_t bytes);
  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  // Whether nothing was written past the end.
  bool EdgesIntact() const;

 private:
  std::shared_ptr<std::vector<uint8_t>> storage_;
  uint8_t* data_;
  size_t bytes_;
};

struct KernelCase {
  std::vector<int64_t> sizes;      // of the dynamic axes of operands, in order; results follow
  std::vector<int64_t> arguments;  // values of the kernel's index operands
  bool special_values = false;     // NaN, infinities, denormals, signed zeros among the inputs
  int64_t integers_below = 4;      // integer inputs are in 0..integers_below
  uint32_t seed = 1;
};

// Random inputs for `kernel`, one per tensor operand.
std::vector<Elements> MakeInputs(mlir::Operation* kernel, const KernelCase& test_case);

// Runs the object on `inputs`; gives its results. Writing past the end of a tensor is an error.
absl::StatusOr<std::vector<Elements>> RunKernel(mlir::Operation* kernel, const std::string& object,
                                                const std::string& symbol, const KernelCase& test_case,
                                                const std::vector<Elements>& inputs);

// What differs between results of `kernel`; OK if nothing does. Floats may differ by `tolerance` of the
// largest magnitude of their tensor; NaN and infinities must stand at the same places, integers be equal.
absl::Status CompareResults(mlir::Operation* kernel, const std::vector<Elements>& actual,
                            const std::vector<Elements>& expected, double tolerance);

}  // namespace weft::backends::testing

#endif  // WEFT_BACKENDS_TESTING_RUN_KERNEL_H_
