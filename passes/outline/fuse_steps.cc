#include <algorithm>
#include <optional>

#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/until.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/kernel_work.h"
#include "passes/outline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_FUSESTEPS
#include "passes/outline/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// A launch costs about as much as so many operations of a plain loop: a step with fewer is not worth its own.
constexpr double kMostOperations = 4096;
// What lies between the equations of a step stays in the first-level cache.
constexpr int64_t kMostBytes = 4096;

// One kernel for a loop of steps and all that a step does.
class StepFuser {
 public:
  StepFuser(ir::IterateOp iterate, mlir::func::FuncOp step, mlir::SymbolTable& symbols)
      : iterate_(iterate), step_(step), symbols_(symbols), builder_(iterate) {}

  // Whether a step is small and made of what a kernel may hold.
  bool IsSmall() {
    if (ir::EndsEarly(iterate_)) return false;  // the method's code ends it
    double operations = 0;
    mlir::Block& body = step_.getBody().front();
    mlir::Operation* end = body.getTerminator();
    for (mlir::Operation& op : body.without_terminator()) {
      if (mlir::isa<ir::WeightOp, ir::PreparedOp>(op)) continue;
      if (mlir::isa<mlir::arith::ConstantOp>(op)) continue;
      auto equation = mlir::dyn_cast<ir::EquationOp>(op);
      if (!equation && op.getNumRegions() == 0 && mlir::isMemoryEffectFree(&op) &&
          !mlir::isa<ir::LaunchOp, ir::IterateOp, ir::SortOp, ir::SegmentsOp, ir::UpdateOp, ir::FilterOp,
                     ir::ExternOp, ir::FoundOp>(op))
        continue;
      if (!equation) return false;
      std::optional<int64_t> points = PointCount(equation);
      if (!points) return false;
      operations += static_cast<double>(*points) * std::max(1.0, CostPerPoint(equation, kMostOperations));
      for (Value result : equation->getResults()) {
        bool leaves = llvm::is_contained(end->getOperands(), result);
        if (!leaves && BytesOf(result.getType()).value_or(kMostBytes + 1) > kMostBytes) return false;
      }
    }
    return operations <= kMostOperations;
  }

  void Run() {
    mlir::OperationState state(iterate_.getLoc(), ir::KernelOp::getOperationName());
    body_ = &state.addRegion()->emplaceBlock();
    CollectOperands();
    mlir::OpBuilder inner(builder_.getContext());  // the block is in no operation yet
    inner.setInsertionPointToEnd(body_);
    ir::LoopOp loop = MakeLoop(inner);
    ir::ReturnOp::create(inner, iterate_.getLoc(), loop.getResults());

    SmallVector<mlir::Type> results(iterate_.getResultTypes());
    state.addAttribute("sym_name", builder_.getStringAttr("steps"));
    state.addAttribute("function_type",
                       mlir::TypeAttr::get(builder_.getFunctionType(body_->getArgumentTypes(), results)));
    auto kernel = mlir::cast<ir::KernelOp>(mlir::Operation::create(state));
    Describe(kernel);
    symbols_.insert(kernel);
    auto launch = ir::LaunchOp::create(builder_, iterate_.getLoc(), results, kernel.getSymName(), operands_,
                                       SizesOfResults());
    if (auto path = kernel->getAttrOfType<mlir::StringAttr>("path")) launch->setAttr("path", path);
    iterate_->replaceAllUsesWith(launch);
    iterate_->erase();
    symbols_.erase(step_);
  }

 private:
  // Tensors first, then sizes. What the step reads of weights is read by the method and given.
  void CollectOperands() {
    SmallVector<std::pair<Value, Value>> tensors;  // outside; the step's own, or null
    unsigned first = step_.getNumArguments() - static_cast<unsigned>(iterate_.getInputs().size());
    for (Value given : iterate_.getFrom()) tensors.emplace_back(given, Value());
    for (auto [number, input] : llvm::enumerate(iterate_.getInputs()))
      if (mlir::isa<mlir::RankedTensorType>(input.getType()))
        tensors.emplace_back(input, step_.getArgument(first + static_cast<unsigned>(number)));
    for (mlir::Operation& op : step_.getBody().front())
      if (mlir::isa<ir::WeightOp, ir::PreparedOp>(op))
        tensors.emplace_back(builder_.clone(op)->getResult(0), op.getResult(0));
    for (auto [outside, own] : tensors) AddOperand(outside, own);
    for (auto [number, input] : llvm::enumerate(iterate_.getInputs()))
      if (!mlir::isa<mlir::RankedTensorType>(input.getType()))
        AddOperand(input, step_.getArgument(first + static_cast<unsigned>(number)));
    for (Value size : iterate_.getExtents()) AddOperand(size, Value());
    for (Value size : iterate_.getSizes()) AddOperand(size, Value());
  }

