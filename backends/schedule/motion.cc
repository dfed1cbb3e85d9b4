#include "backends/schedule/motion.h"

#include <algorithm>
#include <cstdlib>

#include "compiler/ir/weft_dialect.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {

std::vector<const ReadView*> InnerReads(const EquationView& view) {
  std::vector<const ReadView*> reads;
  for (const ReadView& read : view.reads) {
    for (const ReduceView& reduce : view.reduces) {
      if (reduce.op->isProperAncestor(read.op)) {
        reads.push_back(&read);
        break;
      }
    }
  }
  return reads;
}

bool HasFill(const std::vector<const ReadView*>& reads) {
  for (const ReadView* read : reads) {
    for (Outside outside : read->outside) {
      if (outside == Outside::kFill) return true;
    }
  }
  return false;
}

bool FillsAlong(const std::vector<const ReadView*>& reads, const std::vector<mlir::Value>& indices) {
  for (const ReadView* read : reads) {
    for (size_t axis = 0; axis < read->subscripts.size(); ++axis)
      if (read->outside[axis] == Outside::kFill && Mentions(indices, read->subscripts[axis])) return true;
  }
  return false;
}

std::vector<const ReadView*> ReadBesideSums(const EquationView& view,
                                            const std::vector<mlir::Value>& indices) {
  std::vector<const ReadView*> inner = InnerReads(view), beside;
  for (const ReadView& read : view.reads) {
    bool is_summed = std::find(inner.begin(), inner.end(), &read) != inner.end();
    if (is_summed || view.reduces.empty() || !mlir::isa<mlir::BlockArgument>(read.tensor)) continue;
    if (MotionOf(read, indices) != Motion::kStill) beside.push_back(&read);
  }
  return beside;
}

double BytesCovered(const ReadView& read, const std::vector<mlir::Value>& indices) {
  constexpr int64_t kAssumedExtent = 256;  // of what is told at run time
  double bytes = kElementBytes;
  auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
  for (int axis = 0; axis < type.getRank(); ++axis) {
    AffineForm form;
    if (!MatchAffine(read.subscripts[axis], &form)) continue;
    int64_t step = 0;
    for (mlir::Value index : indices) step = std::max(step, std::abs(form.Coefficient(index)));
    int64_t extent = type.isDynamicDim(axis) ? kAssumedExtent : type.getDimSize(axis);
    bytes *= static_cast<double>(step != 0 ? step : extent);
  }
  return bytes;
}

double BytesPerStep(const ReadView& read, const std::vector<mlir::Value>& indices) {
  return MotionOf(read, indices) == Motion::kStill ? 0 : BytesCovered(read, {indices.back()});
}

int64_t BytesBetween(const ReadView& read, mlir::Value index) {
  auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
  int64_t bytes = 0, stride = kElementBytes;
  for (int axis = static_cast<int>(type.getRank()) - 1; axis >= 0; --axis) {
    AffineForm form;
    if (stride < 0 || !MatchAffine(read.subscripts[axis], &form)) return 0;
    bytes += form.Coefficient(index) * stride;
    stride = type.isDynamicDim(axis) ? -1 : stride * type.getDimSize(axis);
  }
  return bytes;
}

bool EndsByData(const EquationView& view, const std::vector<mlir::Value>& indices) {
  for (const ReduceView& reduce : view.reduces) {
    for (const auto* bounds : {&reduce.lower, &reduce.upper}) {
      for (mlir::Value bound : *bounds) {
        AffineForm form;
        if (Mentions(indices, bound) && !MatchAffine(bound, &form)) return true;
      }
    }
  }
  return false;
}

