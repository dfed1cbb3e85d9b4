#ifndef WEFT_RUNTIME_SIZE_EXPRESSION_H_
#define WEFT_RUNTIME_SIZE_EXPRESSION_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/program_table.h"

namespace weft::runtime {

// The sizes of a program's dimensions, in its order; -1 where one is not known.
struct KnownSizes {
  const ProgramTable& table;
  const int64_t* values;
};

// The value of a size in the file's words, such as `2*H + 1`, `(W - 1) div 2`, `minimum(H, W)`, for known
// dimensions. Nothing if a dimension is not known, a division is not exact, or it is written in another way.
std::optional<int64_t> EvaluateSize(std::string_view text, const KnownSizes& sizes);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_SIZE_EXPRESSION_H_
