#ifndef WEFT_RUNTIME_MAIN_PRINT_H_
#define WEFT_RUNTIME_MAIN_PRINT_H_

#include <string>

#include "runtime/program_table.h"
#include "runtime/weft.h"

namespace weft::runtime {

// A dense tensor for people: name, type, shape, and its values, the middle of long axes left out.
std::string PrintTensor(const std::string& name, const weft_tensor& dense);

// Methods with their inputs and outputs, for people or as JSON: {"file", "entry", "methods": {NAME:
// {"inputs": [{"name", "type", "shape"}], "outputs": [...]}}, "dimensions": {NAME: {"lo", "hi", "step"}},
// "weights": [{"name", "type", "shape"}]}. In shapes, sizes of run time are texts.
std::string Describe(const ProgramTable& table, bool json);

}  // namespace weft::runtime

#endif  // WEFT_RUNTIME_MAIN_PRINT_H_
