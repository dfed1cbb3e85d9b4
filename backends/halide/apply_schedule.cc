// Loop nests of schedules as Halide's scheduling calls.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backends/halide/pipeline_builder.h"
#include "backends/schedule/motion.h"
#include "backends/schedule/pointwise_tile.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft::backends {

using Halide::Expr;
using Halide::Func;
using Halide::LoopLevel;
using Halide::RVar;
using Halide::Stage;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The elements of a vector lie side by side, whatever the order of the result's axes.
void StoreAlong(Func func, const Var& lane) {
  std::vector<Var> storage = func.args();
  auto is_lane = [&](const Var& var) { return var.name() == lane.name(); };
  auto place = std::find_if(storage.begin(), storage.end(), is_lane);
  if (place == storage.begin() || place == storage.end()) return;
  std::rotate(storage.begin(), place, place + 1);
  func.reorder_storage(storage);
}

}  // namespace

// Whether a vector of elements as wide as the kernel's widest is one more than a register holds: Halide takes
// it apart, and masks for a part of one lane that is no vector.
bool PipelineBuilder::LeavesOneLane(int64_t extent) const {
  int64_t bytes = 4;
  auto see = [&](mlir::Type type) {
    if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type)) type = tensor.getElementType();
    if (type.isIntOrFloat()) bytes = std::max<int64_t>(bytes, type.getIntOrFloatBitWidth() / 8);
  };
  for (const EquationView& equation : kernel_.equations) {
    for (mlir::Value result : equation.results) see(result.getType());
    for (const ReadView& read : equation.reads) see(read.tensor.getType());
    for (const ReduceView& reduce : equation.reduces) see(reduce.op->getResult(0).getType());
  }
  return bytes > 4 && extent % Lanes(target_, static_cast<int>(bytes)) == 1;
}

// How many registers take every step of an equation's own loops together. Those of sums around it have use
// for the registers if its steps are few.
int64_t PipelineBuilder::TogetherIn(const EquationState& equation) const {
  int64_t by_steps = RegistersAtOnce(equation.view->op);
  bool has_sums = std::any_of(kernel_.equations.begin(), kernel_.equations.end(),
                              [](const EquationView& other) { return !other.reduces.empty(); });
  return has_sums ? by_steps : std::max<int64_t>(2, by_steps);
}

