#include <cstring>

#include "runtime/element_type.h"
#include "runtime/program.h"
#include "runtime/size_expression.h"

namespace weft::runtime {
namespace {

// "`photo` must be u8[H, W, 3]"
std::string Demand(const PortTable& port) {
  std::string text =
      std::string("`") + port.name + "` must be " + TypeName(static_cast<weft_type>(port.type));
  if (port.rank == 0) return text;
  text += "[";
  for (int32_t axis = 0; axis < port.rank; ++axis)
    text += std::string(axis > 0 ? ", " : "") + port.shape_text[axis];
  return text + "]";
}

Status CheckTensor(const PortTable& port, const weft_tensor& tensor) {
  weft_type type = static_cast<weft_type>(port.type);
  if (!SameInMemory(tensor.type, type))
    return InvalidArgument(Demand(port) + ", but its elements are " + TypeName(tensor.type));
  if (tensor.rank != port.rank)
    return InvalidArgument(Demand(port) + ", but it has " + std::to_string(tensor.rank) +
                           (tensor.rank == 1 ? " axis" : " axes"));
  for (int32_t axis = 0; axis < port.rank; ++axis)
    if (tensor.shape[axis] < 0 || (port.shape[axis] >= 0 && tensor.shape[axis] != port.shape[axis]))
      return InvalidArgument(Demand(port) + ", but it is " + ShapeText(tensor.shape, tensor.rank));
  int64_t count = ElementCount(tensor.shape, tensor.rank);
  if (count < 0 || count > (int64_t{1} << 44))
    return InvalidArgument(Demand(port) + ", but it is far too large");
  if (count > 0 && tensor.data == nullptr)
    return InvalidArgument(std::string("`") + port.name + "` has no data");
  return {};
}

Status CheckDimension(const DimensionTable& dimension, int64_t value, const PortTable& port) {
  bool inside = value >= dimension.lo && value <= dimension.hi;
  if (inside && (dimension.step <= 1 || (value - dimension.lo) % dimension.step == 0)) return {};
  std::string text = std::string(dimension.name) + " must be in " + std::to_string(dimension.lo) + ".." +
                     std::to_string(dimension.hi);
  if (dimension.step > 1) text += " step " + std::to_string(dimension.step);
  return InvalidArgument(text + ", but it is " + std::to_string(value) + " in `" + port.name + "`");
}

}  // namespace

Status Program::CheckInputs(Workspace& workspace, const MethodTable& method,
                            const weft_tensor* inputs) const {
  std::vector<int64_t>& values = workspace.sizes;
  std::vector<const char*>& origin = workspace.size_origins;
  values.assign(static_cast<size_t>(table_.dimension_count), -1);
  origin.resize(values.size());
  KnownSizes sizes = {table_, values.data()};
  for (int32_t i = 0; i < method.input_count; ++i) {
    const PortTable& port = method.inputs[i];
    if (Status status = CheckTensor(port, inputs[i]); !status.ok()) return status;
    for (int32_t axis = 0; axis < port.rank; ++axis) {
      for (size_t d = 0; d < values.size(); ++d) {
        const DimensionTable& dimension = table_.dimensions[d];
        if (std::strcmp(port.shape_text[axis], dimension.name) != 0) continue;
        int64_t value = inputs[i].shape[axis];
        if (values[d] < 0) {
          values[d] = value;
          origin[d] = port.name;
          if (Status status = CheckDimension(dimension, value, port); !status.ok()) return status;
        } else if (values[d] != value) {
          return InvalidArgument(std::string(dimension.name) + " is " + std::to_string(values[d]) + " in `" +
                                 origin[d] + "`, but " + std::to_string(value) + " in `" + port.name + "`");
        }
      }
    }
  }
  // Sizes made of several dimensions, now that all are known.
  for (int32_t i = 0; i < method.input_count; ++i) {
    const PortTable& port = method.inputs[i];
    for (int32_t axis = 0; axis < port.rank; ++axis) {
      if (port.shape[axis] >= 0) continue;
      std::optional<int64_t> expected = EvaluateSize(port.shape_text[axis], sizes);
      if (expected && *expected != inputs[i].shape[axis])
        return InvalidArgument(Demand(port) + ", but it is " + ShapeText(inputs[i].shape, port.rank) +
                               " where " + port.shape_text[axis] + " is " + std::to_string(*expected));
    }
  }
  for (int32_t i = 0; i < method.input_count; ++i) {
    const PortTable& port = method.inputs[i];
    weft_type type = static_cast<weft_type>(port.type);
    std::optional<int64_t> lo, hi;
    if (port.range_lo != nullptr) lo = EvaluateSize(port.range_lo, sizes);
    if (port.range_hi != nullptr) hi = EvaluateSize(port.range_hi, sizes);
    // The code relies on the range, so one that cannot be told is no range that may be left out.
    if (IsInteger(type) && ((port.range_lo != nullptr && !lo) || (port.range_hi != nullptr && !hi)))
      return InvalidArgument(std::string("the range of `") + port.name +
                             "` cannot be told: " + port.range_lo + ".." + port.range_hi);
    bool ranged = IsInteger(type) && (lo || hi);
    if (!ranged && type != WEFT_BOOL) continue;
    weft_tensor tensor = inputs[i];
    int64_t count = ElementCount(tensor.shape, tensor.rank), index[WEFT_MAX_RANK] = {};
    int64_t dense[WEFT_MAX_RANK], step = 1;
    for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) dense[axis] = step, step *= tensor.shape[axis];
    const int64_t* strides = tensor.strides != nullptr ? tensor.strides : dense;
    for (int64_t k = 0; k < count; ++k) {
      int64_t offset = 0;
      for (int32_t axis = 0; axis < tensor.rank; ++axis) offset += index[axis] * strides[axis];
      const char* element = static_cast<const char*>(tensor.data) + offset * ByteSize(type);
      if (type == WEFT_BOOL && static_cast<unsigned char>(*element) > 1)
        return InvalidArgument(std::string("`") + port.name +
                               "` is bool, but an element of it is neither 0 nor 1: at " +
                               ShapeText(index, tensor.rank));
      int64_t value = LoadInteger(element, type);
      if (type != WEFT_BOOL && ((lo && value < *lo) || (hi && value >= *hi)))
        return InvalidArgument(std::string("`") + port.name + "` must be in " +
                               (port.range_lo ? port.range_lo : "") + ".." +
                               (port.range_hi ? port.range_hi : "") + ", but it is " + std::to_string(value) +
                               (tensor.rank > 0 ? " at " + ShapeText(index, tensor.rank) : ""));
      for (int32_t axis = tensor.rank - 1; axis >= 0; --axis) {
        if (++index[axis] < tensor.shape[axis]) break;
        index[axis] = 0;
      }
    }
  }
  return {};
}

}  // namespace weft::runtime