  void AddOperand(Value outside, Value own) {
    Value argument = outer_.lookupOrNull(outside);
    if (!argument) {
      argument = body_->addArgument(outside.getType(), outside.getLoc());
      outer_.map(outside, argument);
      operands_.push_back(outside);
    }
    if (own) mapping_.map(own, argument);
  }

  ir::LoopOp MakeLoop(mlir::OpBuilder& builder) {
    auto in_kernel = [&](Value value) { return outer_.lookup(value); };
    mlir::OpFoldResult extent = iterate_.getExtent();
    if (auto value = mlir::dyn_cast<Value>(extent)) extent = in_kernel(value);
    SmallVector<Value> from = llvm::map_to_vector(iterate_.getFrom(), in_kernel);
    SmallVector<Value> sizes = llvm::map_to_vector(iterate_.getSizes(), in_kernel);
    ir::LoopStates states = iterate_.getStates();
    unsigned of_states = states.empty() ? 0 : states.back().first_argument + states.back().argument_count();
    return ir::LoopOp::create(
        builder, iterate_.getLoc(), iterate_.getResultTypes(), iterate_.getOrder(), extent, "step",
        step_.getArgumentTypes().slice(1, of_states), from, sizes, states,
        [&](mlir::OpBuilder& inner, mlir::Location location, mlir::ValueRange arguments) {
          for (auto [own, argument] : llvm::zip(step_.getArguments(), arguments)) mapping_.map(own, argument);
          for (mlir::Operation& op : step_.getBody().front().without_terminator()) {
            if (mlir::isa<ir::WeightOp, ir::PreparedOp>(op)) continue;
            mlir::Operation* clone = inner.clone(op, mapping_);
            for (const char* name : {"group", "fused", "apart"}) clone->removeAttr(name);
            if (auto path = op.getAttrOfType<mlir::StringAttr>("path")) path_ = path;
          }
          SmallVector<Value> slices;
          for (Value slice : step_.getBody().front().getTerminator()->getOperands())
            slices.push_back(mapping_.lookup(slice));
          ir::YieldOp::create(inner, location, slices);
        });
  }

  // The run-time sizes of the kernel's results.
  SmallVector<Value> SizesOfResults() {
    SmallVector<Value> sizes;
    unsigned next = 0;
    for (auto [state, slice] : llvm::zip_equal(iterate_.getStates(), step_.getResultTypes())) {
      if (state.keep == ir::Keep::kAll) llvm::append_range(sizes, iterate_.getExtents());
      auto count = static_cast<unsigned>(mlir::cast<mlir::RankedTensorType>(slice).getNumDynamicDims());
      if (state.keep != ir::Keep::kNone) llvm::append_range(sizes, iterate_.getSizes().slice(next, count));
      next += count;
    }
    return sizes;
  }

  void Describe(ir::KernelOp kernel) {
    kernel->setAttr("class", builder_.getStringAttr("recurrence"));
    if (path_) kernel->setAttr("path", path_);
    std::optional<KernelWork> work = WorkOf(kernel);
    if (!work) return;
    kernel->setAttr("flops", builder_.getI64IntegerAttr(static_cast<int64_t>(work->flops)));
    kernel->setAttr("bytes", builder_.getI64IntegerAttr(static_cast<int64_t>(work->bytes)));
  }

  ir::IterateOp iterate_;
  mlir::func::FuncOp step_;
  mlir::SymbolTable& symbols_;
  mlir::OpBuilder builder_;
  mlir::Block* body_ = nullptr;
  mlir::IRMapping outer_;    // from the method to the kernel
  mlir::IRMapping mapping_;  // from the step to the kernel
  SmallVector<Value> operands_;
  mlir::StringAttr path_;
};

struct FuseStepsPass : impl::FuseStepsBase<FuseStepsPass> {
  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    SmallVector<ir::IterateOp> loops;
    getOperation().walk([&](ir::IterateOp iterate) { loops.push_back(iterate); });
    for (ir::IterateOp iterate : loops) {
      StepFuser fuser(iterate, symbols.lookup<mlir::func::FuncOp>(iterate.getCallee()), symbols);
      if (fuser.IsSmall()) fuser.Run();
    }
  }
};

}  // namespace
}  // namespace weft::passes
