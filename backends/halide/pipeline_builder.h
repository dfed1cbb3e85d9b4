#ifndef WEFT_BACKENDS_HALIDE_PIPELINE_BUILDER_H_
#define WEFT_BACKENDS_HALIDE_PIPELINE_BUILDER_H_

// A kernel as a Halide pipeline. Every equation is a Func over its domain; every reduction in its body is a
// Func of its own over the domain's loops that it depends on, computed for one tile of the equation at a
// time. Loops that a schedule joins are one variable and one storage axis everywhere; a loop that is split
// with a guarded tail gives a reduction the two coordinates (inner, outer) instead of one, so that its tile
// has a fixed size however the tail lies.
//
// Throws Halide::Error for schedules that Halide refuses; callers catch it.

#include <Halide.h>

#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/halide/emit_object.h"
#include "backends/halide/prefetch_weights.h"
#include "backends/halide/scalar_ops.h"
#include "backends/schedule/joins.h"
#include "backends/schedule/kernel_view.h"
#include "backends/schedule/loop_nest.h"
#include "backends/schedule/target.h"
#include "passes/analysis/counted_range.h"

namespace weft::backends {

// The last index of an axis; of one of run-time length the last it can have.
inline int64_t Last(int64_t fixed) { return (fixed >= 0 ? fixed : kLongestAxis) - 1; }

class PipelineBuilder {
 public:
  // `kernel` and `schedule` (one entry per equation, in order) must outlive the builder.
  PipelineBuilder(const KernelView& kernel, const Schedule& schedule, const Target& target)
      : kernel_(kernel), schedule_(schedule), target_(target) {}

  // Makes all Funcs and schedules them.
  absl::Status Build();

  const std::vector<Halide::Func>& outputs() const { return outputs_; }
  const std::vector<Halide::Argument>& arguments() const { return arguments_; }
  const KernelAbi& abi() const { return abi_; }
  const std::vector<Prefetch>& prefetches() const { return prefetches_; }
  const std::set<std::string>& addends() const { return addends_; }

 private:
  // Adjacent axes that are stored and addressed as one.
  struct AxisGroup {
    int first = 0, count = 1;
    Halide::Expr extent;
    int64_t fixed = kUnknown;
  };
  struct Tensor {
    mlir::Type element;
    std::vector<AxisGroup> groups;  // outermost first
    std::optional<Halide::ImageParam> param;
    std::optional<Halide::Func> func;
  };

  // A loop of a domain after joins, seen from one place: as one number, or as the two parts of a tile.
  struct Coordinate {
    Scalar value;
    Halide::Expr inner, outer;  // defined where the loop is tiled
  };
  struct BaseLoop {
    std::string name;
    std::vector<mlir::Value> indices;  // more than one: joined
    Halide::Expr extent;
    int64_t fixed = kUnknown;
    bool tiled = false;     // split, tail guarded, inner part computed at once
    bool lanes = false;     // its inner part is vectorized
    bool overlaps = false;  // split, its last step is moved back
    bool aligned = false;   // whole steps of it are computed, wherever what is needed begins
    bool overruns = false;  // reductions may be computed past its end: what they read there exists
    int64_t factor = 0;
    std::string inner_name, outer_name;
    Halide::Var var() const { return Halide::Var(name); }
  };
  struct ReduceState {
    ReduceView view;
    ReduceState* parent = nullptr;      // the reduction in whose body it stands
    Halide::Func func;                  // what is read
    Halide::Func main;                  // what accumulates: `func`, or partial results per lane or block
    std::vector<Halide::Func> at_root;  // those of all these that are outside of the equation's loops
    Halide::Func rest;                  // what fills no whole step of the lanes, if any is left
    std::vector<Halide::Func>
        folded;  // partial results of one vector, then of halves of it, if there are lanes
    bool has_lanes = false, has_rest = false, has_blocks = false, tuple = false;
    std::vector<int> loops;                  // the equation's base loops it depends on
    std::vector<mlir::Value> outer_indices;  // of enclosing reductions
    std::vector<std::pair<std::string, Halide::RVar>> leaves, rest_leaves;  // outermost first
    Halide::Var lane{"lane"}, rest_lane{"rest_lane"}, block{"block"};
    Halide::RVar blocks;  // what `func` combines
    int64_t lane_count = 0, vector_width = 0, block_count = 0;
    int64_t rest_count = 0;  // lanes of `rest`; 0: it goes one by one
    int64_t position_high = std::numeric_limits<int64_t>::max();
  };
  // A copy of a tensor that is dense along another axis.
  struct Transposed {
    Halide::Func func;
    int dense = 0;      // the dimension
    int64_t panel = 0;  // its extent, where it is a tile of the loop and other dimensions follow; 0: the axis
  };
  struct EquationState {
    const EquationView* view = nullptr;
    LoopNest nest;
    std::vector<BaseLoop> loops;
    std::vector<Halide::Func> funcs;  // one per result
    std::list<ReduceState> reduces;
    std::vector<std::pair<Halide::Func, int>> pads;  // with the dimension that threads share, -1: none
    std::vector<Transposed> transposed;
    bool output = false;
  };
  struct Context {
    EquationState* equation = nullptr;
    ReduceState* reduce = nullptr;            // in whose body we are
    std::map<const void*, Scalar> values;     // indices, and what has been translated
    std::map<const void*, Scalar> joined;     // by the first index of joined loops
    std::map<const void*, Coordinate> tiles;  // by index
    std::vector<Coordinate> loops;            // of the equation's base loops
    bool lazy = false;                        // may run although a guard fails: every access is clamped
    bool passes_end = false;  // of loops: accesses are clamped, those of reductions are so anyway
  };

