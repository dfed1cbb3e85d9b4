#ifndef WEFT_RUNTIME_SAFETENSORS_H_
#define WEFT_RUNTIME_SAFETENSORS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/input_file.h"
#include "runtime/status.h"

namespace weft::runtime {

struct StoredTensor {
  std::string name;
  std::string dtype;  // as the file says it: "F32"
  bool known_type = false;
  weft_type type = WEFT_F32;  // if known
  std::vector<int64_t> shape;
  int64_t offset = 0, bytes = 0;  // inside the file, at any alignment
};

// As files say it: "F32".
const char* SafetensorsType(weft_type type);

// Gives `count` bytes of a file from `offset` on.
using ReadBytes = std::function<Status(int64_t offset, char* to, int64_t count)>;

// Reads the header of a safetensors file of `size` bytes. Every tensor lies inside the file, has the bytes
// that its type and shape need, and shares none with another; anything else is an error, and so are a name
// that is twice in an object, nesting deeper than 32 and more than four million values. Memory is bounded by
// the header's size, and the header by 100 MB.
Result<std::vector<StoredTensor>> ReadSafetensors(int64_t size, const ReadBytes& read);
Result<std::vector<StoredTensor>> ReadSafetensors(const InputFile& file);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_SAFETENSORS_H_
