// Which elements of a reduction count, where a mask leaves out the others.

#include "backends/halide/pipeline_builder.h"

namespace weft::backends {

using Halide::Expr;

namespace {

using Ends = llvm::SmallVector<passes::CountedEnd>;

Ends EndsOf(const ReduceView& view, llvm::StringRef name) {
  return passes::CountedEndsOf(mlir::cast<ir::ReduceOp>(view.op), name);
}

}  // namespace

// The largest or least value of `end` at the point of `context`, or at any of its tile.
Expr PipelineBuilder::EndOverTile(const passes::CountedEnd& end, const EquationView& equation,
                                  const Context& context, bool largest) {
  Expr sum = Number(end.constant);
  for (size_t i = 0; i < end.coefficients.size(); ++i) {
    int64_t coefficient = end.coefficients[i];
    if (coefficient == 0) continue;
    const void* index = equation.indices[i].getAsOpaquePointer();
    auto value = context.values.find(index);
    if (value == context.values.end()) return {};
    Expr at = value->second.e;
    auto tile = context.tiles.find(index);
    if (tile != context.tiles.end()) {
      for (const BaseLoop& loop : context.equation->loops) {
        if (loop.indices[0] != equation.indices[i]) continue;
        bool is_last = largest == (coefficient > 0);
        at = tile->second.outer * Number(loop.factor) + Number(is_last ? loop.factor - 1 : 0);
      }
    }
    sum += at * Number(coefficient);
  }
  return Halide::Internal::simplify(sum);
}

// One element counts at least.
PipelineBuilder::CountedSpan PipelineBuilder::CountedIn(const ReduceView& view, const Context& context,
                                                        const Expr& lower, const Expr& extent) {
  const EquationView& equation = *context.equation->view;
  CountedSpan span;
  Expr last = Halide::Internal::simplify(lower + extent - 1);
  for (const passes::CountedEnd& from : EndsOf(view, passes::kCountedFrom)) {
    Expr first = EndOverTile(from, equation, context, false);
    if (!first.defined()) return {};
    span.first = span.first.defined() ? Halide::max(span.first, first) : first;
  }
  for (const passes::CountedEnd& to : EndsOf(view, passes::kCountedTo)) {
    Expr end = EndOverTile(to, equation, context, true);
    if (!end.defined()) return {};
    end = Halide::Internal::simplify(end - 1);
    span.last = span.last.defined() ? Halide::min(span.last, end) : end;
  }
  if (span.first.defined()) span.first = Halide::max(Halide::min(span.first, last), lower);
  if (span.last.defined()) span.last = Halide::max(span.last, span.first.defined() ? span.first : lower);
  return span;
}

// Whether some reduction of the kernel does: of what it reads then a part is needed.
bool PipelineBuilder::SkipsMasked() const {
  return llvm::any_of(kernel_.equations, [](const EquationView& equation) {
    return llvm::any_of(equation.reduces, [](const ReduceView& reduce) {
      return reduce.op->hasAttr(passes::kCountedFrom) || reduce.op->hasAttr(passes::kCountedTo);
    });
  });
}

// Lets the loop `step` over steps of `length` elements from `begin` on run over those that hold what counts.
void PipelineBuilder::SkipSteps(Halide::RDom& domain, const Expr& step, const CountedSpan& span,
                                const Expr& begin, int64_t length) {
  auto steps = [&](const Expr& at) { return Halide::Internal::simplify((at - begin) / Number(length)); };
  if (span.last.defined()) domain.where(step <= steps(span.last));
  if (span.first.defined()) domain.where(step >= steps(span.first));
}

}  // namespace weft::backends
