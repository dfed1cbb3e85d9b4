#include "passes/analysis/composition.h"

#include "compiler/ir/operand_name.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::OpBuilder;
using mlir::SmallVector;
using mlir::Value;

// Copies the body of `producer` to the insertion point with `indices` for its indices; returns result number
// `result`.
Value CloneBody(OpBuilder& builder, ir::EquationOp producer, unsigned result, mlir::ValueRange indices) {
  mlir::IRMapping mapping;
  mapping.map(producer.getBody().getArguments(), indices);
  for (mlir::Operation& op : producer.getBody().front().without_terminator()) builder.clone(op, mapping);
  return mapping.lookupOrDefault(YieldedValue(producer, result));
}

// The read that is the whole body of `producer`, if it is one.
ir::ReadOp OnlyRead(ir::EquationOp producer) {
  if (producer->getNumResults() != 1) return nullptr;
  return YieldedValue(producer, 0).getDefiningOp<ir::ReadOp>();
}

// Copies the body of `producer` for `read`. What only renames elements is called there as `read` calls it.
Value CloneBodyFor(OpBuilder& builder, ir::ReadOp read, ir::EquationOp producer, unsigned result,
                   mlir::ValueRange indices) {
  Value value = CloneBody(builder, producer, result, indices);
  auto renamed = value.getDefiningOp<ir::ReadOp>();
  if (renamed && OnlyRead(producer) && !ir::OperandNameOf(read).empty()) renamed->setLoc(read.getLoc());
  return value;
}

// The place in `range` 0..size that an adapted subscript means, by arithmetic.
Value Adapted(OpBuilder& builder, mlir::Location location, Value subscript, Value size, ir::Outside outside) {
  Value zero = arith::ConstantIndexOp::create(builder, location, 0);
  Value one = arith::ConstantIndexOp::create(builder, location, 1);
  Value last = arith::SubIOp::create(builder, location, size, one);
  auto floor_mod = [&](Value value, Value modulus) -> Value {
    Value remainder = arith::RemSIOp::create(builder, location, value, modulus);
    Value negative = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, remainder, zero);
    Value raised = arith::AddIOp::create(builder, location, remainder, modulus);
    return arith::SelectOp::create(builder, location, negative, raised, remainder);
  };
  if (outside == ir::Outside::clamp) {
    Value low = arith::MaxSIOp::create(builder, location, subscript, zero);
    return arith::MinSIOp::create(builder, location, low, last);
  }
  if (outside == ir::Outside::wrap) return floor_mod(subscript, size);
  // Mirrored about the first and last element without repeating them: a period of 2 * last, and 0 if there is
  // one element.
  Value period = arith::AddIOp::create(builder, location, last, last);
  Value safe_period = arith::MaxSIOp::create(builder, location, period, one);
  Value place = floor_mod(subscript, safe_period);
  Value back = arith::SubIOp::create(builder, location, period, place);
  Value folded = arith::MinSIOp::create(builder, location, place, back);
  return arith::MaxSIOp::create(builder, location, folded, zero);
}

}  // namespace

bool GuardMoves(ir::EquationOp producer, unsigned axis) {
  ir::ReadOp inner = OnlyRead(producer);
  if (!inner) return false;
  Value index = producer.getBody().getArgument(axis);
  if (!index.hasOneUse()) return false;
  for (auto [position, subscript] : llvm::enumerate(inner.getSubscripts()))
    if (subscript == index)
      return OutsideOf(inner)[position] == ir::Outside::inside &&
             AxisHasSize(inner.getTensor(), position, ExtentsOf(producer)[axis]);
  return false;
}

Value ComposeRead(OpBuilder& builder, ir::ReadOp read) {
  mlir::OpBuilder::InsertionGuard insertion(builder);
  builder.setInsertionPoint(read);
  mlir::Location location = read.getLoc();
  auto producer = DefiningEquation(read.getTensor());
  unsigned result = mlir::cast<mlir::OpResult>(read.getTensor()).getResultNumber();
  SmallVector<ir::Outside> outside = OutsideOf(read);
  SmallVector<Value> indices(read.getSubscripts());

  if (IsInside(read)) return CloneBodyFor(builder, read, producer, result, indices);

  bool all_move = true;
  ir::ReadOp inner = OnlyRead(producer);
  for (auto [axis, behaviour] : llvm::enumerate(outside))
    all_move &= behaviour == ir::Outside::inside || GuardMoves(producer, axis);
  // One read has one fill: where both have one, the inner one must not be asked outside the outer one's
  // range.
  if (inner && inner.getFill() && read.getFill()) all_move = false;
  if (all_move) {
    Value value = CloneBody(builder, producer, result, indices);
    auto moved = value.getDefiningOp<ir::ReadOp>();
    SmallVector<ir::Outside> moved_outside = OutsideOf(inner);
    for (auto [axis, behaviour] : llvm::enumerate(outside)) {
      if (behaviour == ir::Outside::inside) continue;
      Value index = producer.getBody().getArgument(axis);
      for (auto [position, subscript] : llvm::enumerate(inner.getSubscripts()))
        if (subscript == index) moved_outside[position] = behaviour;
    }
    Value fill = read.getFill() ? read.getFill() : moved.getFill();
    auto guarded =
        CreateRead(builder, location, moved.getTensor(), moved.getSubscripts(), moved_outside, fill);
    moved.erase();
    return guarded.getResult();
  }

  // Adapt what is adapted, then compute the body only where the filled subscripts are inside.
  Value inside;
  Value zero = arith::ConstantIndexOp::create(builder, location, 0);
  for (auto [axis, behaviour] : llvm::enumerate(outside)) {
    if (behaviour == ir::Outside::inside) continue;
    Value size = AsIndex(builder, location, ExtentsOf(producer)[axis]);
    if (behaviour != ir::Outside::fill) {
      indices[axis] = Adapted(builder, location, indices[axis], size, behaviour);
      continue;
    }
    Value above = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::sge, indices[axis], zero);
    Value below = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, indices[axis], size);
    Value both = arith::AndIOp::create(builder, location, above, below);
    inside = inside ? arith::AndIOp::create(builder, location, inside, both).getResult() : both;
  }
  if (!inside) return CloneBody(builder, producer, result, indices);
  auto branch = mlir::scf::IfOp::create(builder, location, mlir::TypeRange{read.getResult().getType()},
                                        inside, /*addThenBlock=*/true, /*addElseBlock=*/true);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value value = CloneBody(builder, producer, result, indices);
  mlir::scf::YieldOp::create(builder, location, value);
  builder.setInsertionPointToStart(branch.elseBlock());
  mlir::scf::YieldOp::create(builder, location, read.getFill());
  return branch.getResult(0);
}

void ComposeReads(OpBuilder& builder, llvm::ArrayRef<ir::ReadOp> reads) {
  for (ir::ReadOp read : reads) {
    Value value = ComposeRead(builder, read);
    read.getResult().replaceAllUsesWith(value);
    mlir::Operation* op = read;
    op->erase();
  }
}

}  // namespace weft::passes
