#ifndef WEFT_BACKENDS_HOST_STEP_STATES_H_
#define WEFT_BACKENDS_HOST_STEP_STATES_H_

// Where the states of a loop lie while its steps run, and how slices get there and away.

#include "backends/host/host_builder.h"
#include "compiler/ir/loop_states.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace weft::backends {

class StepStates : protected HostBuilder {
 protected:
  using HostBuilder::HostBuilder;

  struct Place {
    Value pointer;                   // null where sizes alone are computed
    llvm::SmallVector<Value> sizes;  // index, one per axis
  };

  // A state of a loop while it runs. Slices lie in a ring of aligned rows: the one that is computed, unless
  // it is written over the one before, and as many before it as the window is wide. Steps are numbered as
  // they are run; what is given comes before 0.
  struct RunningState {
    ir::LoopState state;
    Place slice;           // without pointer
    bool is_late = false;  // whether the data decides how large it is
    Value row_bytes, aligned_bytes;
    int64_t ring_size = 0;
    bool is_program_state =
        false;            // the ring is the one row of the result, which a state of the program becomes
    Value ring, history;  // null where sizes alone are computed
    Value result;         // null where nothing is kept
    llvm::SmallVector<Value> given;
  };

  // Steps and what is given before them; null while the data has not decided how many there are.
  Value Positions(Value extent, int64_t given) {
    return extent ? mlir::arith::AddIOp::create(b_, loc_, extent, Index(given)).getResult() : nullptr;
  }

  // The row of the ring for a step; given slices are steps -1, -2, ...
  Value RingRow(const RunningState& state, Value count) {
    if (state.is_program_state) return state.ring;
    Value rows = Index(state.ring_size);
    Value shifted = mlir::arith::AddIOp::create(b_, loc_, count, rows);
    Value row = mlir::arith::RemSIOp::create(b_, loc_, shifted, rows);
    return Advance(state.ring, mlir::arith::MulIOp::create(b_, loc_, ToI64(row), state.aligned_bytes));
  }
  Value HistoryRow(const RunningState& state, Value base, Value position) {
    return Advance(base, mlir::arith::MulIOp::create(b_, loc_, ToI64(position), state.row_bytes));
  }
  void CopyRow(const RunningState& state, Value to, Value from) {
    mlir::LLVM::MemcpyOp::create(b_, loc_, to, from, state.row_bytes, /*isVolatile=*/false);
  }

  // What is given, where the first steps look for it.
  void StartState(const RunningState& state, Value extent, bool down) {
    if (state.is_program_state) return;  // the runtime has made it what the state is
    if (state.given.empty() && state.state.keep == ir::Keep::kLast) {
      Value zero = mlir::arith::ConstantIntOp::create(b_, loc_, b_.getI8Type(), 0);
      mlir::LLVM::MemsetOp::create(b_, loc_, state.ring, zero, state.row_bytes, /*isVolatile=*/false);
    }
    for (auto [i, given] : llvm::enumerate(state.given)) {
      auto number = static_cast<int64_t>(i);
      if (number <= state.state.window && (number == 0 || number < state.state.window))
        CopyRow(state, RingRow(state, Index(-1 - number)), given);
      if (!state.history) continue;
      Value position = down ? mlir::arith::AddIOp::create(b_, loc_, extent, Index(number)).getResult()
                            : Index(state.state.given - 1 - number);
      CopyRow(state, HistoryRow(state, state.history, position), given);
    }
  }

  // What a step has computed, where later steps and the result need it.
  void KeepSlice(const RunningState& state, Value count, Value index, bool down) {
    Value row = RingRow(state, count);
    if (state.state.keep == ir::Keep::kAll) CopyRow(state, HistoryRow(state, state.result, index), row);
    if (!state.history) return;
    Value position =
        down ? index : mlir::arith::AddIOp::create(b_, loc_, index, Index(state.state.given)).getResult();
    CopyRow(state, HistoryRow(state, state.history, position), row);
  }
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_STEP_STATES_H_
