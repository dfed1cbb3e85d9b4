#ifndef WEFT_RUNTIME_MAIN_HOST_TENSOR_H_
#define WEFT_RUNTIME_MAIN_HOST_TENSOR_H_

#include <cstdint>
#include <vector>

#include "runtime/element_type.h"
#include "runtime/workspace.h"

namespace weft::runtime {

// A dense tensor with its memory.
struct HostTensor {
  weft_type type = WEFT_F32;
  std::vector<int64_t> shape;
  Buffer data;

  int64_t count() const { return ElementCount(shape.data(), static_cast<int32_t>(shape.size())); }
  // Makes room for type and shape; false: there is no such memory or the rank is above WEFT_MAX_RANK.
  bool Allocate() {
    int64_t elements = count();
    return elements >= 0 && elements < (int64_t{1} << 44) && shape.size() <= WEFT_MAX_RANK &&
           data.Reserve(elements * ByteSize(type));
  }
  weft_tensor View() const {
    weft_tensor view = {};
    view.data = data.data();
    view.type = type;
    view.rank = static_cast<int32_t>(shape.size());
    for (size_t axis = 0; axis < shape.size(); ++axis) view.shape[axis] = shape[axis];
    return view;
  }
};

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_HOST_TENSOR_H_