  // pipeline_builder.cc
  absl::Status DeclareArguments();
  absl::Status DeclareTensor(mlir::Value value, Tensor* tensor, const std::vector<Halide::Expr>& extents,
                             const std::vector<int64_t>& fixed);
  absl::Status BuildEquation(EquationState& equation);
  absl::Status MakeOutputs();
  void BindLoops(EquationState& equation, Context& context);
  absl::StatusOr<Scalar> Translate(mlir::Value value, Context& context);
  absl::StatusOr<Scalar> TranslateOp(mlir::Operation* op, int result, Context& context);
  absl::StatusOr<Scalar> TranslateDim(mlir::Operation* op, Context& context);
  absl::StatusOr<Scalar> TranslateBranches(mlir::Operation* op, int result, Context& context);
  bool ReadsBlock(const ReadView& read, const AxisGroup& group, const Context& context) const;
  absl::StatusOr<Scalar> TranslateRead(mlir::Operation* op, Context& context);
  Halide::Expr Load(const Tensor& tensor, const std::vector<Halide::Expr>& subscripts) const;
  absl::StatusOr<Halide::Func> Padded(const ReadView& read, const Tensor& tensor,
                                      const std::vector<Outside>& outside, Context& context);
  bool HasWholeBlocks(const ReadView& read, mlir::Value index, int64_t factor) const;
  bool IsReadPast(const EquationState& equation, const BaseLoop& loop);
  bool MayOverrun(const EquationState& equation, const BaseLoop& loop) const;
  Scalar DimOf(mlir::Value tensor, int axis);

  // transposed_copies.cc
  static bool GoesToCopy(const ReadView& read, const BaseLoop& loop);
  absl::StatusOr<Scalar> ReadTransposed(const ReadView& read, const Tensor& tensor,
                                        const std::vector<Scalar>& subscripts, Context& context);

  // reduction.cc
  absl::StatusOr<Scalar> TranslateReduce(mlir::Operation* op, Context& context);
  absl::StatusOr<ReduceState*> MakeReduce(const ReduceView& view, Context& context);
  absl::Status DefineReduce(ReduceState& state, Context& context, bool lazy);

  // placed_regions.cc
  struct Region {
    int64_t step = 1;          // it begins at multiples of this; 0: at 0
    int64_t least = kUnknown;  // elements of the first
  };
  Region RegionOf(const EquationState& equation, mlir::Value index, int64_t extent);
  // counted_ranges.cc
  struct CountedSpan {
    Halide::Expr first, last;  // undefined: not known
  };
  static Halide::Expr EndOverTile(const passes::CountedEnd& end, const EquationView& equation,
                                  const Context& context, bool largest);
  static CountedSpan CountedIn(const ReduceView& view, const Context& context, const Halide::Expr& lower,
                               const Halide::Expr& extent);
  bool SkipsMasked() const;
  static void SkipSteps(Halide::RDom& domain, const Halide::Expr& step, const CountedSpan& span,
                        const Halide::Expr& begin, int64_t length);

  // limits.cc
  static bool IsUniform(const Halide::Expr& e);
  static Halide::Expr LimitOverLoops(const Halide::Expr& e, const std::vector<BaseLoop>& loops, bool largest);
  Halide::Expr LimitOfValue(mlir::Value value, bool largest);

  // apply_schedule.cc
  absl::Status ScheduleEquation(EquationState& equation);
  absl::Status PlaceEquation(EquationState& equation, Halide::Func func);
  absl::Status SpecializeEquation(EquationState& equation);
  absl::Status AddPrefetch(const EquationState& equation, const std::string& loop);
  void ScheduleStage(Halide::Stage stage, EquationState& equation, bool of_result, const ReduceState* reduce,
                     bool update);
  static void BoundTile(Halide::Func& func, const EquationState& equation, const ReduceState& state);
  void ScheduleReduce(EquationState& equation, ReduceState& state);
  static std::vector<Halide::Var> InsideBlocks(const EquationState& equation, const ReduceState& state);
  static void PlaceBlocks(EquationState& equation, ReduceState& state);
  int64_t TogetherIn(const EquationState& equation) const;
  bool LeavesOneLane(int64_t extent) const;
  void BoundWhole(const EquationState& equation, const BaseLoop& loop, Halide::Func func);
  void Vectorize(Halide::Stage stage, const Halide::Var& var, int64_t extent, int64_t at_once);
  EquationState* FindEquation(const std::string& path);

  const KernelView& kernel_;
  const Schedule& schedule_;
  const Target& target_;
  Joins joins_;
  std::list<EquationState> equations_;
  std::map<const void*, Tensor> tensors_;
  std::map<std::pair<const void*, int>, Scalar> dims_;  // run-time sizes of arguments
  Context root_;
  std::map<std::string, Halide::Func> padded_;      // copies that may be read outside
  std::map<std::string, Halide::Func> transposed_;  // copies that are dense along another axis
  std::vector<Halide::Func> outputs_;
  std::vector<Halide::Argument> arguments_;
  std::vector<Prefetch> prefetches_;
  std::set<std::string> addends_;  // buffers that are asked for in front of sums
  KernelAbi abi_;
};

// A Halide identifier made of `name`.
std::string Identifier(const std::string& name);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_PIPELINE_BUILDER_H_