// A loop of `extent` lanes as whole registers, or so many at once, unrolled.
void PipelineBuilder::Vectorize(Stage stage, const Var& var, int64_t extent, int64_t at_once) {
  int64_t lanes = Lanes(target_, 4);
  while (extent % (at_once * lanes) != 0 && at_once > 1) at_once /= 2;
  lanes *= at_once;
  if (extent <= lanes && extent > 1 && LeavesOneLane(extent)) lanes = std::max<int64_t>(2, (extent + 1) / 2);
  if (extent <= lanes) {
    stage.vectorize(var);
    return;
  }
  Var lane(var.name() + "_v");
  stage.split(var, var, lane, Expr(static_cast<int32_t>(lanes)),
              extent % lanes == 0 ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
  stage.vectorize(lane).unroll(var);
}

PipelineBuilder::EquationState* PipelineBuilder::FindEquation(const std::string& path) {
  EquationState* found = nullptr;
  size_t number = 0;
  for (EquationState& equation : equations_) {
    // As the schedule calls it: where several kernels have an equation of one name, theirs ends with the
    // kernel's.
    const std::string& full = schedule_.equations[number++].path;
    bool suffix = full.size() > path.size() &&
                  full.compare(full.size() - path.size(), path.size(), path) == 0 &&
                  full[full.size() - path.size() - 1] == '.';
    if (full == path) return &equation;
    if (suffix) found = &equation;
  }
  return found;
}

absl::Status PipelineBuilder::PlaceEquation(EquationState& equation, Func func) {
  const LoopNest& nest = equation.nest;
  if (equation.output || !nest.placed || nest.at_equation.empty()) {
    if (equation.output && nest.placed && !nest.at_equation.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("schedule: `", equation.view->loops.path,
                       "` is a result of its kernel and cannot be computed inside another"));
    }
    if (!equation.output) {
      func.compute_root();
      for (const BaseLoop& loop : equation.loops) func.bound(loop.var(), 0, loop.extent);
    }
    return absl::OkStatus();
  }
  EquationState* target = FindEquation(nest.at_equation);
  std::vector<std::string> known;
  if (!target) {
    for (const EquationState& other : equations_) known.push_back(other.view->loops.path);
    std::string nearest = NearestName(nest.at_equation, known);
    return absl::InvalidArgumentError(absl::StrCat(
        "schedule: no equation `", nest.at_equation, "` in the kernel of `", equation.view->loops.path, "`",
        nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?")));
  }
  if (!Contains(target->nest.outer, nest.at_loop)) {
    std::string nearest = NearestName(nest.at_loop, target->nest.outer);
    return absl::InvalidArgumentError(
        absl::StrCat("schedule: no loop `", nest.at_loop, "` around `", nest.at_equation, "`",
                     nearest.empty() ? "" : absl::StrCat("; did you mean `", nearest, "`?")));
  }
  func.compute_at(target->funcs[0], Var(nest.at_loop));
  for (const BaseLoop& loop : equation.loops) BoundWhole(equation, loop, func);
  return absl::OkStatus();
}

// What is run at once has a fixed length: of a part of the loop that is needed, all of it is computed.
void PipelineBuilder::BoundWhole(const EquationState& equation, const BaseLoop& loop, Func func) {
  const NestLoop& leaf = equation.nest.Find(loop.name);
  if (loop.inner_name.empty() && loop.fixed >= 0 && (leaf.vectorized || leaf.unrolled))
    func.bound(loop.var(), 0, loop.extent);
}

absl::Status PipelineBuilder::AddPrefetch(const EquationState& equation, const std::string& name) {
  for (const BaseLoop& loop : equation.loops) {
    if (loop.name != equation.nest.Base(name) || !Contains(equation.nest.outer, name)) continue;
    auto param = [&](mlir::Value tensor) -> const Halide::ImageParam* {
      auto found = tensors_.find(tensor.getAsOpaquePointer());
      return found == tensors_.end() || !found->second.param ? nullptr : &*found->second.param;
    };
    std::optional<PackedWeights> weights = PackedAlong(*equation.view, loop.indices.back());
    if (const Halide::ImageParam* packed = weights ? param(weights->tensor) : nullptr) {
      prefetches_.push_back({equation.funcs[0].name() + ".s0.", name, packed->name(), weights->block});
      return absl::OkStatus();
    }
    std::vector<const ReadView*> beside = ReadBesideSums(*equation.view, loop.indices);
    for (const ReadView* read : beside)
      if (const Halide::ImageParam* addend = param(read->tensor)) addends_.insert(addend->name());
    if (!beside.empty()) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("schedule: `", equation.view->loops.path,
                                                 "` reads no packed weights along `", name,
                                                 "`, and nothing beside its sums"));
}

namespace {

// Whether a loop that runs outside of what is computed at once has its ends in code of their own: only loops
// along a tile that is cut there. At the ends of others all the code inside would be there twice, and the
// loops in it whole in the middle alone; a last step that is moved back is the same code. The innermost one
// is told where it goes so.
bool HasCodeForEnds(const LoopNest& nest, const std::string& outer, bool overlaps) {
  if (outer == nest.outer.back() && (overlaps || nest.inner.empty())) return true;
  return !overlaps && std::any_of(nest.inner.begin(), nest.inner.end(), [&](const std::string& inner) {
    return nest.Base(inner) == nest.Base(outer);
  });
}

}  // namespace

absl::Status PipelineBuilder::ScheduleEquation(EquationState& equation) {
  const LoopNest& nest = equation.nest;
  if (nest.inlined) {
    if (equation.output || !equation.reduces.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "schedule: `", equation.view->loops.path, "` cannot be written out where it is read: it ",
          equation.output ? "is a result of its kernel" : "reduces"));
    }
    return absl::OkStatus();
  }
  for (Func& func : equation.funcs) {
    if (auto s = PlaceEquation(equation, func); !s.ok()) return s;
    for (const BaseLoop& loop : equation.loops) {
      if (loop.inner_name.empty()) continue;
      bool at_root = equation.output || !nest.placed || nest.at_equation.empty();
      bool is_whole = loop.fixed >= 0 && loop.fixed % loop.factor == 0 && at_root;
      if (loop.aligned) func.align_bounds(loop.var(), Expr(static_cast<int32_t>(loop.factor)));
      TailStrategy tail = loop.overlaps              ? TailStrategy::ShiftInwards
                          : is_whole || loop.aligned ? TailStrategy::RoundUp
                                                     : TailStrategy::GuardWithIf;
      func.split(loop.var(), Var(loop.outer_name), Var(loop.inner_name),
                 Expr(static_cast<int32_t>(loop.factor)), tail);
      for (std::string outer = loop.outer_name; nest.IsSplit(outer);) {
        auto [steps, step] = nest.Parts(outer);
        func.split(Var(outer), Var(steps), Var(step), Expr(static_cast<int32_t>(nest.Find(step).factor)),
                   TailStrategy::GuardWithIf);
        outer = steps;
      }
    }
    std::vector<VarOrRVar> order;
    for (const auto* part : {&nest.inner, &nest.outer}) {
      for (auto name = part->rbegin(); name != part->rend(); ++name) order.push_back(Var(*name));
    }
    if (order.size() > 1) func.reorder(order);
    for (const std::string& name : nest.outer) {
      bool overlaps = std::any_of(equation.loops.begin(), equation.loops.end(), [&](const BaseLoop& loop) {
        return loop.overlaps && loop.name == nest.Base(name);
      });
      if (!HasCodeForEnds(nest, name, overlaps)) func.never_partition(Var(name));
    }
    for (const auto* part : {&nest.inner, &nest.outer}) {
      for (const std::string& name : *part) {
        const NestLoop& loop = nest.Find(name);
        if (loop.vectorized) {
          Vectorize(func, Var(name), loop.extent, TogetherIn(equation));
        } else if (loop.unrolled) {
          func.unroll(Var(name));
        } else if (loop.parallel) {
          func.parallel(Var(name));
        }
      }
    }
  }
  for (ReduceState& reduce : equation.reduces) ScheduleReduce(equation, reduce);
  for (const std::string& loop : nest.prefetches)
    if (auto s = AddPrefetch(equation, loop); !s.ok()) return s;
  for (auto& [func, dense, panel] : equation.transposed) {
    EquationState* holder =
        nest.transpose_equation.empty() ? &equation : FindEquation(nest.transpose_equation);
    if (nest.transpose_at.empty()) {
      func.compute_root();
    } else if (!holder || !Contains(holder->nest.outer, nest.transpose_at)) {
      return absl::InvalidArgumentError(absl::StrCat("schedule: no loop `", nest.transpose_at, "` around `",
                                                     nest.transpose_equation, "` in the kernel of `",
                                                     equation.view->loops.path, "`"));
    } else {
      func.compute_at(holder->funcs[0], Var(nest.transpose_at));
    }
    std::vector<Var> storage = func.args();
    std::rotate(storage.begin(), storage.begin() + dense, storage.begin() + dense + 1);
    if (storage.size() > 1) func.reorder_storage(storage);
    func.align_storage(storage[0], Lanes(target_, 4));
    if (panel > 0) func.bound(storage[0], 0, Expr(static_cast<int32_t>(panel)));
    // Along what lies densely where it comes from.
    func.vectorize(func.args()[panel > 0 ? 1 : 0], Lanes(target_, 4), TailStrategy::GuardWithIf);
  }
  bool threads =
      std::any_of(nest.loops.begin(), nest.loops.end(), [](const NestLoop& l) { return l.parallel; });
  for (auto& [pad, shared] : equation.pads) {
    if (nest.pad_at.empty()) {
      pad.compute_root();
      if (shared >= 0 && threads) pad.parallel(pad.args()[shared]);
    } else {
      pad.compute_at(equation.funcs[0], Var(nest.pad_at));
    }
    pad.vectorize(pad.args()[0], Lanes(target_, 4), TailStrategy::GuardWithIf);
  }
  return absl::OkStatus();
}

