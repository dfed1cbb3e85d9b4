#ifndef WEFT_COMPILER_IR_LOOP_STATES_H_
#define WEFT_COMPILER_IR_LOOP_STATES_H_

#include <cstdint>

#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OperationSupport.h"

namespace weft::ir {

enum class Keep { kNone, kLast, kAll };

// One state of a loop of steps; see C3 to C5 of `weft.loop`.
struct LoopState {
  int64_t given = 0;
  int64_t window = 0;
  bool history = false;
  Keep keep = Keep::kAll;
  // Where its parts begin: in `from`, among the arguments behind the index, among the results (-1: none).
  unsigned first_given = 0;
  unsigned first_argument = 0;
  int result = -1;

  unsigned argument_count() const { return static_cast<unsigned>(window) + (history ? 1 : 0); }
};

struct LoopStates : llvm::SmallVector<LoopState> {
  using SmallVector::SmallVector;
  // Fills in where the parts of each state begin.
  void Number();
};

// From the attributes of a loop, which have one entry per state.
LoopStates ReadStates(mlir::DenseI64ArrayAttr given, mlir::DenseI64ArrayAttr window,
                      mlir::DenseBoolArrayAttr history, mlir::ArrayAttr keep);
// Sets those attributes.
void WriteStates(mlir::Builder& builder, const LoopStates& states, mlir::NamedAttrList& attributes);

// A slice's type with one more axis of `positions` (or of a size known at run time) in front.
mlir::RankedTensorType HistoryType(mlir::RankedTensorType slice, int64_t positions);

}  // namespace weft::ir

#endif  // WEFT_COMPILER_IR_LOOP_STATES_H_
