#ifndef WEFT_RUNTIME_NEAREST_NAME_H_
#define WEFT_RUNTIME_NEAREST_NAME_H_

#include <string>
#include <string_view>
#include <vector>

namespace weft::runtime {

// Of `known`, the name with the fewest edits to `name`; empty if none is near (a third of its letters wrong).
std::string NearestName(std::string_view name, const std::vector<std::string>& known);

// "; did you mean `NAME`?", or nothing if none is near.
std::string Suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_NEAREST_NAME_H_
