#include <map>

#include "llvm/ADT/MapVector.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/kernel_work.h"
#include "passes/outline/kernel_name.h"
#include "passes/outline/outline_selections.h"
#include "passes/outline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/outline/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Moves the equations of one group into a kernel and launches it in their place.
class Outliner {
 public:
  Outliner(llvm::ArrayRef<ir::EquationOp> equations, mlir::SymbolTable& symbols)
      : equations_(equations), symbols_(symbols), last_(equations.back()), builder_(last_->getContext()) {}

  void Run() {
    llvm::SetVector<Value> tensors, scalars;
    CollectOperands(tensors, scalars);
    CollectResults();

    builder_.setInsertionPoint(last_);
    auto kernel_builder = mlir::OpBuilder(builder_.getContext());
    mlir::OperationState state(last_.getLoc(), ir::KernelOp::getOperationName());
    mlir::Region* region = state.addRegion();
    body_ = &region->emplaceBlock();
    kernel_builder.setInsertionPointToStart(body_);
    for (Value tensor : tensors) AddArgument(tensor);
    for (Value scalar : scalars) FindSize(kernel_builder, tensors.getArrayRef(), scalar);
    // Sizes that are no dimension of an operand, nor computed from such, come as operands after the tensors.
    for (Value scalar : scalars)
      if (!CanMaterialize(scalar)) AddArgument(scalar);
    for (Value scalar : scalars) Materialize(kernel_builder, scalar);

    for (ir::EquationOp equation : equations_) {
      mlir::Operation* clone = kernel_builder.clone(*equation, mapping_);
      paths_.push_back(builder_.getStringAttr(equation.getPath().value_or("")));
      auto fused = equation->getAttrOfType<mlir::ArrayAttr>("fused");
      fused_.push_back(fused ? fused : builder_.getArrayAttr({}));
      if (auto apart = equation->getAttrOfType<mlir::DictionaryAttr>("apart"))
        for (mlir::NamedAttribute from : apart) apart_.set(from.getName(), from.getValue());
      for (const char* name : {"group", "fused", "apart"}) clone->removeAttr(name);
    }
    SmallVector<Value> inner_results;
    for (Value result : results_) inner_results.push_back(mapping_.lookup(result));
    ir::ReturnOp::create(kernel_builder, last_.getLoc(), inner_results);

    SmallVector<mlir::Type> result_types;
    for (Value result : results_) result_types.push_back(result.getType());
    state.addAttribute("sym_name", builder_.getStringAttr(KernelName(equations_)));
    state.addAttribute("function_type", mlir::TypeAttr::get(builder_.getFunctionType(
                                            body_->getArgumentTypes(), result_types)));
    auto kernel = mlir::cast<ir::KernelOp>(mlir::Operation::create(state));
    Describe(kernel);
    symbols_.insert(kernel);
    Launch(kernel, result_types);
  }

 private:
  // Values that the equations use and none of them defines: tensors, and sizes and numbers.
  void CollectOperands(llvm::SetVector<Value>& tensors, llvm::SetVector<Value>& scalars) {
    for (ir::EquationOp equation : equations_)
      for (Value used : UsedFromOutside(equation)) {
        if (llvm::is_contained(equations_, DefiningEquation(used))) continue;
        if (mlir::isa<mlir::RankedTensorType>(used.getType())) {
          tensors.insert(used);
        } else {
          scalars.insert(used);
        }
      }
  }

  void CollectResults() {
    for (ir::EquationOp equation : equations_)
      for (Value result : equation->getResults()) {
        bool leaves = llvm::any_of(result.getUsers(), [&](mlir::Operation* user) {
          ir::EquationOp around = mlir::dyn_cast<ir::EquationOp>(user);
          if (!around) around = EnclosingEquation(user);
          return !around || !llvm::is_contained(equations_, around);
        });
        if (leaves) results_.push_back(result);
      }
    // A group that nobody reads keeps its last result, so that a launch has one.
    if (results_.empty()) results_.push_back(last_->getResult(0));
  }

  void AddArgument(Value value) {
    arguments_.push_back(value);
    mapping_.map(value, body_->addArgument(value.getType(), value.getLoc()));
  }

