// What bounds of reductions can be at most, as numbers of the whole kernel.

#include "backends/halide/pipeline_builder.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::backends {

using Halide::Expr;
namespace arith = mlir::arith;

// Whether `e` has one value for the whole kernel, so that it may bound a reduction domain.
bool PipelineBuilder::IsUniform(const Expr& e) {
  class Visitor : public Halide::Internal::IRGraphVisitor {
   public:
    bool uniform = true;
    using IRGraphVisitor::visit;
    void visit(const Halide::Internal::Variable* op) override { uniform &= op->param.defined(); }
  } visitor;
  e.accept(&visitor);
  return visitor.uniform && !ReadsElements(e);
}

// The largest (or least) value of `e` at any point of the loops; undefined if it is not known for the whole
// kernel.
Expr PipelineBuilder::LimitOverLoops(const Expr& e, const std::vector<BaseLoop>& loops, bool largest) {
  using Halide::Internal::Interval;
  Halide::Internal::Scope<Interval> scope;
  for (const BaseLoop& loop : loops) {
    if (!loop.tiled) {
      scope.push(loop.name, Interval(0, loop.extent - 1));
      continue;
    }
    auto factor = Expr(static_cast<int32_t>(loop.factor));
    scope.push(loop.inner_name, Interval(0, factor - 1));
    scope.push(loop.outer_name, Interval(0, (loop.extent + factor - 1) / factor - 1));
  }
  Interval bounds = Halide::Internal::bounds_of_expr_in_scope(e, scope);
  if (!(largest ? bounds.has_upper_bound() : bounds.has_lower_bound())) return {};
  Expr limit = Halide::Internal::simplify(largest ? bounds.max : bounds.min);
  return IsUniform(limit) ? limit : Expr();
}

// The same of a value of the IR, through elements of tensors that the kernel computes itself.
Expr PipelineBuilder::LimitOfValue(mlir::Value value, bool largest) {
  mlir::Block* kernel = &kernel_.op->getRegion(0).front();
  mlir::Operation* op = value.getDefiningOp();
  int64_t number = 0;
  if (ConstantIndex(value, &number) || (op ? op->getBlock() : value.getParentBlock()) == kernel) {
    auto known = Translate(value, root_);
    return known.ok() && known->narrow && IsUniform(known->e) ? known->e : Expr();
  }
  if (!op) return {};
  if (mlir::isa<arith::IndexCastOp>(op)) return LimitOfValue(op->getOperand(0), largest);
  if (mlir::isa<ir::ReadOp>(op)) {
    ReadView read = ViewRead(op);
    for (Outside outside : read.outside) {
      if (outside == Outside::kFill) return {};
    }
    for (const EquationView& equation : kernel_.equations) {
      for (size_t i = 0; i < equation.results.size(); ++i) {
        if (equation.results[i] == read.tensor) return LimitOfValue(equation.bodies[i], largest);
      }
    }
    return {};
  }
  if (!mlir::isa<arith::MinSIOp, arith::MaxSIOp, arith::SelectOp>(op)) return {};
  size_t first = mlir::isa<arith::SelectOp>(op) ? 1 : 0;
  Expr a = LimitOfValue(op->getOperand(first), largest), b = LimitOfValue(op->getOperand(first + 1), largest);
  // One operand is enough for the side that the extreme cuts off.
  bool one = mlir::isa<arith::MinSIOp>(op) ? largest : mlir::isa<arith::MaxSIOp>(op) && !largest;
  if (!a.defined() || !b.defined()) return one ? (a.defined() ? a : b) : Expr();
  return largest == one ? Halide::min(a, b) : Halide::max(a, b);
}

}  // namespace weft::backends
