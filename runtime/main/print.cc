#include "runtime/main/print.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "runtime/element_type.h"
#include "runtime/json.h"
#include "runtime/weights.h"

namespace weft::runtime {
namespace {

constexpr int64_t kShownWhole = 1000;  // elements; of more, the edges of every axis are shown
constexpr int64_t kEdge = 3;

std::string ElementText(const char* data, weft_type type) {
  if (type == WEFT_BOOL) return *data != 0 ? "true" : "false";
  if (!IsFloat(type)) return std::to_string(LoadInteger(data, type));
  char text[40];
  std::snprintf(text, sizeof(text), "%.6g", LoadFloat(data, type));
  return text;
}

class TensorPrinter {
 public:
  explicit TensorPrinter(const weft_tensor& tensor)
      : tensor_(tensor), whole_(ElementCount(tensor.shape, tensor.rank) <= kShownWhole) {}

  std::string Run() {
    Measure(0, 0);
    Print(0, 0);
    return text_;
  }

 private:
  template <typename Visit>
  void ForShown(int32_t axis, Visit visit) {
    int64_t size = tensor_.shape[axis];
    for (int64_t i = 0; i < size; ++i) {
      if (!whole_ && size > 2 * kEdge && i == kEdge) {
        visit(-1);
        i = size - kEdge;
      }
      visit(i);
    }
  }

  const char* At(int64_t offset) const {
    return static_cast<const char*>(tensor_.data) + offset * ByteSize(tensor_.type);
  }

  void Measure(int32_t axis, int64_t offset) {
    if (axis == tensor_.rank) {
      width_ = std::max(width_, ElementText(At(offset), tensor_.type).size());
      return;
    }
    ForShown(axis, [&](int64_t i) {
      if (i >= 0) Measure(axis + 1, offset * tensor_.shape[axis] + i);
    });
  }

  void Print(int32_t axis, int64_t offset) {
    if (axis == tensor_.rank) {
      std::string element = ElementText(At(offset), tensor_.type);
      text_ += std::string(tensor_.rank == 0 ? 0 : width_ - element.size(), ' ') + element;
      return;
    }
    bool innermost = axis + 1 == tensor_.rank;
    text_ += "[";
    int64_t shown = 0;
    ForShown(axis, [&](int64_t i) {
      if (shown > 0)
        text_ +=
            innermost && shown % 10 != 0 ? ", " : ",\n" + std::string(static_cast<size_t>(axis) + 3, ' ');
      ++shown;
      if (i < 0) {
        text_ += "...";
      } else {
        Print(axis + 1, offset * tensor_.shape[axis] + i);
      }
    });
    text_ += "]";
  }