namespace {

// For every choice of a length from each of `cases`, and for none, which is the general code.
void SpecializeStage(Stage stage, const std::vector<std::vector<Expr>>& cases, size_t from) {
  for (size_t i = from; i < cases.size(); ++i) {
    for (const Expr& condition : cases[i]) SpecializeStage(stage.specialize(condition), cases, i + 1);
  }
}

}  // namespace

// Whatever is computed inside of these loops is so in each copy. Reductions outside of all loops have their
// own.
absl::Status PipelineBuilder::SpecializeEquation(EquationState& equation) {
  std::vector<std::vector<Expr>> cases;
  for (const NestLoop& loop : equation.nest.loops) {
    if (loop.lengths.empty()) continue;
    auto length = Translate(LengthOf(*equation.view, loop.name), root_);
    if (!length.ok()) return length.status();
    std::vector<Expr>& conditions = cases.emplace_back();
    for (int64_t number : loop.lengths)
      conditions.push_back(ToIndex(*length) == Expr(static_cast<int32_t>(number)));
  }
  if (cases.empty() || equation.nest.inlined) return absl::OkStatus();
  for (Func& func : equation.funcs) SpecializeStage(func, cases, 0);
  for (ReduceState& reduce : equation.reduces) {
    for (Func& func : reduce.at_root) {
      SpecializeStage(func, cases, 0);
      for (int i = 0; i < func.num_update_definitions(); ++i) SpecializeStage(func.update(i), cases, 0);
    }
  }
  return absl::OkStatus();
}

