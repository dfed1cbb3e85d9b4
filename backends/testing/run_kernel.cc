#include "backends/testing/run_kernel.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "backends/execute/loaded_kernel.h"
#include "compiler/ir/weft_dialect.h"

namespace weft::backends::testing {
namespace {

constexpr size_t kEdge = 256;
constexpr uint8_t kEdgeByte = 0xa5;

size_t ElementBytes(mlir::Type type) { return type.isInteger(1) ? 1 : type.getIntOrFloatBitWidth() / 8; }

// The shape with run-time sizes filled in from `sizes`, in order.
std::vector<int64_t> Shape(mlir::Type type, const std::vector<int64_t>& sizes, size_t* next) {
  auto tensor = mlir::cast<mlir::RankedTensorType>(type);
  std::vector<int64_t> shape;
  for (int axis = 0; axis < tensor.getRank(); ++axis) {
    shape.push_back(tensor.isDynamicDim(axis) ? sizes.at((*next)++) : tensor.getDimSize(axis));
  }
  return shape;
}

int64_t Count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  return count;
}

float SpecialFloat(std::mt19937& random) {
  using Limits = std::numeric_limits<float>;
  const float values[] = {Limits::quiet_NaN(),
                          Limits::infinity(),
                          -Limits::infinity(),
                          Limits::denorm_min(),
                          -Limits::min() / 2,
                          -0.0f,
                          0.0f,
                          1.0f};
  return values[random() % 8];
}

// f16 and bf16 inputs are small numbers that both hold exactly.
uint16_t ShortFloat(mlir::Type type, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (type.isBF16()) return static_cast<uint16_t>(bits >> 16);
  if (value == 0) return 0;
  uint32_t exponent = ((bits >> 23) & 255) - 127 + 15;
  return static_cast<uint16_t>((bits >> 31) << 15 | exponent << 10 | ((bits >> 13) & 1023));
}

double AsDouble(mlir::Type type, const uint8_t* at) {
  if (type.isF64()) {
    double value;
    std::memcpy(&value, at, 8);
    return value;
  }
  uint32_t bits = 0;
  if (type.isF32()) {
    std::memcpy(&bits, at, 4);
  } else {
    uint16_t half;
    std::memcpy(&half, at, 2);
    if (type.isBF16()) {
      bits = static_cast<uint32_t>(half) << 16;
    } else {
      uint32_t exponent = (half >> 10) & 31, fraction = half & 1023;
      double value = exponent == 31  ? (fraction ? std::nan("") : std::numeric_limits<double>::infinity())
                     : exponent == 0 ? std::ldexp(fraction, -24)
                                     : std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
      return half >> 15 ? -value : value;
    }
  }
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

}  // namespace

Elements::Elements(size_t bytes)
    : storage_(std::make_shared<std::vector<uint8_t>>(bytes + kEdge + 64, kEdgeByte)), bytes_(bytes) {
  data_ = storage_->data() + (64 - reinterpret_cast<uintptr_t>(storage_->data()) % 64) % 64;
}

bool Elements::EdgesIntact() const {
  for (const uint8_t* at = data_ + bytes_; at < storage_->data() + storage_->size(); ++at) {
    if (*at != kEdgeByte) return false;
  }
  return true;
}

std::vector<Elements> MakeInputs(mlir::Operation* kernel, const KernelCase& test_case) {
  std::mt19937 random(test_case.seed);
  std::vector<Elements> inputs;
  size_t next = 0;
  for (mlir::Type type : mlir::cast<ir::KernelOp>(kernel).getFunctionType().getInputs()) {
    if (!mlir::isa<mlir::RankedTensorType>(type)) continue;
    mlir::Type element = mlir::cast<mlir::RankedTensorType>(type).getElementType();
    int64_t count = Count(Shape(type, test_case.sizes, &next));
    size_t bytes = ElementBytes(element);
    Elements& made = inputs.emplace_back(static_cast<size_t>(count) * bytes);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* at = made.data() + static_cast<size_t>(i) * bytes;
      if (mlir::isa<mlir::FloatType>(element)) {
        bool special = test_case.special_values && random() % 16 == 0;
        float value = static_cast<float>(static_cast<int>(random() % 513) - 256) / 128.0f;
        if (element.isF64()) {
          double wide = special ? SpecialFloat(random) : value + 1e-9 * static_cast<double>(random() % 1000);
          std::memcpy(at, &wide, 8);
        } else if (element.isF32()) {
          if (special) value = SpecialFloat(random);
          std::memcpy(at, &value, 4);
        } else {
          uint16_t half = ShortFloat(element, value);
          std::memcpy(at, &half, 2);
        }
      } else {
        int64_t value = static_cast<int64_t>(random() % static_cast<uint64_t>(test_case.integers_below));
        if (element.isInteger(1)) value %= 2;
        std::memcpy(at, &value, bytes);
      }
    }
  }
  return inputs;
}

