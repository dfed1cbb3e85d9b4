// Calls of ops in C, from compiled code.

#include <cstring>
#include <string>
#include <vector>

#include "runtime/element_type.h"
#include "runtime/program_table.h"
#include "runtime/workspace.h"

namespace weft::runtime {
namespace {

// bool is 0 or 1 for all that follows.
void MakeBool(uint8_t* data, int64_t count) {
  for (int64_t i = 0; i < count; ++i) data[i] = data[i] != 0;
}

// The place of an element as messages say it: "[2, 3]".
std::string PlaceText(int64_t position, const weft_tensor& tensor) {
  std::vector<int64_t> place(static_cast<size_t>(tensor.rank));
  for (int32_t axis = tensor.rank; axis-- > 0;) {
    place[static_cast<size_t>(axis)] = position % tensor.shape[axis];
    position /= tensor.shape[axis];
  }
  return ShapeText(place.data(), tensor.rank);
}

// What is wrong with a result; "" for nothing.
std::string OutsideRange(const char* name, const weft_tensor& result, int64_t low, int64_t high) {
  int64_t count = ElementCount(result.shape, result.rank);
  const auto* values = static_cast<const int64_t*>(result.data);
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] >= low && values[i] < high) continue;
    return std::string("`") + name + "` must be in " + std::to_string(low) + ".." + std::to_string(high) +
           ", but it is " + std::to_string(values[i]) +
           (result.rank > 0 ? " at " + PlaceText(i, result) : std::string());
  }
  return "";
}

}  // namespace
}  // namespace weft::runtime

using weft::runtime::Workspace;

extern "C" int32_t weft_call_extern(void* context, weft::runtime::ExternFunction function, const char* names,
                                    int32_t input_count, int32_t count, const int32_t* types,
                                    const int32_t* ranks, void* const* buffers, const int64_t* dims,
                                    const int64_t* bounds) {
  auto* workspace = static_cast<Workspace*>(context);
  std::vector<weft_tensor>& tensors = workspace->extern_tensors;
  tensors.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    weft_tensor& tensor = tensors[static_cast<size_t>(i)];
    tensor = {buffers[i], static_cast<weft_type>(types[i]), ranks[i], {}, nullptr};
    for (int32_t axis = 0; axis < ranks[i]; ++axis) tensor.shape[axis] = *dims++;
  }
  auto fail = [&](const std::string& text) {
    workspace->error = std::string("the extern op `") + names + "`" + text;
    return 1;
  };
  int32_t result = function(tensors.data(), tensors.data() + input_count);
  if (result != 0) return fail(" failed with code " + std::to_string(result));
  const char* name = names;
  for (int32_t i = input_count; i < count; ++i, bounds += 2) {
    name += std::strlen(name) + 1;
    const weft_tensor& tensor = tensors[static_cast<size_t>(i)];
    if (tensor.data != buffers[i]) return fail(std::string(" moved its result `") + name + "`");
    if (tensor.type == WEFT_BOOL)
      weft::runtime::MakeBool(static_cast<uint8_t*>(tensor.data),
                              weft::runtime::ElementCount(tensor.shape, tensor.rank));
    if (bounds[0] == INT64_MIN && bounds[1] == INT64_MAX) continue;
    std::string problem = weft::runtime::OutsideRange(name, tensor, bounds[0], bounds[1]);
    if (!problem.empty()) return fail(": " + problem);
  }
  return 0;
}
