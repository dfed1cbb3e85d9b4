// Copies of tensors that are dense along another axis, for vectors along it.

#include "absl/strings/str_cat.h"
#include "backends/halide/pipeline_builder.h"

namespace weft::backends {

using Halide::Expr;
using Halide::Var;

// Of what is dense along the lanes already, where their tiles go past the end: there the copy can be read.
bool PipelineBuilder::GoesToCopy(const ReadView& read, const BaseLoop& loop) {
  if (loop.indices.size() > 1) return false;
  Motion motion = MotionOf(read, loop.indices);
  bool whole = loop.fixed >= 0 && loop.fixed % std::max<int64_t>(1, loop.factor) == 0;
  return motion == Motion::kStrided || (motion == Motion::kDense && loop.tiled && loop.overruns && !whole);
}

// From a copy that is dense along the axis on which the vectorized loop steps.
absl::StatusOr<Scalar> PipelineBuilder::ReadTransposed(const ReadView& read, const Tensor& tensor,
                                                       const std::vector<Scalar>& subscripts,
                                                       Context& context) {
  size_t dense = 0;
  Coordinate panel;
  int64_t factor = 0;
  for (size_t i = 0; i < context.equation->loops.size(); ++i) {
    const BaseLoop& loop = context.equation->loops[i];
    if (!GoesToCopy(read, loop)) continue;
    if (!loop.lanes && !context.equation->nest.Find(loop.name).vectorized) continue;
    for (size_t g = 0; g < tensor.groups.size(); ++g) {
      mlir::Value subscript = read.subscripts[tensor.groups[g].first];
      if (!DependsOn(subscript, loop.indices[0])) continue;
      dense = g;
      bool is_whole = loop.fixed >= 0 && loop.fixed % std::max<int64_t>(1, loop.factor) == 0;
      if (subscript == loop.indices[0] && loop.tiled && is_whole)
        panel = context.loops[i], factor = loop.factor;
    }
  }
  std::string key =
      absl::StrCat(context.equation->view->loops.path, " ", reinterpret_cast<uintptr_t>(read.op));
  auto [it, added] = transposed_.try_emplace(key, "transposed");
  // By panels, so that what a tile reads lies together: rows of whole axes would share few lines of the
  // cache.
  std::vector<Expr> at;
  for (const Scalar& s : subscripts) at.insert(at.begin(), ToIndex(s));
  if (factor > 0) {
    at[tensor.groups.size() - 1 - dense] = panel.outer;
    at.insert(at.begin(), panel.inner);
  }
  if (added) {
    std::vector<Var> vars;
    std::vector<Expr> from;
    Var lane("lane");
    for (size_t g = 0; g < tensor.groups.size(); ++g) {
      Var v(absl::StrCat("t", g));
      vars.insert(vars.begin(), v);
      const AxisGroup& group = tensor.groups[g];
      Expr place = g == dense && factor > 0 ? v * Expr(static_cast<int32_t>(factor)) + lane : Expr(v);
      // By whole vectors but for the last ones.
      Expr inside = factor > 0 ? place : Halide::likely(place);
      from.push_back(g == dense ? Halide::max(Halide::min(inside, group.extent - 1), 0) : place);
    }
    if (factor > 0) vars.insert(vars.begin(), lane);
    it->second(vars) = Load(tensor, from);
    int dimension = factor > 0 ? 0 : static_cast<int>(tensor.groups.size() - 1 - dense);
    context.equation->transposed.push_back({it->second, dimension, factor});
  }
  return FromStorage(it->second(at), tensor.element);
}

}  // namespace weft::backends