absl::StatusOr<std::vector<Elements>> RunKernel(mlir::Operation* kernel, const std::string& object,
                                                const std::string& symbol, const KernelCase& test_case,
                                                const std::vector<Elements>& inputs) {
  auto loaded = LoadedKernel::Load(object, symbol);
  if (!loaded.ok()) return loaded.status();
  mlir::FunctionType type = mlir::cast<ir::KernelOp>(kernel).getFunctionType();
  std::vector<void*> buffers;
  for (const Elements& input : inputs) buffers.push_back(input.data());
  size_t next = 0;
  for (mlir::Type input : type.getInputs()) {
    if (mlir::isa<mlir::RankedTensorType>(input)) Shape(input, test_case.sizes, &next);
  }
  std::vector<Elements> results;
  for (mlir::Type result : type.getResults()) {
    size_t bytes = ElementBytes(mlir::cast<mlir::RankedTensorType>(result).getElementType());
    results.emplace_back(static_cast<size_t>(Count(Shape(result, test_case.sizes, &next))) * bytes);
    buffers.push_back(results.back().data());
  }
  std::vector<int64_t> extents = test_case.sizes;
  extents.insert(extents.end(), test_case.arguments.begin(), test_case.arguments.end());
  int32_t error = loaded->Run(buffers.data(), extents.data());
  if (error != 0) return absl::InternalError(absl::StrCat("the kernel returned ", error));
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].EdgesIntact())
      return absl::OutOfRangeError(absl::StrCat("wrote past the end of result ", i));
  }
  for (const Elements& input : inputs) {
    if (!input.EdgesIntact()) return absl::OutOfRangeError("wrote past the end of an operand");
  }
  return results;
}

absl::Status CompareResults(mlir::Operation* kernel, const std::vector<Elements>& actual,
                            const std::vector<Elements>& expected, double tolerance) {
  mlir::FunctionType type = mlir::cast<ir::KernelOp>(kernel).getFunctionType();
  for (size_t r = 0; r < expected.size(); ++r) {
    mlir::Type element =
        mlir::cast<mlir::RankedTensorType>(type.getResult(static_cast<unsigned>(r))).getElementType();
    size_t bytes = ElementBytes(element), count = expected[r].bytes() / bytes;
    if (!mlir::isa<mlir::FloatType>(element)) {
      for (size_t i = 0; i < count; ++i) {
        if (std::memcmp(actual[r].data() + i * bytes, expected[r].data() + i * bytes, bytes) != 0) {
          return absl::DataLossError(absl::StrCat("result ", r, " differs at element ", i));
        }
      }
      continue;
    }
    double largest = 0;
    for (size_t i = 0; i < count; ++i) {
      double value = AsDouble(element, expected[r].data() + i * bytes);
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    if (element.isF16() || element.isBF16()) tolerance = std::max(tolerance, element.isF16() ? 1e-3 : 8e-3);
    for (size_t i = 0; i < count; ++i) {
      double a = AsDouble(element, actual[r].data() + i * bytes),
             b = AsDouble(element, expected[r].data() + i * bytes);
      bool same = std::isnan(b)   ? std::isnan(a)
                  : std::isinf(b) ? a == b
                                  : std::abs(a - b) <= tolerance * largest;
      if (!same)
        return absl::DataLossError(
            absl::StrCat("result ", r, " differs at element ", i, ": ", a, " for ", b));
    }
  }
  return absl::OkStatus();
}

}  // namespace weft::backends::testing
