// Loops of steps: states in memory, one plain loop around the equations of a step.

#include <algorithm>

#include "backends/loops/translator.h"

namespace weft::backends::loops {

// Memory for all states, with what is given in it.
void Translator::StartStates(ir::LoopOp op, Value extent, SmallVector<StepState>& states) {
  bool down = op.getOrder() == ir::LoopOrder::down;
  unsigned next_size = 0;
  for (auto [state, slice] :
       llvm::zip_equal(op.getStates(), op.getBody().front().getTerminator()->getOperandTypes())) {
    auto type = mlir::cast<mlir::RankedTensorType>(slice);
    StepState& own = states.emplace_back();
    own.state = state;
    own.slice.element = type.getElementType();
    for (int64_t size : type.getShape())
      own.slice.sizes.push_back(mlir::ShapedType::isDynamic(size) ? Mapped(op.getSizes()[next_size++])
                                                                  : Index(size));
    own.bytes = ByteSize(own.slice);
    for (int64_t i = 0; i < state.given; ++i)
      own.given.push_back(tensors_[op.getFrom()[state.first_given + static_cast<unsigned>(i)]].pointer);
    auto positions = [&](Value count) {
      SmallVector<Value> sizes{count};
      llvm::append_range(sizes, own.slice.sizes);
      return sizes;
    };
    Value result = state.result >= 0 ? op.getResult(static_cast<unsigned>(state.result)) : Value();
    int64_t open = mlir::ShapedType::kDynamic;
    if (state.keep == ir::Keep::kAll) {
      auto all = mlir::cast<mlir::RankedTensorType>(result.getType());
      tensors_[result] = Allocate(all, positions(extent), result);
      own.rows = tensors_[result].pointer;
    } else {
      Value count = Index(state.window + 1);
      own.rows = Allocate(ir::HistoryType(type, state.window + 1), positions(count), Value()).pointer;
      if (state.given == 0)
        LLVM::MemsetOp::create(b_, loc_, own.rows, Zero(b_.getI8Type()), own.bytes, /*isVolatile=*/false);
      for (int64_t i = 0; i < std::min(state.given, std::max<int64_t>(state.window, 1)); ++i)
        LLVM::MemcpyOp::create(b_, loc_, RowOfStep(own, Index(0), extent, down, i + 1),
                               own.given[static_cast<size_t>(i)], own.bytes, /*isVolatile=*/false);
    }
    if (state.keep == ir::Keep::kLast) {
      tensors_[result] = Allocate(type, own.slice.sizes, result);
      own.last = tensors_[result].pointer;
    }
    if (!state.history) continue;
    if (state.keep == ir::Keep::kAll && state.given == 0) {
      own.history = own.rows;
      continue;
    }
    Value count = arith::AddIOp::create(b_, loc_, extent, Index(state.given));
    own.history = Allocate(ir::HistoryType(type, open), positions(count), Value()).pointer;
    for (int64_t i = 0; i < state.given; ++i) {
      Value position =
          down ? arith::AddIOp::create(b_, loc_, extent, Index(i)).getResult() : Index(state.given - 1 - i);
      LLVM::MemcpyOp::create(b_, loc_, RowAt(own.history, position, own.bytes),
                             own.given[static_cast<size_t>(i)], own.bytes, /*isVolatile=*/false);
    }
  }
}

Value Translator::RowAt(Value base, Value position, Value bytes) {
  return LLVM::GEPOp::create(b_, loc_, pointer_type_, b_.getI8Type(), base,
                             mlir::ValueRange{arith::MulIOp::create(b_, loc_, ToI64(position), bytes)});
}

// Where the slice lies that was computed `ago` steps before `step`, or given.
Value Translator::RowOfStep(const StepState& state, Value step, Value extent, bool down, int64_t ago) {
  Value count = arith::SubIOp::create(b_, loc_, step, Index(ago));
  if (state.state.keep != ir::Keep::kAll) {
    Value rows = Index(state.state.window + 1);
    Value row = arith::RemSIOp::create(b_, loc_, arith::AddIOp::create(b_, loc_, count, rows), rows);
    return RowAt(state.rows, row, state.bytes);
  }
  Value position = count;
  if (down)
    position = arith::SubIOp::create(b_, loc_, arith::SubIOp::create(b_, loc_, extent, Index(1)), count);
  Value row = RowAt(state.rows, position, state.bytes);
  for (int64_t i = 0; i < ago; ++i) {
    Value is_given = Compare(arith::CmpIPredicate::eq, count, Index(-1 - i));
    row = LLVM::SelectOp::create(b_, loc_, is_given, state.given[static_cast<size_t>(i)], row);
  }
  return row;
}

LogicalResult Translator::EmitSteps(ir::LoopOp op) {
  Value extent = Mapped(op.getMixedExtents()[0]);
  bool down = op.getOrder() == ir::LoopOrder::down;
  mlir::Block& body = op.getBody().front();
  mlir::OperandRange slices = body.getTerminator()->getOperands();
  SmallVector<StepState> states;
  StartStates(op, extent, states);
  // Memory that is taken in a loop is not given back in it.
  for (auto equation : body.getOps<ir::EquationOp>())
    for (Value result : equation->getResults())
      if (!llvm::is_contained(slices, result)) {
        auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
        if (!type.hasStaticShape()) return equation.emitOpError("has no fixed size in a kernel's steps");
        SmallVector<Value> sizes =
            llvm::map_to_vector(type.getShape(), [&](int64_t size) { return Index(size); });
        result_buffers_[result] = Allocate(type, sizes, Value()).pointer;
      }

  auto loop = scf::ForOp::create(b_, loc_, Index(0), extent, Index(1));
  {
    OpBuilder::InsertionGuard guard(b_);
    b_.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar(), position = step;
    if (down)
      position = arith::SubIOp::create(b_, loc_, arith::SubIOp::create(b_, loc_, extent, Index(1)), step);
    scalars_.map(body.getArgument(0), position);
    SmallVector<Value> rows;
    for (auto [state, slice] : llvm::zip_equal(states, slices)) {
      rows.push_back(RowOfStep(state, step, extent, down, 0));
      unsigned argument = 1 + state.state.first_argument;
      for (int64_t i = 0; i < state.state.window; ++i) {
        Place place = state.slice;
        place.pointer = RowOfStep(state, step, extent, down, i + 1);
        tensors_[body.getArgument(argument++)] = place;
      }
      if (state.state.history) {
        Place whole{state.history,
                    {arith::AddIOp::create(b_, loc_, extent, Index(state.state.given))},
                    state.slice.element};
        llvm::append_range(whole.sizes, state.slice.sizes);
        tensors_[body.getArgument(argument)] = whole;
      }
      bool is_own = slice.getDefiningOp<ir::EquationOp>() && slice.getParentBlock() == &body;
      if (is_own) result_buffers_.try_emplace(slice, rows.back());
    }
    if (mlir::failed(EmitBody(body))) return mlir::failure();
    for (auto [state, slice, row] : llvm::zip_equal(states, slices, rows)) {
      Value computed = tensors_[slice].pointer;
      if (computed != row) LLVM::MemcpyOp::create(b_, loc_, row, computed, state.bytes, /*isVolatile=*/false);
      if (!state.history || state.history == state.rows) continue;
      Value at =
          down ? position : arith::AddIOp::create(b_, loc_, position, Index(state.state.given)).getResult();
      LLVM::MemcpyOp::create(b_, loc_, RowAt(state.history, at, state.bytes), row, state.bytes,
                             /*isVolatile=*/false);
    }
  }
  for (StepState& state : states)
    if (state.last)
      LLVM::MemcpyOp::create(b_, loc_, state.last, RowOfStep(state, extent, extent, down, 1), state.bytes,
                             /*isVolatile=*/false);
  return mlir::success();
}

}  // namespace weft::backends::loops
