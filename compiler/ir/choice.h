#ifndef WEFT_COMPILER_IR_CHOICE_H_
#define WEFT_COMPILER_IR_CHOICE_H_

#include "llvm/ADT/StringRef.h"

namespace weft::ir {

// Of the first branch of `if k == 0 ... else if k == 1 ...`, which chooses an element of a list: how many
// there are.
inline constexpr llvm::StringLiteral kChoice = "weft.choice";

// Of a size that the data decides (`weft.found`): about how large it will be.
inline constexpr llvm::StringLiteral kAbout = "weft.about";

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_CHOICE_H_
