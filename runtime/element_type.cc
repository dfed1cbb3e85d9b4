#include "runtime/element_type.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::runtime {

int64_t ByteSize(weft_type type) {
  switch (type) {
    case WEFT_BOOL:
    case WEFT_I8:
    case WEFT_U8:
      return 1;
    case WEFT_F16:
    case WEFT_BF16:
      return 2;
    case WEFT_I32:
    case WEFT_F32:
      return 4;
    case WEFT_INT:
    case WEFT_I64:
    case WEFT_F64:
      return 8;
  }
  return 0;
}

const char* TypeName(weft_type type) {
  constexpr const char* kNames[] = {"bool", "int", "i8", "u8", "i32", "i64", "f16", "bf16", "f32", "f64"};
  return type >= WEFT_BOOL && type <= WEFT_F64 ? kNames[type] : "unknown";
}

bool IsFloat(weft_type type) { return type >= WEFT_F16 && type <= WEFT_F64; }
bool IsInteger(weft_type type) { return type >= WEFT_INT && type <= WEFT_I64; }

bool SameInMemory(weft_type a, weft_type b) {
  auto plain = [](weft_type type) { return type == WEFT_INT ? WEFT_I64 : type; };
  return plain(a) == plain(b);
}

float HalfToFloat(uint16_t bits) {
  uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

uint16_t FloatToHalf(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to 65536 or more
  if (magnitude < 0x38800000u) {                        // below 2^-14: subnormal, in steps of 2^-24
    float steps = std::bit_cast<float>(magnitude) * 0x1p24f;
    return sign | static_cast<uint16_t>(std::nearbyint(steps));
  }
  uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded - (112u << 23)) >> 13);
}

float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t FloatToBfloat16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

namespace {

template <typename T>
T Load(const void* data) {
  T value;
  std::memcpy(&value, data, sizeof(value));
  return value;
}

template <typename T>
bool StoreIfFits(void* data, int64_t value) {
  T narrow = static_cast<T>(value);
  std::memcpy(data, &narrow, sizeof(narrow));
  return static_cast<int64_t>(narrow) == value;
}

}  // namespace

double LoadFloat(const void* data, weft_type type) {
  switch (type) {
    case WEFT_F16:
      return HalfToFloat(Load<uint16_t>(data));
    case WEFT_BF16:
      return Bfloat16ToFloat(Load<uint16_t>(data));
    case WEFT_F32:
      return Load<float>(data);
    case WEFT_F64:
      return Load<double>(data);
    default:
      return static_cast<double>(LoadInteger(data, type));
  }
}

int64_t LoadInteger(const void* data, weft_type type) {
  switch (type) {
    case WEFT_BOOL:
      return Load<uint8_t>(data) != 0;
    case WEFT_U8:
      return Load<uint8_t>(data);
    case WEFT_I8:
      return Load<int8_t>(data);
    case WEFT_I32:
      return Load<int32_t>(data);
    case WEFT_INT:
    case WEFT_I64:
      return Load<int64_t>(data);
    default:
      return 0;
  }
}

void StoreFloat(void* data, weft_type type, double value) {
  auto store = [&](auto element) { std::memcpy(data, &element, sizeof(element)); };
  switch (type) {
    case WEFT_F16:
      return store(FloatToHalf(static_cast<float>(value)));
    case WEFT_BF16:
      return store(FloatToBfloat16(static_cast<float>(value)));
    case WEFT_F32:
      return store(static_cast<float>(value));
    case WEFT_F64:
      return store(value);
    default:
      return;
  }
}

bool StoreInteger(void* data, weft_type type, int64_t value) {
  switch (type) {
    case WEFT_BOOL:
      return StoreIfFits<uint8_t>(data, value) && (value == 0 || value == 1);
    case WEFT_U8:
      return StoreIfFits<uint8_t>(data, value);
    case WEFT_I8:
      return StoreIfFits<int8_t>(data, value);
    case WEFT_I32:
      return StoreIfFits<int32_t>(data, value);
    case WEFT_INT:
    case WEFT_I64:
      return StoreIfFits<int64_t>(data, value);
    default:
      return false;
  }
}

bool ConvertElements(const void* from, weft_type from_type, void* to, weft_type to_type, int64_t count,
                     int64_t* position) {
  const char* source = static_cast<const char*>(from);
  char* target = static_cast<char*>(to);
  int64_t from_bytes = ByteSize(from_type), to_bytes = ByteSize(to_type);
  if (SameInMemory(from_type, to_type)) {
    if (count > 0) std::memcpy(to, from, static_cast<size_t>(count * from_bytes));
    return true;
  }
  for (int64_t i = 0; i < count; ++i, source += from_bytes, target += to_bytes) {
    if (IsFloat(to_type)) {
      StoreFloat(target, to_type, LoadFloat(source, from_type));
    } else if (!StoreInteger(target, to_type, LoadInteger(source, from_type))) {
      *position = i;
      return false;
    }
  }
  return true;
}

int64_t ElementCount(const int64_t* shape, int32_t rank) {
  int64_t count = 1;
  bool empty = false;
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] < 0) return -1;
    if (shape[axis] == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, shape[axis], &count)) {
      return -1;
    }
  }
  return empty ? 0 : count;
}

std::string ShapeText(const int64_t* shape, int32_t rank) {
  std::string text = "[";
  for (int32_t axis = 0; axis < rank; ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

bool IsDense(const weft_tensor& tensor) {
  if (tensor.strides == nullptr) return true;
  int64_t expected = 1;
  for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected) return false;
    expected *= tensor.shape[axis];
  }
  return true;
}

namespace {

// Calls visit(strided element, dense element) in row-major order.
template <typename Visit>
void ForEachElement(const weft_tensor& tensor, char* dense, Visit visit) {
  int64_t count = ElementCount(tensor.shape, tensor.rank), bytes = ByteSize(tensor.type);
  int64_t index[WEFT_MAX_RANK] = {};
  char* data = static_cast<char*>(tensor.data);
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i, dense += bytes) {
    visit(data + offset * bytes, dense, bytes);
    for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) {
      offset += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      offset -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace

void CopyToDense(const weft_tensor& from, void* to) {
  int64_t count = ElementCount(from.shape, from.rank);
  if (count <= 0) return;
  if (IsDense(from)) {
    std::memcpy(to, from.data, static_cast<size_t>(count * ByteSize(from.type)));
    return;
  }
  ForEachElement(from, static_cast<char*>(to),
                 [](char* strided, char* dense, int64_t bytes) { std::memcpy(dense, strided, bytes); });
}

void CopyFromDense(const void* from, const weft_tensor& to) {
  int64_t count = ElementCount(to.shape, to.rank);
  if (count <= 0) return;
  if (IsDense(to)) {
    std::memcpy(to.data, from, static_cast<size_t>(count * ByteSize(to.type)));
    return;
  }
  ForEachElement(to, static_cast<char*>(const_cast<void*>(from)),
                 [](char* strided, char* dense, int64_t bytes) { std::memcpy(strided, dense, bytes); });
}

}  // namespace weft::runtime
