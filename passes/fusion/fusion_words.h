#ifndef WEFT_PASSES_FUSION_FUSION_WORDS_H_
#define WEFT_PASSES_FUSION_FUSION_WORDS_H_

// What schedules say of the kernels that equations are in.

#include <optional>

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/StringRef.h"

namespace weft::passes {

// Whether a schedule wants `equation` to have a kernel of its own: it is composed and grouped with nothing.
bool IsAlone(ir::EquationOp equation);

// The path of the equation whose kernel a schedule wants `equation` to be in.
std::optional<llvm::StringRef> WantedKernel(ir::EquationOp equation);

}  // namespace weft::passes

#endif  // WEFT_PASSES_FUSION_FUSION_WORDS_H_
