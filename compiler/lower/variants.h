#ifndef WEFT_COMPILER_LOWER_VARIANTS_H_
#define WEFT_COMPILER_LOWER_VARIANTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dsl/program/program.h"

namespace weft::lower {

struct Variant {
  const dsl::Program* program;
  std::map<std::string, int64_t> sizes;
};

// The variants of a program that its method `number` gets code of: one for each combination of those hot
// sizes on which the inputs of the method depend, with these.
std::vector<Variant> VariantsOf(const dsl::Program& program, size_t number);

}  // namespace weft::lower

#endif  // WEFT_COMPILER_LOWER_VARIANTS_H_