  // A run-time size is read off the first operand that has it.
  void FindSize(mlir::OpBuilder& builder, llvm::ArrayRef<Value> tensors, Value size) {
    if (!size.getType().isIndex() || mlir::getConstantIntValue(size)) return;
    for (Value tensor : tensors) {
      auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        if (!type.isDynamicDim(axis) || !AxisHasSize(tensor, axis, size)) continue;
        mapping_.map(size,
                     mlir::tensor::DimOp::create(builder, size.getLoc(), mapping_.lookup(tensor), axis));
        return;
      }
    }
  }

  // Whether the kernel can compute `value` itself: constants, sizes of its operands, arithmetic on them.
  bool CanMaterialize(Value value) const {
    if (mapping_.contains(value)) return true;
    mlir::Operation* op = value.getDefiningOp();
    bool is_found = op && mlir::isa<ir::FoundOp, ir::FilterOp>(op);  // what data decides is told by the host
    if (!op || is_found || op->getNumRegions() != 0 || !mlir::isMemoryEffectFree(op)) return false;
    return llvm::all_of(op->getOperands(), [&](Value operand) { return CanMaterialize(operand); });
  }

  void Materialize(mlir::OpBuilder& builder, Value value) {
    if (mapping_.contains(value)) return;
    mlir::Operation* op = value.getDefiningOp();
    for (Value operand : op->getOperands()) Materialize(builder, operand);
    builder.clone(*op, mapping_);
  }

  // Attributes that say what the kernel is; see passes/README.md.
  void Describe(ir::KernelOp kernel) {
    kernel->setAttr("class", builder_.getStringAttr(ClassOf(equations_)));
    if (mlir::StringAttr path = last_.getPathAttr()) kernel->setAttr("path", path);
    std::optional<KernelWork> work = WorkOf(kernel);
    if (!work) return;
    kernel->setAttr("flops", builder_.getI64IntegerAttr(static_cast<int64_t>(work->flops)));
    kernel->setAttr("bytes", builder_.getI64IntegerAttr(static_cast<int64_t>(work->bytes)));
  }

  void Launch(ir::KernelOp kernel, llvm::ArrayRef<mlir::Type> result_types) {
    mlir::Location location = last_.getLoc();
    SmallVector<Value> sizes;
    for (Value result : results_)
      for (mlir::OpFoldResult extent : ExtentsOf(DefiningEquation(result)))
        if (auto value = mlir::dyn_cast<Value>(extent)) sizes.push_back(value);
    auto launch =
        ir::LaunchOp::create(builder_, location, result_types, kernel.getSymName(), arguments_, sizes);
    if (mlir::StringAttr path = last_.getPathAttr()) launch->setAttr("path", path);
    launch->setAttr("paths", builder_.getArrayAttr(paths_));
    if (llvm::any_of(fused_,
                     [](mlir::Attribute paths) { return !mlir::cast<mlir::ArrayAttr>(paths).empty(); }))
      launch->setAttr("fused", builder_.getArrayAttr(fused_));
    if (!apart_.empty()) launch->setAttr("apart", apart_.getDictionary(builder_.getContext()));
    for (auto [result, launched] : llvm::zip_equal(results_, launch.getResults()))
      result.replaceAllUsesWith(launched);
    for (ir::EquationOp equation : llvm::reverse(equations_)) equation->erase();
  }

  llvm::ArrayRef<ir::EquationOp> equations_;
  mlir::SymbolTable& symbols_;
  ir::EquationOp last_;
  mlir::OpBuilder builder_;
  mlir::Block* body_ = nullptr;
  mlir::IRMapping mapping_;
  SmallVector<Value> arguments_, results_;
  SmallVector<mlir::Attribute> paths_, fused_;  // by equation
  mlir::NamedAttrList apart_;
};

struct OutlineKernelsPass : impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    for (auto function : llvm::to_vector(getOperation().getOps<mlir::func::FuncOp>())) {
      if (function.isExternal()) continue;
      // By group, in the order of their first equations; an equation without group is one of its own.
      llvm::MapVector<int64_t, SmallVector<ir::EquationOp>> groups;
      int64_t unnumbered = -1;
      for (ir::EquationOp equation : function.getBody().front().getOps<ir::EquationOp>()) {
        auto number = equation->getAttrOfType<mlir::IntegerAttr>("group");
        groups[number ? number.getInt() : unnumbered--].push_back(equation);
      }
      for (auto& [number, equations] : groups) Outliner(equations, symbols).Run();
      OutlineSelections(function, symbols);
      // A launch stands where its last equation stood; what used its first ones may stand above it.
      if (!mlir::sortTopologically(&function.getBody().front())) {
        function.emitError("equations of one kernel depend on each other through another kernel");
        return signalPassFailure();
      }
    }
  }
};

}  // namespace
}  // namespace weft::passes