  const weft_tensor& tensor_;
  bool whole_;
  size_t width_ = 0;
  std::string text_;
};

Json PortsJson(const PortTable* ports, int32_t count) {
  Json list = Json::array();
  for (int32_t i = 0; i < count; ++i) {
    const PortTable& port = ports[i];
    Json shape = Json::array();
    for (int32_t axis = 0; axis < port.rank; ++axis)
      shape.push_back(port.shape[axis] >= 0 ? Json(port.shape[axis]) : Json(port.shape_text[axis]));
    Json& json = list.emplace_back();
    json["name"] = port.name;
    json["type"] = TypeName(static_cast<weft_type>(port.type));
    json["shape"] = std::move(shape);
    if (port.range_lo != nullptr && port.range_hi != nullptr) json["range"] = {port.range_lo, port.range_hi};
    if (*port.doc != 0) json["doc"] = port.doc;
  }
  return list;
}

std::string DescribeJson(const ProgramTable& table) {
  Json json = {{"file", table.file}, {"entry", table.entry}};
  Json& methods = json["methods"] = Json::object();
  for (int32_t i = 0; i < table.method_count; ++i) {
    const MethodTable& method = table.methods[i];
    Json& described = methods[method.name] = Json::object();
    if (*method.doc != 0) described["doc"] = method.doc;
    described["inputs"] = PortsJson(method.inputs, method.input_count);
    described["outputs"] = PortsJson(method.outputs, method.output_count);
    Json& variants = described["variants"] = Json::array();
    for (int32_t k = 0; k + 1 < method.code_count; ++k) variants.push_back(method.codes[k].sizes);
  }
  Json& dimensions = json["dimensions"] = Json::object();
  for (int32_t i = 0; i < table.dimension_count; ++i) {
    const DimensionTable& dimension = table.dimensions[i];
    dimensions[dimension.name] = {{"lo", dimension.lo}, {"hi", dimension.hi}, {"step", dimension.step}};
  }
  Json& weights = json["weights"] = Json::array();
  Json& states = json["states"] = Json::array();
  for (int32_t i = 0; i < table.weight_count; ++i) {
    const WeightTable& weight = table.weights[i];
    (weight.changes ? states : weights)
        .push_back({{"name", weight.path},
                    {"type", TypeName(static_cast<weft_type>(weight.type))},
                    {"shape", std::vector<int64_t>(weight.shape, weight.shape + weight.rank)}});
  }
  return JsonText(json, 1) + "\n";
}

std::string PortText(const char* word, const PortTable& port) {
  std::string text =
      std::string("  ") + word + " " + port.name + ": " + TypeName(static_cast<weft_type>(port.type));
  if (port.rank > 0) {
    text += "[";
    for (int32_t axis = 0; axis < port.rank; ++axis)
      text += std::string(axis > 0 ? ", " : "") + port.shape_text[axis];
    text += "]";
  }
  if (port.range_lo != nullptr && port.range_hi != nullptr)
    text += std::string(" in ") + port.range_lo + ".." + port.range_hi;
  if (*port.doc != 0) text += std::string("  // ") + port.doc;
  return text + "\n";
}

}  // namespace

std::string PrintTensor(const std::string& name, const weft_tensor& dense) {
  std::string text =
      name + ": " + TypeName(dense.type) + (dense.rank > 0 ? ShapeText(dense.shape, dense.rank) : "");
  if (dense.rank == 0) return text + " = " + TensorPrinter(dense).Run() + "\n";
  return text + "\n  " + TensorPrinter(dense).Run() + "\n";
}

std::string Describe(const ProgramTable& table, bool json) {
  if (json) return DescribeJson(table);
  std::string text = std::string("entry ") + table.entry + " of " + table.file + "\n";
  for (int32_t i = 0; i < table.dimension_count; ++i) {
    const DimensionTable& dimension = table.dimensions[i];
    text += std::string("  dim ") + dimension.name + " in " + std::to_string(dimension.lo) + ".." +
            std::to_string(dimension.hi);
    if (dimension.step > 1) text += " step " + std::to_string(dimension.step);
    text += "\n";
  }
  for (int32_t i = 0; i < table.method_count; ++i) {
    const MethodTable& method = table.methods[i];
    text += std::string("method ") + method.name +
            (*method.doc != 0 ? std::string("  // ") + method.doc : "") + "\n";
    for (int32_t k = 0; k < method.input_count; ++k) text += PortText("input", method.inputs[k]);
    for (int32_t k = 0; k < method.output_count; ++k) text += PortText("output", method.outputs[k]);
    for (int32_t k = 0; k + 1 < method.code_count; ++k)
      text += std::string("  code of its own for ") + method.codes[k].sizes + "\n";
  }
  int64_t elements = 0;
  for (int32_t i = 0; i < table.weight_count; ++i) {
    const WeightTable& state = table.weights[i];
    if (state.changes)
      text += std::string("state ") + state.path + ": " + DeclarationText(state) +
              (state.has_range ? " in " + std::to_string(state.lo) + ".." + std::to_string(state.hi) : "") +
              "\n";
  }
  int32_t weights = 0;
  for (int32_t i = 0; i < table.weight_count; ++i) {
    if (table.weights[i].changes) continue;
    ++weights;
    elements += ElementCount(table.weights[i].shape, table.weights[i].rank);
  }
  text += "weights: " + std::to_string(weights) + " tensors, " + std::to_string(elements) + " elements" +
          (table.embedded != nullptr ? ", inside the program\n" : "\n");
  return text;
}

}  // namespace weft::runtime
