#ifndef WEFT_RUNTIME_ELEMENT_TYPE_H_
#define WEFT_RUNTIME_ELEMENT_TYPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/weft.h"

namespace weft::runtime {

int64_t ByteSize(weft_type type);
// As files say it: "f32", "int".
const char* TypeName(weft_type type);
bool IsFloat(weft_type type);
bool IsInteger(weft_type type);  // bool is none
// int and i64 are the same in memory.
bool SameInMemory(weft_type a, weft_type b);

float HalfToFloat(uint16_t bits);
uint16_t FloatToHalf(float value);
float Bfloat16ToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);

// The element at `data`, exactly (f64 holds every float type; i64 every integer type).
double LoadFloat(const void* data, weft_type type);
int64_t LoadInteger(const void* data, weft_type type);
void StoreFloat(void* data, weft_type type, double value);
// False: the type cannot hold the value.
bool StoreInteger(void* data, weft_type type, int64_t value);

// Floats to floats (rounding to nearest even) or integers to integers, `count` elements. False: an integer
// does not fit, `position` tells which.
bool ConvertElements(const void* from, weft_type from_type, void* to, weft_type to_type, int64_t count,
                     int64_t* position);

// The number of elements, or -1 if a size is negative or the product does not fit in 63 bits.
int64_t ElementCount(const int64_t* shape, int32_t rank);
// "[2, 3]"
std::string ShapeText(const int64_t* shape, int32_t rank);

// Copies between a strided tensor and a dense one.
void CopyToDense(const weft_tensor& from, void* to);
void CopyFromDense(const void* from, const weft_tensor& to);
bool IsDense(const weft_tensor& tensor);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_ELEMENT_TYPE_H_
