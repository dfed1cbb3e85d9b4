#ifndef WEFT_RUNTIME_SAFETENSORS_H_
#define WEFT_RUNTIME_SAFETENSORS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/mapped_file.h"
#include "runtime/status.h"

namespace weft::runtime {

struct StoredTensor {
  std::string name;
  std::string dtype;  // as the file says it: "F32"
  bool known_type = false;
  weft_type type = WEFT_F32;  // if known
  std::vector<int64_t> shape;
  std::string_view data;  // inside the file, at any alignment
};

// Reads the header of a safetensors file whose whole content is `bytes`. Every tensor lies inside the file,
// has the bytes that its type and shape need, and shares none with another; anything else is an error. Memory
// is bounded by the header's size, and the header by 100 MB.
Result<std::vector<StoredTensor>> ReadSafetensors(std::string_view bytes);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_SAFETENSORS_H_
