#ifndef WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_
#define WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_

// Kernels of every class in many sizes, for tests that compare back ends.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "backends/testing/run_kernel.h"

namespace weft::backends {

struct TestKernel {
  std::string name;
  std::string text;  // a module with one weft.kernel @k
  testing::KernelCase inputs;
  double tolerance = 1e-5;
};

// `text` with every $NAME replaced by its number, and $CONSTANTS by those that kernels use: %c0 to %c3,
// %zero, %one.
using Sizes = std::vector<std::pair<std::string, int64_t>>;
TestKernel MakeTestKernel(absl::string_view name, absl::string_view text, const Sizes& sizes = {});

// All of them, sizes from 1 to a few hundred, odd and prime ones included.
std::vector<TestKernel> AllTestKernels();

// A few that are cheap to compile, for random schedules.
std::vector<TestKernel> SmallTestKernels();

TestKernel Pointwise(int64_t a, int64_t b, int64_t c);
TestKernel Concat(int64_t rows, int64_t first, int64_t second);  // along the last axis
TestKernel Transpose(int64_t a, int64_t b, int64_t c);           // of the last two axes
TestKernel DynamicRows(int64_t rows, int64_t columns);           // sizes known at run time only
TestKernel Softmax(int64_t rows, int64_t length);
TestKernel Matmul(int64_t rows, int64_t depth, int64_t columns, int64_t block);  // block 0: not packed
TestKernel Attention(int64_t length, int64_t heads, int64_t depth);
TestKernel Depthwise(int64_t size, int64_t channels);  // 3x3
// Windows over planes, whose channels are in front, in groups of channels and results; half of the window
// reads a fill at the edges.
TestKernel PlanarWindows(int64_t height, int64_t width, int64_t channels, int64_t results, int64_t window,
                         int64_t stride, int64_t groups);
std::vector<TestKernel> ManyPlanarWindows();
// A 1x1 convolution whose result windows per channel go over, or pools, `widened` of them.
TestKernel WidenedWindows(int64_t height, int64_t width, int64_t channels, int64_t widened, int64_t stride,
                          int64_t block, bool is_pool);
std::vector<TestKernel> ManyWidenedWindows();
TestKernel Convolution(int64_t size, int64_t channels, int64_t results, int64_t window, int64_t stride,
                       int64_t pad, int64_t block);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_TEST_KERNELS_H_