// The loops of results that run once for each block of a reduction, innermost first.
std::vector<Var> PipelineBuilder::InsideBlocks(const EquationState& equation, const ReduceState& state) {
  std::vector<Var> inside;
  const std::vector<std::string>& outer = equation.nest.outer;
  for (auto name = outer.rbegin(); name != outer.rend() && *name != equation.nest.block_at; ++name) {
    for (int i : state.loops) {
      const BaseLoop& loop = equation.loops[i];
      if (loop.name != equation.nest.Base(*name)) continue;
      Var var(loop.tiled ? loop.outer_name : loop.name);
      bool known = std::any_of(inside.begin(), inside.end(), [&](const Var& v) { return v.same_as(var); });
      if (!known) inside.push_back(var);
    }
  }
  return inside;
}

// Where the results of blocks are combined, and each block's inside of that.
void PipelineBuilder::PlaceBlocks(EquationState& equation, ReduceState& state) {
  if (equation.nest.block_at.empty()) {
    state.func.compute_root();
    if (state.at_root.empty()) state.at_root.push_back(state.func);
  } else {
    state.func.compute_at(equation.funcs[0], Var(equation.nest.block_at));
  }
  std::vector<Var> inside = InsideBlocks(equation, state);
  if (inside.empty()) {
    state.main.compute_at(state.func, state.blocks);
  } else {
    state.main.compute_at(state.func, inside[0]);
  }
}

// Tells the size of what a reduction keeps of a tile, also where its last tiles are cut: memory of a known
// size is in registers, or on the stack.
void PipelineBuilder::BoundTile(Func& func, const EquationState& equation, const ReduceState& state) {
  const LoopNest& nest = equation.nest;
  for (int i : state.loops) {
    const BaseLoop& loop = equation.loops[i];
    if (loop.factor == 0 || !Contains(nest.inner, loop.inner_name)) continue;
    // Of a loop that is split again several tiles may be computed at once.
    int64_t tiles = 1;
    std::string outer = loop.outer_name;
    while (nest.IsSplit(outer)) {
      auto [steps, step] = nest.Parts(outer);
      if (Contains(nest.inner, step)) tiles *= nest.Find(step).factor;
      outer = steps;
    }
    if (Contains(nest.inner, outer)) continue;
    if (loop.tiled) {
      func.bound_storage(Var(loop.outer_name), Expr(static_cast<int32_t>(tiles)));
    } else {
      func.bound_storage(Var(loop.name), Expr(static_cast<int32_t>(tiles * loop.factor)));
    }
  }
}

