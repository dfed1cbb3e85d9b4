#ifndef WEFT_DSL_SEMA_BUILTINS_H_
#define WEFT_DSL_SEMA_BUILTINS_H_

#include <string>
#include <vector>

namespace weft::dsl::sema {

// Functions that the language knows without a declaration.
bool IsBuiltin(const std::string& name);
// Of numbers, and so of tensors element by element.
bool IsElementwiseBuiltin(const std::string& name);
std::vector<std::string> BuiltinNames();

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_BUILTINS_H_
