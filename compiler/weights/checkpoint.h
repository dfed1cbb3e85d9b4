#ifndef WEFT_COMPILER_WEIGHTS_CHECKPOINT_H_
#define WEFT_COMPILER_WEIGHTS_CHECKPOINT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace weft::weights {

// A tensor of a weight file: dtype as safetensors says it ("F32"), its elements dense and row-major.
struct NamedTensor {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::string data;
};

struct Checkpoint {
  std::vector<NamedTensor>
      tensors;  // in the file's order; names of nested dicts joined by dots, of lists by number
  std::vector<std::string> left_out;  // what is no tensor: names of numbers, texts, ...
};

// Reads what torch.save wrote (the stream of before 1.6 and the zip form), nothing executed: views, strides
// and shared storage become dense copies. `bytes` is the whole file. Memory is bounded: what the tensors take
// together, spread out, may be at most 16 times the file.
absl::StatusOr<Checkpoint> ReadTorch(std::string_view bytes);

// Whether it starts as such a file does.
bool LooksLikeTorch(std::string_view bytes);

// The tensors as the bytes of a safetensors file, sorted by name.
absl::StatusOr<std::string> WriteSafetensors(std::vector<NamedTensor> tensors);

}  // namespace weft::weights

#endif  // WEFT_COMPILER_WEIGHTS_CHECKPOINT_H_
