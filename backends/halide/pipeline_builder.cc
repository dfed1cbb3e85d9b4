#include "backends/halide/pipeline_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backends/halide/select_scalar.h"
#include "backends/schedule/motion.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft::backends {

using Halide::Expr;
using Halide::Func;
using Halide::Var;

namespace {

bool ProvedInside(const Scalar& s, int64_t fixed) {
  return s.narrow && s.low >= 0 && fixed >= 0 && s.high < fixed;
}

}  // namespace

std::string Identifier(const std::string& name) {
  std::string id;
  for (char c : name) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (id.empty() || std::isdigit(static_cast<unsigned char>(id[0]))) id = "w" + id;
  return id;
}

absl::Status PipelineBuilder::Build() {
  if (schedule_.equations.size() != kernel_.equations.size()) {
    return absl::InternalError("a schedule with another number of equations than its kernel");
  }
  std::set<std::pair<mlir::Operation*, int>> wanted;
  for (size_t i = 0; i < kernel_.equations.size(); ++i) {
    EquationState& equation = equations_.emplace_back();
    equation.view = &kernel_.equations[i];
    auto nest = ResolveLoops(equation.view->loops, schedule_.equations[i]);
    if (!nest.ok()) return nest.status();
    equation.nest = *std::move(nest);
    std::string why;
    if (!equation.nest.block.empty() && !HasBlocks(*equation.view, &why)) {
      return absl::InvalidArgumentError(
          absl::StrCat("schedule: `", equation.view->loops.path, "` is not reduced in blocks: ", why));
    }
    wanted.merge(JoinedPairs(*equation.view, equation.nest.joins));
  }
  joins_ = FindJoins(kernel_, &wanted);
  for (const auto& pair : wanted) {
    if (!joins_.loops.count(pair)) {
      return absl::InvalidArgumentError(
          "schedule: these loops cannot be joined: some equation of the kernel reads them apart, or does not "
          "join them");
    }
  }
  if (auto s = DeclareArguments(); !s.ok()) return s;
  for (EquationState& equation : equations_) {
    if (auto s = BuildEquation(equation); !s.ok()) return s;
  }
  if (auto s = MakeOutputs(); !s.ok()) return s;
  for (EquationState& equation : equations_) {
    if (auto s = ScheduleEquation(equation); !s.ok()) return s;
  }
  // What is scheduled behind a specialization is of the general code alone.
  for (EquationState& equation : equations_) {
    if (auto s = SpecializeEquation(equation); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status PipelineBuilder::DeclareTensor(mlir::Value value, Tensor* tensor,
                                            const std::vector<Expr>& extents,
                                            const std::vector<int64_t>& fixed) {
  tensor->element = mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    if (axis > 0 && joins_.Axis(value, static_cast<int>(axis) - 1)) {
      AxisGroup& group = tensor->groups.back();
      ++group.count;
      group.extent = group.extent * extents[axis];
      group.fixed = group.fixed < 0 || fixed[axis] < 0 ? kUnknown : group.fixed * fixed[axis];
    } else {
      tensor->groups.push_back({static_cast<int>(axis), 1, extents[axis], fixed[axis]});
    }
  }
  return absl::OkStatus();
}

absl::Status PipelineBuilder::DeclareArguments() {
  int extents_seen = 0;
  std::vector<Halide::Argument> sizes;
  // The ABI's order of extents: run-time axes of operands, of results, then the operands that are sizes
  // themselves.
  auto abi_axes = [&](const Tensor& tensor, const std::vector<AbiSize>& axes) {
    AbiBuffer buffer;
    auto storage = StorageType(tensor.element);
    buffer.type_code = storage->code(), buffer.type_bits = storage->bits();
    for (auto group = tensor.groups.rbegin(); group != tensor.groups.rend(); ++group) {
      buffer.axes.emplace_back(axes.begin() + group->first, axes.begin() + group->first + group->count);
    }
    return buffer;
  };
  for (mlir::Value argument : kernel_.arguments) {
    auto type = mlir::dyn_cast<mlir::RankedTensorType>(argument.getType());
    if (!type) continue;
    auto storage = StorageType(type.getElementType());
    if (!storage.ok()) return storage.status();
    std::vector<Expr> extents;
    std::vector<int64_t> fixed;
    std::vector<AbiSize> axes;
    for (int axis = 0; axis < type.getRank(); ++axis) {
      if (type.isDynamicDim(axis)) {
        Halide::Param<int32_t> size(absl::StrCat("size", extents_seen));
        dims_[{argument.getAsOpaquePointer(), axis}] = Scalar::Index(size, 0, kLongestAxis);
        sizes.push_back(size);
        abi_.scalars.push_back(extents_seen);
        extents.push_back(size);
        fixed.push_back(kUnknown);
        axes.push_back(-1 - extents_seen++);
      } else {
        extents.push_back(Number(type.getDimSize(axis)));
        fixed.push_back(type.getDimSize(axis));
        axes.push_back(type.getDimSize(axis));
      }
    }
    Tensor& tensor = tensors_[argument.getAsOpaquePointer()];
    if (auto s = DeclareTensor(argument, &tensor, extents, fixed); !s.ok()) return s;
    Halide::ImageParam param(*storage, static_cast<int>(tensor.groups.size()),
                             absl::StrCat("in", abi_.inputs.size()));
    Expr stride = 1;
    int dim = 0;
    for (auto group = tensor.groups.rbegin(); group != tensor.groups.rend(); ++group, ++dim) {
      param.dim(dim).set_bounds(0, group->extent).set_stride(stride);
      stride = Halide::Internal::simplify(stride * group->extent);
    }
    param.set_host_alignment(tensor.groups.empty() ? storage->bytes() : 64);
    tensor.param = param;
    arguments_.push_back(param);
    abi_.inputs.push_back(abi_axes(tensor, axes));
  }
  std::vector<std::vector<AbiSize>> result_axes;
  for (mlir::Value result : kernel_.returned) {
    auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
    std::vector<AbiSize>& axes = result_axes.emplace_back();
    for (int axis = 0; axis < type.getRank(); ++axis) {
      axes.push_back(type.isDynamicDim(axis) ? -1 - extents_seen++ : type.getDimSize(axis));
    }
  }
  // Those that are no extents are numbers made of sizes: where something begins may be in front of an axis.
  auto is_extent = [&](mlir::Value argument) {
    return llvm::any_of(kernel_.equations, [&](const EquationView& equation) {
      return llvm::is_contained(equation.extents, argument);
    });
  };
  for (mlir::Value argument : kernel_.arguments) {
    if (!argument.getType().isIndex()) continue;
    Halide::Param<int32_t> size(absl::StrCat("size", extents_seen));
    bool may_be_negative = !is_extent(argument);
    if (may_be_negative) abi_.offsets.push_back(extents_seen);
    root_.values[argument.getAsOpaquePointer()] =
        Scalar::Index(size, may_be_negative ? -kLongestAxis : 0, kLongestAxis);
    sizes.push_back(size);
    abi_.scalars.push_back(extents_seen++);
  }
  abi_.extent_count = extents_seen;
  arguments_.insert(arguments_.end(), sizes.begin(), sizes.end());
  // Result buffers take the joined axes of the value that is returned, which its equation has yet to declare.
  for (size_t i = 0; i < kernel_.returned.size(); ++i) {
    Tensor shape;
    std::vector<Expr> extents(result_axes[i].size(), Expr(1));
    if (auto s = DeclareTensor(kernel_.returned[i], &shape, extents, std::vector<int64_t>(extents.size(), 1));
        !s.ok()) {
      return s;
    }
    auto storage = StorageType(shape.element);
    if (!storage.ok()) return storage.status();
    abi_.outputs.push_back(abi_axes(shape, result_axes[i]));
  }
  return absl::OkStatus();
}

void PipelineBuilder::BindLoops(EquationState& equation, Context& context) {
  context.equation = &equation;
  for (size_t i = 0; i < equation.loops.size(); ++i) {
    const BaseLoop& loop = equation.loops[i];
    const Coordinate& at = context.loops[i];
    if (loop.indices.size() > 1) {
      context.joined[loop.indices[0].getAsOpaquePointer()] = at.value;
    } else {
      context.values[loop.indices[0].getAsOpaquePointer()] = at.value;
      if (at.inner.defined()) context.tiles[loop.indices[0].getAsOpaquePointer()] = at;
    }
  }
}

// Whether `read` goes along `index` over the columns of a product that is computed inside its reader, by
// whole blocks of `factor`: there are elements past its end.
bool PipelineBuilder::HasWholeBlocks(const ReadView& read, mlir::Value index, int64_t factor) const {
  for (const EquationState& other : equations_) {
    const EquationView& view = *other.view;
    if (view.packed_axis < 0 || !llvm::is_contained(view.results, read.tensor)) continue;
    if (read.subscripts[view.packed_axis] != index) return false;
    return llvm::any_of(other.loops, [&](const BaseLoop& loop) {
      return loop.indices[0] == view.indices[view.packed_axis] && loop.aligned && loop.factor == factor;
    });
  }
  return false;
}

// Whether this is the loop over packed columns, and the equation inside of which they are computed may read
// past them.
bool PipelineBuilder::IsReadPast(const EquationState& equation, const BaseLoop& loop) {
  const EquationView& view = *equation.view;
  if (view.packed_axis < 0 || loop.indices[0] != view.indices[view.packed_axis]) return false;
  const EquationState* reader = FindEquation(equation.nest.at_equation);
  return reader && reader->nest.transposes;
}

// Packed weights are zero behind the last column, and transposed copies repeat their last element there.
bool PipelineBuilder::MayOverrun(const EquationState& equation, const BaseLoop& loop) const {
  const EquationView& view = *equation.view;
  if (loop.indices.size() > 1) return false;
  mlir::Value index = loop.indices[0];
  if (view.packed_axis >= 0 && index == view.indices[view.packed_axis] && loop.factor == view.packed_block)
    return true;
  auto reaches = [&](const ReadView& read) { return HasWholeBlocks(read, index, loop.factor); };
  return equation.nest.transposes && loop.lanes && CopiesReachPast(view, index, reaches);
}

absl::Status PipelineBuilder::BuildEquation(EquationState& equation) {
  const EquationView& view = *equation.view;
  std::vector<Expr> extents;
  std::vector<int64_t> fixed;
  for (size_t i = 0; i < view.indices.size(); ++i) {
    fixed.push_back(view.loops.domain[i].extent);
    if (fixed.back() >= 0) {
      extents.push_back(Number(fixed.back()));
    } else {
      auto extent = Translate(view.extents[i], root_);
      if (!extent.ok()) return extent.status();
      extents.push_back(Halide::Internal::simplify(ToIndex(*extent)));
    }
  }
  for (size_t i = 0; i < view.indices.size(); ++i) {
    if (i > 0 && joins_.Loop(view.op, static_cast<int>(i) - 1)) {
      BaseLoop& loop = equation.loops.back();
      loop.indices.push_back(view.indices[i]);
      loop.extent = loop.extent * extents[i];
      loop.fixed = loop.fixed < 0 || fixed[i] < 0 ? kUnknown : loop.fixed * fixed[i];
    } else {
      BaseLoop loop;
      loop.name = view.loops.domain[i].name;
      loop.indices = {view.indices[i]};
      loop.extent = extents[i];
      loop.fixed = fixed[i];
      equation.loops.push_back(loop);
    }
  }
  bool passes_end = false;
  for (BaseLoop& loop : equation.loops) {
    if (loop.indices.size() > 1) {
      for (const auto& join : equation.nest.joins) {
        for (size_t i = 0; i < view.indices.size(); ++i) {
          if (view.indices[i] == loop.indices[0] && join[0] == view.loops.domain[i].name)
            loop.name = join.back();
        }
      }
    }
    auto [outer, inner] = equation.nest.Parts(loop.name);
    if (inner.empty()) continue;
    loop.outer_name = outer, loop.inner_name = inner;
    loop.factor = equation.nest.Find(inner).factor;
    const auto& at_once = equation.nest.inner;
    bool in_tile = std::find(at_once.begin(), at_once.end(), inner) != at_once.end();
    loop.lanes = equation.nest.Find(inner).vectorized;
    loop.overruns = MayOverrun(equation, loop);
    // Vectors must stay dense up to the edge.
    bool dense = !loop.lanes || loop.overruns || (loop.fixed >= 0 && loop.fixed % loop.factor == 0);
    // Of what is computed inside another equation a part is needed. A tile that lay across two coordinates
    // would have no place, and one that is moved back must not begin in front of the first element.
    bool placed = equation.nest.placed && !equation.nest.at_equation.empty();
    bool is_whole = loop.fixed >= 0 && loop.fixed % loop.factor == 0;
    Region region = RegionOf(equation, loop.indices[0], loop.fixed);
    bool has_place = !placed || region.least < 0 || region.least >= loop.factor;
    loop.overlaps = equation.nest.Find(loop.name).overlap && has_place;
    loop.tiled = in_tile && dense && !loop.overlaps;
    bool is_apart = is_whole || SkipsMasked() || region.step % loop.factor != 0 || IsReadPast(equation, loop);
    loop.aligned = placed && ((loop.tiled && is_apart) || (loop.lanes && is_whole && SkipsMasked()));
    passes_end |= loop.aligned && !is_whole;
  }

  Context context;
  context.passes_end = passes_end;
  std::vector<Var> vars;
  for (const BaseLoop& loop : equation.loops) {
    Coordinate at;
    at.value = Scalar::Index(loop.var(), 0, Last(loop.fixed));
    if (loop.tiled) {
      at.inner = loop.var() % Number(loop.factor);
      at.outer = loop.var() / Number(loop.factor);
    }
    context.loops.push_back(at);
    vars.insert(vars.begin(), loop.var());
  }
  BindLoops(equation, context);
  for (size_t r = 0; r < view.results.size(); ++r) {
    mlir::Type element = mlir::cast<mlir::RankedTensorType>(view.results[r].getType()).getElementType();
    auto body = Translate(view.bodies[r], context);
    if (!body.ok()) return body.status();
    Func func(Identifier(view.loops.path));
    func(vars) = ToStorage(*body, element);
    equation.funcs.push_back(func);
    Tensor& tensor = tensors_[view.results[r].getAsOpaquePointer()];
    if (auto s = DeclareTensor(view.results[r], &tensor, extents, fixed); !s.ok()) return s;
    tensor.func = func;
  }
  return absl::OkStatus();
}

absl::Status PipelineBuilder::MakeOutputs() {
  std::set<const void*> seen;
  for (mlir::Value value : kernel_.returned) {
    Tensor& tensor = tensors_[value.getAsOpaquePointer()];
    Func out;
    if (tensor.func && seen.insert(value.getAsOpaquePointer()).second) {
      out = *tensor.func;
      for (EquationState& equation : equations_) {
        for (Func& func : equation.funcs) equation.output |= func.name() == out.name();
      }
    } else {
      // An argument, or a result a second time: a copy.
      std::vector<Var> vars(tensor.groups.size());
      std::vector<Expr> subscripts(vars.begin(), vars.end());
      out = Func("copy");
      std::reverse(vars.begin(), vars.end());
      out(vars) = Load(tensor, subscripts);
    }
    Expr stride = 1;
    int dim = 0;
    for (auto group = tensor.groups.rbegin(); group != tensor.groups.rend(); ++group, ++dim) {
      out.output_buffer().dim(dim).set_bounds(0, group->extent).set_stride(stride);
      stride = Halide::Internal::simplify(stride * group->extent);
    }
    out.output_buffer().set_host_alignment(tensor.groups.empty() ? StorageType(tensor.element)->bytes() : 64);
    outputs_.push_back(out);
  }
  return absl::OkStatus();
}

Scalar PipelineBuilder::DimOf(mlir::Value value, int axis) {
  auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
  if (!type.isDynamicDim(axis)) {
    return Scalar::Index(Number(type.getDimSize(axis)), type.getDimSize(axis), type.getDimSize(axis));
  }
  auto known = dims_.find({value.getAsOpaquePointer(), axis});
  if (known != dims_.end()) return known->second;
  const Tensor& tensor = tensors_[value.getAsOpaquePointer()];
  for (const AxisGroup& group : tensor.groups) {
    if (group.first == axis) return Scalar::Index(group.extent, 0, kLongestAxis);
  }
  return Scalar::Index(Number(1), 1, 1);
}

absl::StatusOr<Scalar> PipelineBuilder::TranslateDim(mlir::Operation* op, Context& context) {
  int64_t axis = 0;
  if (!ConstantIndex(op->getOperand(1), &axis))
    return absl::UnimplementedError("a size of an axis that is computed");
  return DimOf(op->getOperand(0), static_cast<int>(axis));
}

absl::StatusOr<Scalar> PipelineBuilder::Translate(mlir::Value value, Context& context) {
  auto known = context.values.find(value.getAsOpaquePointer());
  if (known != context.values.end()) return known->second;
  mlir::Operation* op = value.getDefiningOp();
  if (&context != &root_) {
    // What stands outside of all equations is the same everywhere.
    bool outside = op ? op->getBlock() == &kernel_.op->getRegion(0).front()
                      : value.getParentBlock() == &kernel_.op->getRegion(0).front();
    if (outside) return Translate(value, root_);
  }
  if (!op) return absl::UnimplementedError("an index that is not in force here (of joined loops)");
  auto result =
      TranslateOp(op, static_cast<int>(mlir::cast<mlir::OpResult>(value).getResultNumber()), context);
  if (result.ok()) context.values[value.getAsOpaquePointer()] = *result;
  return result;
}

// a of `a - (a floordiv c) * c` with a positive number c. As a remainder its bounds are plain to Halide;
// bounds of the difference grow without end where they nest.
static mlir::Value FloorRemainderOf(mlir::Operation* op, int64_t* divisor) {
  auto difference = mlir::dyn_cast<mlir::arith::SubIOp>(op);
  auto product = difference ? difference.getRhs().getDefiningOp<mlir::arith::MulIOp>() : nullptr;
  auto quotient = product ? product.getLhs().getDefiningOp<mlir::arith::FloorDivSIOp>() : nullptr;
  bool is_remainder = quotient && quotient.getLhs() == difference.getLhs() &&
                      quotient.getRhs() == product.getRhs() && op->getResult(0).getType().isIndex() &&
                      ConstantIndex(quotient.getRhs(), divisor) && *divisor > 0;
  return is_remainder ? difference.getLhs() : mlir::Value();
}

absl::StatusOr<Scalar> PipelineBuilder::TranslateOp(mlir::Operation* op, int result, Context& context) {
  if (mlir::isa<ir::ReadOp>(op)) return TranslateRead(op, context);
  if (mlir::isa<ir::ReduceOp>(op)) return TranslateReduce(op, context);
  if (mlir::isa<mlir::tensor::DimOp>(op)) return TranslateDim(op, context);
  if (mlir::isa<mlir::scf::IfOp, mlir::scf::IndexSwitchOp>(op)) return TranslateBranches(op, result, context);
  // Packed weights are read at (k div block, k mod block), the two coordinates of a tile.
  if (mlir::isa<mlir::arith::DivUIOp, mlir::arith::RemUIOp, mlir::arith::DivSIOp, mlir::arith::RemSIOp,
                mlir::arith::FloorDivSIOp>(op)) {
    auto tile = context.tiles.find(op->getOperand(0).getAsOpaquePointer());
    int64_t block = 0;
    if (tile != context.tiles.end() && ConstantIndex(op->getOperand(1), &block)) {
      for (const BaseLoop& loop : context.equation->loops) {
        if (loop.indices[0] != op->getOperand(0) || loop.factor != block) continue;
        bool rest = mlir::isa<mlir::arith::RemUIOp, mlir::arith::RemSIOp>(op);
        return rest ? Scalar::Index(tile->second.inner, 0, block - 1)
                    : Scalar::Index(tile->second.outer, 0, Last(loop.fixed) / block);
      }
    }
  }
  int64_t divisor = 0;
  if (mlir::Value dividend = FloorRemainderOf(op, &divisor)) {
    auto translated = Translate(dividend, context);
    return translated.ok() ? FloorRemainder(*translated, divisor) : translated;
  }
  std::vector<Scalar> operands;
  for (mlir::Value operand : op->getOperands()) {
    auto translated = Translate(operand, context);
    if (!translated.ok()) return translated.status();
    operands.push_back(*std::move(translated));
  }
  if (op->getNumResults() != 1 || op->getNumRegions() != 0) {
    return absl::UnimplementedError(
        absl::StrCat("the operation ", op->getName().getStringRef().str(), " in an equation's body"));
  }
  return TranslateScalarOp(op, operands);
}

// Both branches are computed and one is selected, so accesses in them must not rely on their guard.
absl::StatusOr<Scalar> PipelineBuilder::TranslateBranches(mlir::Operation* op, int result, Context& context) {
  bool lazy_before = context.lazy;
  auto branch = [&](mlir::Region& region) -> absl::StatusOr<Scalar> {
    context.lazy = true;
    auto value = Translate(region.front().getTerminator()->getOperand(result), context);
    context.lazy = lazy_before;
    return value;
  };
  auto selector = Translate(op->getOperand(0), context);
  if (!selector.ok()) return selector;
  mlir::Type type = op->getResult(result).getType();
  if (auto choice = mlir::dyn_cast<mlir::scf::IfOp>(op)) {
    auto then = branch(choice.getThenRegion());
    if (!then.ok()) return then;
    auto otherwise = branch(choice.getElseRegion());
    if (!otherwise.ok()) return otherwise;
    return SelectScalar(selector->e, *then, *otherwise, type);
  }
  auto choice = mlir::cast<mlir::scf::IndexSwitchOp>(op);
  auto chosen = branch(choice.getDefaultRegion());
  if (!chosen.ok()) return chosen;
  for (auto [number, region] : llvm::zip(choice.getCases(), choice.getCaseRegions())) {
    auto value = branch(region);
    if (!value.ok()) return value;
    Expr is =
        selector->narrow ? selector->e == Number(number) : selector->e == Expr(static_cast<int64_t>(number));
    chosen = SelectScalar(is, *value, *chosen, type);
  }
  return chosen;
}

Expr PipelineBuilder::Load(const Tensor& tensor, const std::vector<Expr>& subscripts) const {
  std::vector<Expr> at(subscripts.rbegin(), subscripts.rend());
  return tensor.param ? (*tensor.param)(at) : (*tensor.func)(at);
}

// Whether the read goes along the one block of packed weights, which is longer than the loop may be, by a
// tile that is as long as the block.
bool PipelineBuilder::ReadsBlock(const ReadView& read, const AxisGroup& group, const Context& context) const {
  if (!context.equation || context.equation->view->packed_axis < 0) return false;
  const EquationView& view = *context.equation->view;
  mlir::Value subscript = read.subscripts[group.first];
  if (subscript != view.indices[view.packed_axis] || group.fixed != view.packed_block ||
      context.tiles.count(subscript.getAsOpaquePointer()) == 0)
    return false;
  return llvm::any_of(context.equation->loops, [&](const BaseLoop& loop) {
    return loop.indices[0] == subscript && loop.factor == group.fixed;
  });
}

absl::StatusOr<Scalar> PipelineBuilder::TranslateRead(mlir::Operation* op, Context& context) {
  ReadView read = ViewRead(op);
  const Tensor& tensor = tensors_[read.tensor.getAsOpaquePointer()];
  std::vector<Expr> subscripts;
  std::vector<Outside> outside;  // per group
  std::vector<Expr> insides;     // of the subscripts that are filled, outermost first
  bool affine = true;
  std::vector<Scalar> raw;
  for (const AxisGroup& group : tensor.groups) {
    if (group.count > 1) {
      auto joined = context.joined.find(read.subscripts[group.first].getAsOpaquePointer());
      if (joined == context.joined.end()) return absl::InternalError("a read apart of joined loops");
      raw.push_back(joined->second);
      outside.push_back(Outside::kInside);
      continue;
    }
    auto subscript =
        ReadsBlock(read, group, context)
            ? Scalar::Index(context.tiles[read.subscripts[group.first].getAsOpaquePointer()].inner, 0,
                            group.fixed - 1)
            : Translate(read.subscripts[group.first], context);
    if (!subscript.ok()) return subscript;
    AffineForm form;
    affine &= MatchAffine(read.subscripts[group.first], &form);
    raw.push_back(*subscript);
    outside.push_back(read.outside[group.first]);
    if (outside.back() == Outside::kFill && ProvedInside(*subscript, group.fixed))
      outside.back() = Outside::kInside;
  }

  bool fills = std::find(outside.begin(), outside.end(), Outside::kFill) != outside.end();
  int64_t ignored;
  bool constant_fill =
      fills && read.fill.getDefiningOp() &&
      (ConstantIndex(read.fill, &ignored) || read.fill.getDefiningOp<mlir::arith::ConstantOp>());
  // The region of a copy follows from the loops.
  bool by_loops = std::none_of(raw.begin(), raw.end(), [](const Scalar& s) { return ReadsElements(s.e); });
  if (fills && context.equation && context.equation->nest.pads && by_loops && constant_fill) {
    auto padded = Padded(read, tensor, outside, context);
    if (!padded.ok()) return padded.status();
    std::vector<Expr> at;
    for (const Scalar& s : raw) at.insert(at.begin(), ToIndex(s));
    return FromStorage((*padded)(at), tensor.element);
  }

  if (context.reduce && context.equation->nest.transposes && affine && !context.lazy) {
    for (const BaseLoop& loop : context.equation->loops) {
      if (!GoesToCopy(read, loop)) continue;
      bool lanes = loop.lanes || context.equation->nest.Find(loop.name).vectorized;
      bool whole =
          std::all_of(outside.begin(), outside.end(), [](Outside o) { return o == Outside::kInside; });
      bool is_there = HasWholeBlocks(read, loop.indices[0], loop.factor);
      if (lanes && whole && !is_there) return ReadTransposed(read, tensor, raw, context);
    }
  }

  for (size_t g = 0; g < raw.size(); ++g) {
    const Scalar& s = raw[g];
    const AxisGroup& group = tensor.groups[g];
    Expr i = s.e;  // in 32 or 64 bits; what lies outside is decided before it is narrowed
    Expr last = Halide::cast(i.type(), group.fixed >= 0 ? Number(group.fixed - 1) : group.extent - 1);
    Expr zero = Halide::Internal::make_zero(i.type());
    auto clamped = [&] { return Halide::max(Halide::min(i, last), zero); };
    // What turns back at the edges goes straight on between them: there is a loop of its own.
    auto turn = [&](const Expr& turned) {
      Expr edge = Halide::max(Halide::min(turned, last), zero);
      if (!affine) return void(i = edge);
      Expr straight = Halide::likely_if_innermost(i);
      i = Halide::select(i < zero || i > last, edge, Halide::max(Halide::min(straight, last), zero));
    };
    switch (outside[g]) {
      case Outside::kInside:
        // A subscript read from data is inside wherever it is meant to be read; the lanes of a padded tail
        // and what runs in front of its condition take whatever lies there.
        if ((context.lazy || context.passes_end || !affine) &&
            (!ProvedInside(s, group.fixed) || ReadsElements(i)))
          i = clamped();
        break;
      case Outside::kFill: {
        insides.push_back(i >= zero && i <= last);
        i = clamped();
        break;
      }
      case Outside::kClamp:
        if (ProvedInside(s, group.fixed)) break;
        if (affine) i = Halide::likely_if_innermost(i);
        i = clamped();
        break;
      case Outside::kMirror: {
        // Reflected about the edges, which are not repeated: period 2 (n - 1).
        Expr period = Halide::max(last + last, Halide::Internal::make_one(i.type()));
        Expr place = i % period;
        turn(Halide::select(place > last, period - place, place));
        break;
      }
      case Outside::kWrap:
        turn(i % Halide::max(last + 1, Halide::Internal::make_one(i.type())));
        break;
    }
    subscripts.push_back(i.type() == Halide::Int(32) ? i : Halide::cast<int32_t>(i));
  }
  auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
  bool empty = type.hasStaticShape() && type.getNumElements() == 0;
  if (fills) {
    auto fill = Translate(read.fill, context);
    if (!fill.ok() || empty) return fill;
    return FillOutside(FromStorage(Load(tensor, subscripts), tensor.element), *fill, insides, tensor.element);
  }
  if (empty) return Scalar::Of(Halide::Internal::make_zero(ComputeType(tensor.element)));
  return FromStorage(Load(tensor, subscripts), tensor.element);
}

// A copy of the tensor that may be read outside of it. Its region is what the equation reads.
absl::StatusOr<Func> PipelineBuilder::Padded(const ReadView& read, const Tensor& tensor,
                                             const std::vector<Outside>& outside, Context& context) {
  auto fill = Translate(read.fill, root_);
  if (!fill.ok()) fill = Translate(read.fill, context);
  if (!fill.ok()) return fill.status();
  std::string key = absl::StrCat(context.equation->view->loops.path, " ",
                                 reinterpret_cast<uintptr_t>(read.tensor.getAsOpaquePointer()), " ",
                                 reinterpret_cast<uintptr_t>(read.fill.getAsOpaquePointer()));
  for (Outside o : outside) absl::StrAppend(&key, " ", static_cast<int>(o));
  auto [it, added] = padded_.try_emplace(key, "padded");
  if (!added) return it->second;
  std::vector<Var> vars;
  std::vector<Expr> at;
  Expr inside;
  for (size_t g = 0; g < tensor.groups.size(); ++g) {
    Var v(absl::StrCat("p", g));
    vars.insert(vars.begin(), v);
    if (outside[g] == Outside::kInside) {
      at.push_back(v);
      continue;
    }
    Expr last = tensor.groups[g].extent - 1;
    if (outside[g] == Outside::kFill) {
      Expr here = v >= 0 && v <= last;
      inside = inside.defined() ? inside && here : here;
    } else if (outside[g] != Outside::kClamp) {
      return absl::UnimplementedError(
          "a read that is filled along one axis and repeats along another, padded");
    }
    at.push_back(Halide::max(Halide::min(v, last), 0));
  }
  it->second(vars) = Halide::select(inside, Load(tensor, at), ToStorage(*fill, tensor.element));
  int rank = static_cast<int>(tensor.groups.size()), shared = -1;
  for (int g = rank - 2; g >= 0; --g) {
    if (tensor.groups[g].fixed != 1) shared = rank - 1 - g;
  }
  context.equation->pads.emplace_back(it->second, shared);
  return it->second;
}

}  // namespace weft::backends
