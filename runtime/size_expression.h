#ifndef WEFT_RUNTIME_SIZE_EXPRESSION_H_
#define WEFT_RUNTIME_SIZE_EXPRESSION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weft::runtime {

// The value of a size in the file's words, such as `2*H + 1`, `(W - 1) div 2`, `minimum(H, W)`, for known
// dimensions. Nothing if a dimension is not known, a division is not exact, or it is written in another way.
std::optional<int64_t> EvaluateSize(std::string_view text,
                                    const std::map<std::string, int64_t, std::less<>>& dimensions);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_SIZE_EXPRESSION_H_
