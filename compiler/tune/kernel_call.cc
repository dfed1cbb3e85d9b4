#include "compiler/tune/kernel_call.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "compiler/driver/text_list.h"
#include "mlir/IR/BuiltinTypes.h"
#include "runtime/element_type.h"

namespace weft::tune {
namespace {

std::optional<weft_type> ElementTypeOf(mlir::Type type) {
  if (type.isF32()) return WEFT_F32;
  if (type.isF64()) return WEFT_F64;
  if (type.isF16()) return WEFT_F16;
  if (type.isBF16()) return WEFT_BF16;
  if (type.isInteger(1)) return WEFT_BOOL;
  if (type.isInteger(8)) return WEFT_U8;
  if (type.isInteger(32)) return WEFT_I32;
  if (type.isInteger(64)) return WEFT_I64;
  return std::nullopt;
}

std::optional<TensorType> TypeOf(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  std::optional<weft_type> element = tensor ? ElementTypeOf(tensor.getElementType()) : std::nullopt;
  if (!element) return std::nullopt;
  TensorType made{*element, {}};
  for (int64_t size : tensor.getShape()) made.shape.push_back(mlir::ShapedType::isDynamic(size) ? -1 : size);
  return made;
}

std::string TypesToBytes(const std::vector<TensorType>& types) {
  std::vector<std::string> texts;
  for (const TensorType& type : types) {
    std::vector<int64_t> numbers = type.shape;
    numbers.insert(numbers.begin(), type.type);
    texts.push_back(ToBytes(numbers));
  }
  return driver::PackTexts(texts);
}

std::vector<TensorType> TypesFrom(absl::string_view bytes) {
  std::vector<TensorType> types;
  std::vector<std::string> texts = driver::UnpackTexts(bytes).value();
  for (const std::string& text : texts) {
    std::vector<int64_t> numbers = NumbersFrom(text);
    types.push_back({static_cast<weft_type>(numbers[0]), {numbers.begin() + 1, numbers.end()}});
  }
  return types;
}

double ToleranceOf(weft_type type) {
  switch (type) {
    case WEFT_F16:
      return 1e-3;
    case WEFT_BF16:
      return 8e-3;
    case WEFT_F64:
      return 1e-12;
    default:
      return 2e-5;
  }
}

}  // namespace

std::optional<KernelInterface> InterfaceOf(ir::KernelOp kernel) {
  KernelInterface interface;
  for (mlir::Type type : kernel.getFunctionType().getInputs()) {
    if (type.isIndex()) {
      ++interface.arguments;
      continue;
    }
    std::optional<TensorType> tensor = TypeOf(type);
    if (!tensor) return std::nullopt;
    interface.inputs.push_back(*tensor);
  }
  for (mlir::Type type : kernel.getFunctionType().getResults()) {
    std::optional<TensorType> tensor = TypeOf(type);
    if (!tensor) return std::nullopt;
    interface.results.push_back(*tensor);
  }
  return interface;
}

std::string ToBytes(const KernelInterface& interface) {
  return driver::PackTexts({TypesToBytes(interface.inputs), TypesToBytes(interface.results),
                            ToBytes(std::vector{static_cast<int64_t>(interface.arguments)})});
}

KernelInterface InterfaceFrom(absl::string_view bytes) {
  std::vector<std::string> texts = driver::UnpackTexts(bytes, 3).value();
  return {TypesFrom(texts[0]), TypesFrom(texts[1]), static_cast<size_t>(NumbersFrom(texts[2])[0])};
}

std::string ToBytes(const std::vector<int64_t>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(int64_t)};
}

std::vector<int64_t> NumbersFrom(absl::string_view bytes) {
  std::vector<int64_t> numbers(bytes.size() / sizeof(int64_t));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(int64_t));
  return numbers;
}

size_t ExtentCount(const KernelInterface& interface) {
  size_t count = interface.arguments;
  for (const auto* types : {&interface.inputs, &interface.results})
    for (const TensorType& type : *types) count += std::count(type.shape.begin(), type.shape.end(), -1);
  return count;
}

std::vector<int64_t> TensorBytes(const KernelInterface& interface, const int64_t* extents) {
  std::vector<int64_t> bytes;
  for (const auto* types : {&interface.inputs, &interface.results}) {
    for (const TensorType& type : *types) {
      int64_t size = runtime::ByteSize(type.type);
      for (int64_t extent : type.shape) size *= extent < 0 ? *extents++ : extent;
      bytes.push_back(size);
    }
  }
  return bytes;
}

std::string Difference(weft_type type, absl::string_view result, absl::string_view reference) {
  int64_t size = runtime::ByteSize(type), count = static_cast<int64_t>(reference.size()) / size;
  if (!runtime::IsFloat(type)) {
    for (int64_t i = 0; i < count; ++i)
      if (result.substr(i * size, size) != reference.substr(i * size, size))
        return absl::StrCat("element ", i, " differs");
    return "";
  }
  auto at = [&](absl::string_view bytes, int64_t i) {
    return runtime::LoadFloat(bytes.data() + i * size, type);
  };
  double largest = 0;
  for (int64_t i = 0; i < count; ++i)
    if (double value = at(reference, i); std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (int64_t i = 0; i < count; ++i) {
    double a = at(result, i), b = at(reference, i);
    bool is_same = std::isnan(b)   ? std::isnan(a)
                   : std::isinf(b) ? a == b
                                   : std::abs(a - b) <= ToleranceOf(type) * largest;
    if (!is_same) return absl::StrCat("element ", i, " is ", a, " for ", b);
  }
  return "";
}

}  // namespace weft::tune