bool CopiesReachPast(const EquationView& view, mlir::Value index,
                     const std::function<bool(const ReadView&)>& reaches) {
  for (const ReduceView& reduce : view.reduces) {
    for (mlir::Operation* user : index.getUsers()) {
      if (reduce.op->isProperAncestor(user) && !mlir::isa<ir::ReadOp>(user)) return false;
    }
    for (mlir::Value operand : reduce.op->getOperands()) {
      if (DependsOn(operand, index)) return false;
    }
    if (reduce.condition && DependsOn(reduce.condition, index)) return false;
  }
  for (const ReadView* read : InnerReads(view)) {
    Motion motion = MotionOf(*read, {index});
    if (motion == Motion::kStill || (reaches && reaches(*read))) continue;
    if (motion != Motion::kStrided && motion != Motion::kDense) return false;
    for (size_t axis = 0; axis < read->subscripts.size(); ++axis) {
      AffineForm form;
      if (read->outside[axis] != Outside::kInside || !MatchAffine(read->subscripts[axis], &form))
        return false;
    }
  }
  return true;
}

bool SlidesAlong(const Plan& plan, const std::vector<const ReadView*>& reads, size_t loop) {
  auto moves = [](const AffineForm& form, const std::vector<mlir::Value>& indices) {
    return std::any_of(indices.begin(), indices.end(),
                       [&](mlir::Value index) { return form.Coefficient(index) != 0; });
  };
  for (const ReadView* read : reads) {
    for (mlir::Value subscript : read->subscripts) {
      // Where data says how a window goes on with the loop, neighbours need not overlap.
      AffineForm form;
      if (!MatchAffine(subscript, &form) || !moves(form, plan.domain_indices[loop])) continue;
      for (const auto& reduced : plan.reduction_indices)
        if (moves(form, reduced)) return true;
    }
  }
  return false;
}

int WindowRows(const Plan& plan, const std::vector<const ReadView*>& reads, size_t lane) {
  for (size_t i = 0; i < lane; ++i)
    if (SlidesAlong(plan, reads, i)) return static_cast<int>(i);
  return -1;
}

bool Foldable(const EquationView& view, const std::string& loop) {
  for (const ReduceView& reduce : view.reduces) {
    for (size_t i = 0; i < reduce.loops.size(); ++i) {
      // Joined loops have a name of their own; they belong to sums and extremes always.
      if (reduce.loops[i] != loop) continue;
      int64_t ignored;
      return !reduce.otherwise && ConstantIndex(reduce.lower[i], &ignored) &&
             reduce.kind != ReduceKind::kArgMax && reduce.kind != ReduceKind::kArgMin &&
             reduce.kind != ReduceKind::kFirst && reduce.kind != ReduceKind::kLast;
    }
  }
  return true;
}

bool HasDenseLanes(const Plan& plan, size_t reduction, int64_t lanes) {
  const LoopInfo& loop = plan.reductions[reduction];
  bool dense = false;
  for (const ReadView* read : InnerReads(*plan.view)) {
    Motion motion = MotionOf(*read, plan.reduction_indices[reduction]);
    if (motion != Motion::kStill && motion != Motion::kDense && motion != Motion::kStrided) return false;
    dense |= motion == Motion::kDense;
  }
  return dense && Foldable(*plan.view, loop.name) && (loop.extent < 0 || loop.extent >= 2 * lanes);
}

bool MayGatherLanes(const Plan& plan, int64_t lanes) {
  const std::vector<mlir::Value>& indices = plan.domain_indices.back();
  if (plan.domain.back().extent >= 0 && plan.domain.back().extent < lanes) return false;
  for (size_t i = 0; i < plan.reductions.size(); ++i)
    if (HasDenseLanes(plan, i, lanes)) return false;
  std::vector<const ReadView*> reads = InnerReads(*plan.view);
  return std::all_of(reads.begin(), reads.end(), [&](const ReadView* read) {
    return MotionOf(*read, indices) != Motion::kOther ||
           std::any_of(read->subscripts.begin(), read->subscripts.end(), [&](mlir::Value subscript) {
             AffineForm form;
             return Mentions(indices, subscript) && !MatchAffine(subscript, &form);
           });
  });
}

}  // namespace weft::backends