void PipelineBuilder::ScheduleReduce(EquationState& equation, ReduceState& state) {
  const LoopNest& nest = equation.nest;
  // One tile of the equation at a time: inside the innermost of its loops that the reduction depends on.
  std::string level;
  for (const std::string& name : nest.outer) {
    for (int i : state.loops) {
      if (equation.loops[i].name == nest.Base(name)) level = name;
    }
  }
  std::vector<Func> funcs = {state.func};
  if (state.has_lanes || state.has_blocks) funcs.push_back(state.main);
  funcs.insert(funcs.end(), state.folded.begin(), state.folded.end());
  if (state.has_rest) funcs.push_back(state.rest);
  Func& consumer = equation.funcs[0];
  for (Func func : funcs) {
    if (state.has_blocks) {
      PlaceBlocks(equation, state);
    } else if (equation.funcs.size() > 1) {
      func.compute_root();
      state.at_root.push_back(func);
    } else if (state.parent) {
      // Inside the enclosing reduction's loops; the innermost that is a loop still.
      const ReduceState& parent = *state.parent;
      RVar var = parent.leaves.back().second;
      for (const auto& [name, rvar] : parent.leaves) {
        if (name.empty() || !nest.Find(name).unrolled) var = rvar;
      }
      func.compute_at(parent.main, var);
    } else if (!level.empty()) {
      func.compute_at(consumer, Var(level));
      BoundTile(func, equation, state);
    } else if (nest.placed && !nest.at_equation.empty() && !equation.output) {
      func.compute_at(FindEquation(nest.at_equation)->funcs[0], Var(nest.at_loop));
    } else {
      func.compute_root();
      state.at_root.push_back(func);
    }
  }

  for (Func func : funcs) {
    bool rest = state.has_rest && state.rest_count > 0 && func.name() == state.rest.name();
    bool combines = state.has_blocks && func.name() == state.func.name();
    bool accumulates = rest || combines || func.name() == state.main.name();
    const Var& lane = rest ? state.rest_lane : state.lane;
    std::vector<std::pair<std::string, RVar>> leaves = rest ? state.rest_leaves : state.leaves;
    if (combines) leaves = {{"", state.blocks}};
    for (int i : state.loops) {
      const BaseLoop& loop = equation.loops[i];
      if (loop.tiled) func.bound(Var(loop.inner_name), 0, Expr(static_cast<int32_t>(loop.factor)));
      if (nest.placed && !nest.at_equation.empty()) BoundWhole(equation, loop, func);
    }
    for (int stage = 0; stage <= (accumulates ? func.num_update_definitions() : 0); ++stage) {
      Stage at = stage == 0 ? Stage(func) : Stage(func.update(stage - 1));
      std::vector<VarOrRVar> order;
      std::vector<std::pair<Var, const NestLoop*>> tile;
      for (auto name = nest.inner.rbegin(); name != nest.inner.rend(); ++name) {
        const NestLoop& leaf = nest.Find(*name);
        const std::string& base = leaf.parent.empty() ? *name : leaf.parent;
        for (int i : state.loops) {
          const BaseLoop& loop = equation.loops[i];
          if (loop.name != base) continue;
          Var var(loop.tiled ? loop.inner_name : loop.name);
          tile.emplace_back(var, &leaf);
          order.push_back(var);
        }
      }
      if (state.has_lanes && accumulates) order.insert(order.begin(), lane);
      if (stage > 0) {
        if (combines) {
          for (const Var& var : InsideBlocks(equation, state)) order.emplace_back(var);
        }
        for (auto leaf = leaves.rbegin(); leaf != leaves.rend(); ++leaf) order.push_back(leaf->second);
      }
      if (order.size() > 1) at.reorder(order);
      if (state.has_lanes && accumulates) {
        int64_t count = rest ? state.rest_count : state.lane_count;
        func.bound(lane, 0, Expr(static_cast<int32_t>(count)));
        Vectorize(at, lane, count, RegistersAtOnce(state.view.op));
      }
      for (const auto& [var, leaf] : tile) {
        if (leaf->vectorized && !state.has_lanes) {
          StoreAlong(func, var);
          // A guarded tail without a tile of its own leaves a part whose length is known at run time only.
          bool fixed = true;
          for (const BaseLoop& loop : equation.loops) {
            if (loop.name == leaf->parent) fixed = loop.tiled || loop.overlaps;
          }
          if (fixed) {
            Vectorize(at, var, leaf->extent, 1);
          } else {
            at.vectorize(var, Lanes(target_, 4), TailStrategy::GuardWithIf);
          }
        } else if (leaf->unrolled) {
          at.unroll(var);
        }
      }
      if (stage > 0) {
        for (const auto& [name, var] : leaves) {
          if (!name.empty() && nest.Find(name).unrolled) at.unroll(var);
        }
      }
    }
    if (!accumulates) {
      for (int update = 0; update < func.num_update_definitions(); ++update)
        func.update(update).unscheduled();
    }
  }
  int64_t width = state.vector_width;
  for (Func func : state.folded) {
    func.bound(func.args()[0], 0, Expr(static_cast<int32_t>(width))).vectorize(func.args()[0]);
    width /= 2;
  }
}

}  // namespace weft::backends
