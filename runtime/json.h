#ifndef WEFT_RUNTIME_JSON_H_
#define WEFT_RUNTIME_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace weft::runtime {

// Members keep their order.
using Json = nlohmann::ordered_json;

// As text; indented unless `indent` is negative. Bytes that are no UTF-8 are replaced.
inline std::string JsonText(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_JSON_H_
