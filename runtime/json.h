#ifndef WEFT_RUNTIME_JSON_H_
#define WEFT_RUNTIME_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/status.h"

namespace weft::runtime {

// A JSON value. Whole numbers that fit are int64_t, others double. Members keep their order.
struct Json {
  using Array = std::vector<Json>;
  struct Object {
    std::vector<std::string> names;
    std::vector<Json> values;  // one per name
  };
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object> value;

  const Object* AsObject() const { return std::get_if<Object>(&value); }
  const Array* AsArray() const { return std::get_if<Array>(&value); }
  const std::string* AsString() const { return std::get_if<std::string>(&value); }
  const int64_t* AsInteger() const { return std::get_if<int64_t>(&value); }
};

// Reads one value that fills `text` but for white space. Nesting deeper than 32, more than four million
// values and a name that is twice in an object are errors; errors name the byte.
Result<Json> ParseJson(std::string_view text);

// `text` in quotes, with what must be escaped escaped.
std::string JsonQuote(std::string_view text);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_JSON_H_
