#ifndef WEFT_COMPILER_WEIGHTS_PICKLE_H_
#define WEFT_COMPILER_WEIGHTS_PICKLE_H_

// Reads Python's pickle format without Python: nothing in the stream is imported or called. What it may hold
// are the values below; every other class or function that it names is an error that says which.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace weft::weights {

// A run of elements in the checkpoint: the torch class of its elements ("FloatStorage"), its key, its length.
// A view has `offset` elements before it in the storage that has the key.
struct Storage {
  std::string type, key;
  int64_t count = 0;
  int64_t offset = 0;
};

struct Tensor {
  Storage storage;
  std::string dtype;   // "float32" where the pickle says it itself; else empty, the storage's
  int64_t offset = 0;  // in elements, as the strides
  std::vector<int64_t> shape, strides;
};

struct PickleValue;
using PickleRef = const PickleValue*;  // lives as long as its Pickle; values may contain themselves

struct PickleValue {
  struct None {};
  struct Mark {};
  struct Global {  // a class or function, by name
    std::string name;
  };
  struct Sequence {  // list, tuple, set
    std::vector<PickleRef> elements;
  };
  struct Mapping {
    std::vector<std::pair<PickleRef, PickleRef>> items;
  };
  // A whole number that does not fit in 63 bits is a string of its bytes.
  // Storages and tensors are large and few.
  std::variant<None, Mark, bool, int64_t, double, std::string, Global, Sequence, Mapping,
               std::shared_ptr<const Storage>, std::shared_ptr<const Tensor>>
      node;

  template <typename T>
  const T* As() const {
    if constexpr (std::is_same_v<T, Storage> || std::is_same_v<T, Tensor>) {
      const auto* shared = std::get_if<std::shared_ptr<const T>>(&node);
      return shared ? shared->get() : nullptr;
    } else {
      return std::get_if<T>(&node);
    }
  }
};

class Pickle {
 public:
  // Reads one pickle from the front of `bytes`; `consumed` tells how long it was. One whose values would take
  // more than a quarter of a gigabyte is an error: that is millions of tensors. Errors name the byte.
  static absl::StatusOr<Pickle> Read(std::string_view bytes, size_t* consumed);

  PickleRef root() const { return root_; }
  std::vector<Storage> storages() const;  // all that it names

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  PickleRef root_ = nullptr;
};

}  // namespace weft::weights

#endif  // WEFT_COMPILER_WEIGHTS_PICKLE_H_
