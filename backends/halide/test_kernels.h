#ifndef WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_
#define WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_

// Kernels of every class in many sizes, for tests that compare back ends.

#include <array>
#include <string>
#include <vector>

#include "backends/testing/run_kernel.h"

namespace weft::backends {

struct TestKernel {
  std::string name;
  std::string text;  // a module with one weft.kernel @k
  testing::KernelCase inputs;
  double tolerance = 1e-5;
};

// All of them, sizes from 1 to a few hundred, odd and prime ones included.
std::vector<TestKernel> AllTestKernels();

// A few that are cheap to compile, for random schedules.
std::vector<TestKernel> SmallTestKernels();

TestKernel Pointwise(int64_t a, int64_t b, int64_t c);
TestKernel Softmax(int64_t rows, int64_t length);
TestKernel Matmul(int64_t rows, int64_t depth, int64_t columns, int64_t block);  // block 0: not packed
TestKernel Convolution(int64_t size, int64_t channels, int64_t results, int64_t window, int64_t stride,
                       int64_t pad, int64_t block);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_
