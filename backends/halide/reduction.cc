// Reductions of equation bodies: one Func each, with a reduction domain over the leaves of the schedule, so
// that every order and split of the reduction's loops is a plain nest.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backends/halide/pipeline_builder.h"

namespace weft::backends {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::RVar;
using Halide::Tuple;
using Halide::Var;

namespace {

bool MentionsReduction(const Expr& expr) {
  class Finder : public Halide::Internal::IRGraphVisitor {
   public:
    using IRGraphVisitor::visit;
    void visit(const Halide::Internal::Variable* variable) override {
      found |= variable->reduction_domain.defined();
    }
    bool found = false;
  } finder;
  expr.accept(&finder);
  return finder.found;
}

constexpr int64_t kLongestTotal = (int64_t{1} << 31) - 1;  // elements of one tensor

// In 32 bits; what lies beyond is as good as the last number.
Expr Saturated(const Scalar& bound) {
  if (bound.narrow) return bound.e;
  Expr least = Halide::cast<int64_t>(Halide::Int(32).min()),
       most = Halide::cast<int64_t>(Halide::Int(32).max());
  return Halide::cast<int32_t>(Halide::max(Halide::min(bound.e, most), least));
}

// Halide simplifies expressions as trees: what is mentioned often is bound to a name first, or chains of
// conversions would take exponential time.
Expr SimplifyShared(const Expr& e) {
  return Halide::Internal::simplify(Halide::Internal::common_subexpression_elimination(e));
}

bool IsChoice(ReduceKind kind) {
  return kind == ReduceKind::kArgMax || kind == ReduceKind::kArgMin || kind == ReduceKind::kFirst ||
         kind == ReduceKind::kLast;
}

Expr Identity(ReduceKind kind, Halide::Type type) {
  switch (kind) {
    case ReduceKind::kProd:
      return Halide::Internal::make_one(type);
    case ReduceKind::kMin:
      return type.is_float() ? Infinity(type, false) : type.max();
    case ReduceKind::kMax:
      return type.is_float() ? Infinity(type, true) : type.min();
    case ReduceKind::kAll:
      return Halide::Internal::make_const(type, 1);
    default:
      return Halide::Internal::make_zero(type);
  }
}

Expr Combine(ReduceKind kind, const Expr& a, const Expr& b) {
  switch (kind) {
    case ReduceKind::kSum:
      return Add(a, b);
    case ReduceKind::kProd:
      return Multiply(a, b);
    case ReduceKind::kMin:
      return Minimum(b, a);
    case ReduceKind::kMax:
      return Maximum(b, a);
    case ReduceKind::kAny:
      return a | b;
    case ReduceKind::kAll:
      return a & b;
    default:
      return b;
  }
}

// All combined, as a tree: short chains, and errors that grow with the logarithm.
Expr Tree(ReduceKind kind, std::vector<Expr> values) {
  while (values.size() > 1) {
    std::vector<Expr> next;
    for (size_t i = 0; i + 1 < values.size(); i += 2) next.push_back(Combine(kind, values[i], values[i + 1]));
    if (values.size() % 2) next.push_back(values.back());
    values = std::move(next);
  }
  return values[0];
}

// One loop of a reduction after joins.
struct Axis {
  std::string name;
  std::vector<mlir::Value> indices;
  Expr lower, extent;        // of the domain that is walked
  Expr offset;               // of the block that is walked; undefined: none
  int64_t fixed = kUnknown;  // extent
  int64_t low = 0, high = std::numeric_limits<int32_t>::max();  // range of the index
  Expr from, to;                                                // the true bounds, where they vary
};

}  // namespace

absl::StatusOr<Scalar> PipelineBuilder::TranslateReduce(mlir::Operation* op, Context& context) {
  EquationState& equation = *context.equation;
  ReduceState* state = nullptr;
  for (ReduceState& known : equation.reduces) {
    if (known.view.op == op) state = &known;
  }
  if (!state) {
    const ReduceView* view = nullptr;
    for (const ReduceView& candidate : equation.view->reduces) {
      if (candidate.op == op) view = &candidate;
    }
    if (!view) return absl::InternalError("a reduction outside of its equation");
    auto made = MakeReduce(*view, context);
    if (!made.ok()) return made.status();
    state = *made;
  }
  // The place where it is read, in its coordinates: inner parts first, they lie next to each other.
  std::vector<Expr> at, outer;
  for (int i : state->loops) {
    const Coordinate& coordinate = context.loops[i];
    if (equation.loops[i].tiled) {
      at.insert(at.begin(), coordinate.inner);
      outer.insert(outer.begin(), coordinate.outer);
    } else {
      at.insert(at.begin(), coordinate.value.e);
    }
  }
  at.insert(at.end(), outer.begin(), outer.end());
  for (mlir::Value index : state->outer_indices) {
    auto joined = context.joined.find(index.getAsOpaquePointer());
    if (joined != context.joined.end()) {
      at.push_back(joined->second.e);
      continue;
    }
    auto value = Translate(index, context);
    if (!value.ok()) return value;
    at.push_back(ToIndex(*value));
  }
  mlir::Type type = op->getResult(0).getType();
  Expr value;
  if (state->tuple) {
    Expr first = state->func(at)[0], second = state->func(at)[1];
    if (state->view.kind == ReduceKind::kArgMax || state->view.kind == ReduceKind::kArgMin) {
      Scalar position =
          state->position_high <= std::numeric_limits<int32_t>::max()
              ? Scalar::Index(Halide::max(second, 0), 0, std::max<int64_t>(0, state->position_high))
              : Scalar::Of(Halide::cast<int64_t>(Halide::max(second, 0)));
      if (!state->view.otherwise) return position;
      auto otherwise = Translate(state->view.otherwise, context);
      if (!otherwise.ok()) return otherwise;
      return Scalar::Of(Halide::select(second >= 0, ToCompute(position, type), ToCompute(*otherwise, type)));
    }
    if (!state->view.otherwise) {
      return type.isInteger(1) ? Scalar::Of(first != Halide::cast<uint8_t>(0)) : Scalar::Of(first);
    }
    auto otherwise = Translate(state->view.otherwise, context);
    if (!otherwise.ok()) return otherwise;
    if (type.isInteger(1)) {
      return Scalar::Of((second >= 0 && first != Halide::cast<uint8_t>(0)) || (second < 0 && otherwise->e));
    }
    return Scalar::Of(Halide::select(second >= 0, first, ToCompute(*otherwise, type)));
  }
  value = state->func(at);
  if (type.isInteger(1)) return Scalar::Of(value != Halide::cast<uint8_t>(0));
  // Sums of short floats are kept wide and rounded once.
  if (type.isF16()) return FromStorage(Halide::cast(Halide::Float(16), value), type);
  if (type.isBF16()) return RoundedToBf16(value);
  return Scalar::Of(value);
}

absl::StatusOr<PipelineBuilder::ReduceState*> PipelineBuilder::MakeReduce(const ReduceView& view,
                                                                          Context& context) {
  EquationState& equation = *context.equation;
  ReduceState state;
  state.view = view;
  for (ReduceState& other : equation.reduces) {  // the innermost; what stands in it may be read deeper inside
    bool is_around = other.view.op->isProperAncestor(view.op);
    if (is_around && (!state.parent || state.parent->view.op->isProperAncestor(other.view.op)))
      state.parent = &other;
  }
  for (size_t i = 0; i < equation.loops.size(); ++i) {
    bool depends = false;
    for (mlir::Value index : equation.loops[i].indices) depends |= DependsOn(view.op->getResult(0), index);
    if (depends) state.loops.push_back(static_cast<int>(i));
  }
  for (const ReduceView& other : equation.view->reduces) {
    if (other.op == view.op || !other.op->isProperAncestor(view.op)) continue;
    for (size_t i = 0; i < other.indices.size(); ++i) {
      if (!DependsOn(view.op->getResult(0), other.indices[i])) continue;
      // Joined loops are named by their first index.
      size_t first = i;
      while (first > 0 && joins_.Loop(other.op, static_cast<int>(first) - 1)) --first;
      mlir::Value index = other.indices[first];
      if (std::find(state.outer_indices.begin(), state.outer_indices.end(), index) ==
          state.outer_indices.end()) {
        state.outer_indices.push_back(index);
      }
    }
  }
  equation.reduces.push_back(state);
  ReduceState* made = &equation.reduces.back();
  if (auto s = DefineReduce(*made, context, context.lazy); !s.ok()) return s;
  return made;
}

absl::Status PipelineBuilder::DefineReduce(ReduceState& state, Context& outer, bool lazy) {
  EquationState& equation = *outer.equation;
  const ReduceView& view = state.view;
  const LoopNest& nest = equation.nest;
  std::string name =
      Identifier(absl::StrCat(equation.view->loops.path, "_", view.loops.empty() ? "" : view.loops[0]));

  // Inside, the equation's loops are this Func's own variables.
  Context context;
  context.reduce = &state;
  context.lazy = lazy;
  std::vector<Var> inner_vars, outer_vars;
  context.loops.resize(equation.loops.size());
  for (size_t i = 0; i < equation.loops.size(); ++i) {
    const BaseLoop& loop = equation.loops[i];
    Coordinate& at = context.loops[i];
    bool used = std::find(state.loops.begin(), state.loops.end(), static_cast<int>(i)) != state.loops.end();
    if (!used) {
      at.value = Scalar::Index(0, 0, 0);
      continue;
    }
    if (!loop.tiled) {
      inner_vars.insert(inner_vars.begin(), loop.var());
      at.value = Scalar::Index(loop.var(), 0, Last(loop.fixed));
      continue;
    }
    Var inner(loop.inner_name), outer_part(loop.outer_name);
    inner_vars.insert(inner_vars.begin(), inner);
    outer_vars.insert(outer_vars.begin(), outer_part);
    at.inner = inner, at.outer = outer_part;
    Expr whole = outer_part * Number(loop.factor) + inner;
    bool fits = loop.fixed >= 0 && loop.fixed % loop.factor == 0;
    // Reads of packed weights do not see this number; those of transposed copies take it as it is.
    bool raw = fits || (loop.overruns && equation.nest.transposes && equation.view->packed_axis < 0);
    if (!raw) whole = Halide::min(whole, loop.extent - 1);
    at.value = Scalar::Index(whole, 0, Last(loop.fixed));
  }
  BindLoops(equation, context);
  std::vector<Var> vars = inner_vars;
  vars.insert(vars.end(), outer_vars.begin(), outer_vars.end());
  int number = 0;
  for (mlir::Value index : state.outer_indices) {
    Var var(absl::StrCat("outer", number++));
    vars.push_back(var);
    auto joined = outer.joined.find(index.getAsOpaquePointer());
    const auto& known =
        joined != outer.joined.end() ? joined->second : outer.values[index.getAsOpaquePointer()];
    Scalar inside = Scalar::Index(var, known.low, known.high);
    (joined != outer.joined.end() ? context.joined : context.values)[index.getAsOpaquePointer()] = inside;
  }

  // The loops after joins, with their bounds.
  std::vector<Axis> axes;
  for (size_t i = 0; i < view.indices.size(); ++i) {
    auto lower = Translate(view.lower[i], context), upper = Translate(view.upper[i], context);
    if (!lower.ok()) return lower.status();
    if (!upper.ok()) return upper.status();
    if (i > 0 && joins_.Loop(view.op, static_cast<int>(i) - 1)) {
      Axis& axis = axes.back();
      axis.indices.push_back(view.indices[i]);
      axis.fixed *= upper->high;
      axis.extent = Number(axis.fixed);
      axis.high = axis.fixed - 1;
      for (const auto& join : nest.joins) {
        if (join[0] == view.loops[i + 1 - axis.indices.size()]) axis.name = join.back();
      }
      continue;
    }
    Axis axis;
    axis.name = view.loops[i];
    axis.indices = {view.indices[i]};
    Expr from = Saturated(*lower), to = Saturated(*upper);
    bool uniform = IsUniform(from) && IsUniform(to);
    from = SimplifyShared(from), to = SimplifyShared(to);
    axis.low = lower->low,
    axis.high = upper->high == std::numeric_limits<int64_t>::max() ? upper->high : upper->high - 1;
    if (uniform) {
      axis.lower = from;
      axis.extent = Halide::Internal::simplify(Halide::max(to - from, 0));
    } else {
      // The bounds differ from point to point: walk all that they can be, and skip what lies outside.
      int64_t first = -1, last = -1;
      Expr whole;
      for (const ReadView& read : equation.view->reads) {
        for (size_t a = 0; a < read.subscripts.size(); ++a) {
          if (read.subscripts[a] != view.indices[i] || read.outside[a] != Outside::kInside) continue;
          if (!view.op->isAncestor(read.op)) continue;
          Scalar size = DimOf(read.tensor, static_cast<int>(a));
          first = 0, last = size.high - 1, whole = size.e;
        }
      }
      if (!whole.defined() && lower->narrow && upper->narrow && axis.high - axis.low < (1 << 20)) {
        first = axis.low, last = axis.high;
        whole = Number(std::max<int64_t>(0, last - first + 1));
      }
      axis.lower = Number(first), axis.extent = whole;
      if (!whole.defined()) {
        // Sizes that are not numbers bound it: what the bounds can be at any point of the loops.
        Expr least = lower->narrow ? LimitOverLoops(from, equation.loops, false) : Expr();
        Expr most = upper->narrow ? LimitOverLoops(to, equation.loops, true) : Expr();
        if (!least.defined()) least = LimitOfValue(view.lower[i], false);
        if (!most.defined()) most = LimitOfValue(view.upper[i], true);
        if (least.defined() && most.defined()) {
          first = axis.low, last = axis.high;
          axis.lower = least, axis.extent = Halide::Internal::simplify(Halide::max(most - least, 0));
        }
      }
      if (!axis.extent.defined())
        return absl::UnimplementedError("a reduction over a range that is not bounded by a size");
      axis.low = first, axis.high = last;
      axis.from = from, axis.to = to;
    }
    if (auto fixed = Halide::Internal::as_const_int(axis.extent)) axis.fixed = *fixed;
    if (axis.low < std::numeric_limits<int32_t>::min() || axis.high > kLongestTotal) {
      axis.low = 0, axis.high = std::numeric_limits<int32_t>::max() / 8;
    }
    axes.push_back(axis);
  }

  CountedSpan counted;
  if (axes.size() == 1) counted = CountedIn(view, context, axes[0].lower, axes[0].extent);
  const Expr begin = axes.empty() ? Expr(0) : axes[0].lower;

  // One block at a time.
  for (Axis& axis : axes) {
    if (nest.block.empty() || axis.name != nest.Find(nest.block).parent) continue;
    int64_t length = nest.Find(nest.block).factor;
    state.has_blocks = true, state.block_count = axis.fixed / length;
    axis.name = nest.Parts(axis.name).second;
    axis.offset = state.block * Number(length);
    axis.extent = Number(length), axis.fixed = length;
  }

  // The leaves of these loops, outermost first.
  struct Leaf {
    std::string name;
    int axis;
    int part;  // 0 whole, 1 outer, 2 inner
    Expr low, extent;
  };
  std::vector<Leaf> leaves;
  for (const std::string& leaf : nest.reductions) {
    const NestLoop& loop = nest.Find(leaf);
    for (size_t a = 0; a < axes.size(); ++a) {
      if (axes[a].name != leaf && axes[a].name != loop.parent) continue;
      if (axes[a].name == leaf) {
        leaves.push_back({leaf, static_cast<int>(a), 0, axes[a].lower, axes[a].extent});
      } else if (loop.inner_part) {
        leaves.push_back({leaf, static_cast<int>(a), 2, 0, Number(loop.factor)});
      } else {
        Expr steps =
            Halide::Internal::simplify((axes[a].extent + Number(loop.factor - 1)) / Number(loop.factor));
        leaves.push_back({leaf, static_cast<int>(a), 1, 0, steps});
      }
    }
  }

  std::vector<std::string> vector_variables;
  for (const std::string& leaf : nest.inner) {
    for (int i : state.loops) {
      const BaseLoop& loop = equation.loops[i];
      if (nest.Find(leaf).vectorized && loop.name == nest.Base(leaf))
        vector_variables.push_back(loop.tiled ? loop.inner_name : loop.name);
    }
  }
  state.tuple = IsChoice(view.kind) || view.otherwise;
  bool nests = false;
  for (const ReduceView& other : equation.view->reduces) nests |= view.op->isProperAncestor(other.op);
  std::string lane_leaf;
  for (const Leaf& leaf : leaves) {
    if (nest.Find(leaf.name).vectorized && leaf.part == 2 && !state.tuple && !nests) lane_leaf = leaf.name;
  }
  state.has_lanes = !lane_leaf.empty();

  std::vector<Var> main_vars = vars;
  if (state.has_lanes) {
    state.lane = Var(lane_leaf);
    state.lane_count = nest.Find(lane_leaf).factor;
    state.rest_lane = Var(lane_leaf + "_rest");
    vector_variables.push_back(state.lane.name());
    vector_variables.push_back(state.rest_lane.name());
    main_vars.insert(main_vars.begin(), state.lane);
  }
  if (state.has_blocks) main_vars.push_back(state.block);
  mlir::Type body_type = view.body.getType();
  Halide::Type type = ComputeType(body_type);
  if (body_type.isInteger(1)) type = Halide::UInt(8);  // as a byte
  state.vector_width = std::min<int64_t>(Lanes(target_, std::max(1, type.bytes())), state.lane_count);
  if (state.vector_width > 0 && state.lane_count % state.vector_width != 0)
    state.vector_width = state.lane_count;

  // Walks `leaves` but the lanes, which are a variable of the Func; gives the body's value at that point.
  int lane_axis = -1;
  auto walk = [&](Context& inside, const std::vector<Leaf>& walked, const Expr& lane, RDom* domain,
                  std::vector<std::pair<std::string, RVar>>* names, Expr* condition) -> absl::StatusOr<Expr> {
    // A condition on elements that differ between lanes chooses, it guards nothing: as a guard it would be a
    // mask made of elements that it leaves out itself.
    auto only_where = [&](const Expr& here) {
      bool by_lane =
          std::any_of(vector_variables.begin(), vector_variables.end(),
                      [&](const std::string& name) { return Halide::Internal::expr_uses_var(here, name); });
      if (!by_lane || !ReadsElements(here)) {
        domain->where(here);
      } else {
        *condition = condition->defined() ? *condition && here : here;
      }
    };
    Halide::Region region;
    for (auto leaf = walked.rbegin(); leaf != walked.rend(); ++leaf) {
      if (leaf->name != lane_leaf) region.push_back({leaf->low, leaf->extent});
    }
    if (region.empty()) region.push_back({0, 1});
    *domain = RDom(region, "r");
    std::vector<Expr> parts(axes.size()), inner_parts(axes.size());
    int dimension = static_cast<int>(region.size());
    for (const Leaf& leaf : walked) {
      Expr value = lane;
      if (leaf.name != lane_leaf) {
        RVar var = (*domain)[--dimension];
        names->emplace_back(leaf.name, var);
        value = var;
      }
      bool skips = !state.has_blocks && leaf.name != lane_leaf;
      if (leaf.part == 0) parts[leaf.axis] = value;
      if (leaf.part == 0 && skips) SkipSteps(*domain, value, counted, 0, 1);
      if (leaf.part == 1) parts[leaf.axis] = value * Number(nest.Find(leaf.name).factor);
      if (leaf.part == 1 && skips) SkipSteps(*domain, value, counted, begin, nest.Find(leaf.name).factor);
      if (leaf.part == 2) inner_parts[leaf.axis] = value;
    }
    if (names->empty()) names->emplace_back("", (*domain)[0]);
    for (size_t a = 0; a < axes.size(); ++a) {
      Axis& axis = axes[a];
      // The rest starts where its last lane is the last element.
      if (static_cast<int>(a) == lane_axis && !parts[a].defined()) {
        parts[a] = axis.extent - Number(state.rest_count);
        if (counted.last.defined()) domain->where(counted.last >= begin + parts[a]);
      }
      if (!parts[a].defined())
        return absl::InternalError("a reduction's loop without a place in the schedule");
      Expr value = parts[a];
      if (inner_parts[a].defined()) {
        Expr offset = value + inner_parts[a];
        int64_t factor = nest.Find(nest.Parts(axis.name).second).factor;
        if (static_cast<int>(a) != lane_axis && (axis.fixed < 0 || axis.fixed % factor != 0)) {
          // Skipped by the condition, kept in range for what is computed in front of it.
          domain->where(offset < axis.extent);
          offset = Halide::min(offset, axis.extent - 1);
        }
        value = axis.lower + offset;
      }
      if (axis.offset.defined()) value += axis.offset;
      Scalar index = Scalar::Index(value, axis.low, axis.high);
      if (axis.indices.size() > 1) {
        inside.joined[axis.indices[0].getAsOpaquePointer()] = index;
      } else {
        inside.values[axis.indices[0].getAsOpaquePointer()] = index;
      }
      if (axis.from.defined()) only_where(value >= axis.from && value < axis.to);
      inside.lazy |= axis.from.defined();
    }
    if (view.condition) {
      auto here = Translate(view.condition, inside);
      if (!here.ok()) return here.status();
      only_where(here->e);
      inside.lazy = true;
    }
    auto body = Translate(view.body, inside);
    if (!body.ok()) return body.status();
    Expr value = ToCompute(*body, body_type);
    if (body_type.isInteger(1))
      value = Halide::select(value, Halide::cast<uint8_t>(1), Halide::cast<uint8_t>(0));
    return value;
  };

  // Whole steps of the lanes first. The rest is the end of the last whole vectors, whose other lanes add
  // nothing; or it goes one by one, where it may be that there are no whole vectors.
  std::vector<Leaf> rest_leaves;
  Expr rest_begin;  // of what counts, in lanes of the rest
  if (state.has_lanes) {
    for (const Leaf& leaf : leaves) {
      if (leaf.name == lane_leaf) lane_axis = leaf.axis;
    }
    Axis& axis = axes[lane_axis];
    Expr factor = Number(state.lane_count);
    state.has_rest = axis.fixed < 0 || axis.fixed % state.lane_count != 0;
    if (state.has_rest) {
      Expr steps = Halide::Internal::simplify(axis.extent / factor);
      int64_t rest = axis.fixed % state.lane_count, width = state.vector_width;
      int64_t whole = (rest + width - 1) / width * width;
      if (axis.fixed >= whole) state.rest_count = whole, rest_begin = Number(whole - rest);
      for (Leaf& leaf : leaves) {
        if (leaf.axis != lane_axis) {
          rest_leaves.push_back(leaf);
        } else if (leaf.part == 2 && state.rest_count > 0) {
          rest_leaves.push_back(leaf);
        } else if (leaf.part == 1) {
          leaf.extent = steps;
          if (state.rest_count > 0) continue;
          rest_leaves.push_back({leaf.name, lane_axis, 0,
                                 Halide::Internal::simplify(axis.lower + steps * factor),
                                 Halide::Internal::simplify(axis.extent - steps * factor)});
        }
      }
    }
  }
  // Where `counts` does not hold, nothing changes.
  auto step = [&](const Expr& so_far, const Expr& next, const Expr& counts) {
    Expr both = Opaque(Combine(view.kind, so_far, next));
    return counts.defined() ? Halide::select(counts, both, so_far) : both;
  };
  Context before = context;
  auto define_rest = [&]() -> absl::Status {
    std::vector<Var> rest_vars = vars;
    if (state.rest_count > 0) rest_vars.insert(rest_vars.begin(), state.rest_lane);
    RDom rest_domain;
    Expr counts;
    auto last = walk(before, rest_leaves, state.rest_lane, &rest_domain, &state.rest_leaves, &counts);
    if (!last.ok()) return last.status();
    if (rest_domain.defined() && !MentionsReduction(*last))
      *last = Halide::select(rest_domain[0] == rest_domain[0], *last, *last);
    Expr nothing = Identity(view.kind, type);
    if (state.rest_count > 0) *last = Halide::select(state.rest_lane >= rest_begin, *last, nothing);
    state.rest = Func(name + "_rest");
    std::vector<Expr> here(rest_vars.begin(), rest_vars.end());
    state.rest(rest_vars) = nothing;
    state.rest(here) = step(state.rest(here), *last, counts);
    return absl::OkStatus();
  };
  RDom domain;
  Expr counts;
  auto walked = walk(context, leaves, state.lane, &domain, &state.leaves, &counts);
  if (!walked.ok()) return walked.status();
  Expr value = *walked;
  // Halide sees what is summed over only where it is mentioned; a sum of ones mentions nothing.
  if (domain.defined() && !MentionsReduction(value))
    value = Halide::select(domain[0] == domain[0], value, value);

  state.func = Func(name);
  if (!state.tuple) {
    state.main = state.has_lanes    ? Func(name + "_lanes")
                 : state.has_blocks ? Func(name + "_block")
                                    : state.func;
    state.main(main_vars) = Identity(view.kind, type);
    std::vector<Expr> at(main_vars.begin(), main_vars.end());
    state.main(at) = step(state.main(at), value, counts);
    if (state.has_blocks) {
      RDom blocks(0, Number(state.block_count), "blocks");
      SkipSteps(blocks, blocks, counted, begin, nest.Find(nest.block).factor);
      state.blocks = blocks;
      std::vector<Expr> here(vars.begin(), vars.end()), of_block = here;
      of_block.emplace_back(blocks);
      state.func(vars) = Identity(view.kind, type);
      state.func(here) = step(state.func(here), state.main(of_block), Expr());
    }
    if (state.has_lanes) {
      int64_t width = state.vector_width;
      auto part = [&](const Func& func, const Expr& lane) {
        std::vector<Expr> place = {lane};
        place.insert(place.end(), vars.begin(), vars.end());
        return func(place);
      };
      Var lane("lane");
      std::vector<Expr> vectors;
      for (int64_t i = 0; i < state.lane_count; i += width)
        vectors.push_back(part(state.main, lane + Number(i)));
      if (state.has_rest) {
        if (auto s = define_rest(); !s.ok()) return s;
        for (int64_t i = 0; i < state.rest_count; i += width)
          vectors.push_back(part(state.rest, lane + Number(i)));
      }
      std::vector<Var> folded_vars = {lane};
      folded_vars.insert(folded_vars.end(), vars.begin(), vars.end());
      state.folded.emplace_back(name + "_vector");
      state.folded.back()(folded_vars) = Tree(view.kind, vectors);
      for (; width % 2 == 0; width /= 2) {
        Func whole = state.folded.back(), half(name + "_half");
        half(folded_vars) = Combine(view.kind, part(whole, lane), part(whole, lane + Number(width / 2)));
        state.folded.push_back(half);
      }
      std::vector<Expr> singles;
      for (int64_t i = 0; i < width; ++i) singles.push_back(part(state.folded.back(), Number(i)));
      Expr all = Tree(view.kind, singles);
      if (state.has_rest && state.rest_count == 0)
        all = Combine(view.kind, all, state.rest(std::vector<Expr>(vars.begin(), vars.end())));
      state.func(vars) = all;
    }
    return absl::OkStatus();
  }

  // The chosen element and its position, -1 while there is none. Positions decide between equals, so the
  // order of the loops does not.
  state.main = state.func;
  Expr position = 0;
  int64_t count = 1;
  for (size_t i = 0; i < view.indices.size(); ++i) {
    auto lower = Translate(view.lower[i], context), upper = Translate(view.upper[i], context);
    if (!lower.ok()) return lower.status();
    if (!upper.ok()) return upper.status();
    Expr from = ToIndex(*lower), size = ToIndex(*upper) - from;
    auto index = context.values.find(view.indices[i].getAsOpaquePointer());
    Expr here;
    if (index != context.values.end()) {
      here = index->second.e;
      position = position * size + (here - from);
    } else {
      // A joined loop counts its members by itself.
      auto joined = context.joined.find(view.indices[i].getAsOpaquePointer());
      if (joined == context.joined.end()) continue;
      position = position * Number(joined->second.high + 1) + joined->second.e;
    }
    int64_t most =
        upper->narrow && lower->narrow ? std::max<int64_t>(0, upper->high - lower->low) : kLongestTotal;
    count = count > kLongestTotal / std::max<int64_t>(1, most) ? kLongestTotal : count * most;
  }
  state.position_high = count;
  position = Halide::Internal::simplify(position);
  state.func(vars) = Tuple(Identity(view.kind, type), Expr(-1));
  std::vector<Expr> at(vars.begin(), vars.end());
  Expr best = state.func(at)[0], where = state.func(at)[1];
  Expr take;
  switch (view.kind) {
    case ReduceKind::kArgMax:
      take = Less(best, value) || (IsNan(value) && !IsNan(best));
      take = take || ((where > position) && !Less(value, best) && (IsNan(value) == IsNan(best)));
      break;
    case ReduceKind::kArgMin:
      take = Less(value, best) || (IsNan(best) && !IsNan(value));
      take = take || ((where > position) && !Less(best, value) && (IsNan(value) == IsNan(best)));
      break;
    case ReduceKind::kFirst:
      take = position < where;
      break;
    case ReduceKind::kLast:
      take = position > where;
      break;
    default: {
      state.func(at) =
          Tuple(step(best, value, counts), counts.defined() ? Halide::select(counts, 0, where) : Expr(0));
      return absl::OkStatus();
    }
  }
  take = take || where < 0;
  if (counts.defined()) take = take && counts;
  state.func(at) = Tuple(Halide::select(take, value, best), Halide::select(take, position, where));
  return absl::OkStatus();
}

}  // namespace weft::backends
