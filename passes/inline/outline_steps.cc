#include "compiler/ir/until.h"
#include "compiler/ir/variant.h"
#include "llvm/ADT/MapVector.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/inline/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_OUTLINESTEPS
#include "passes/inline/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Makes a function of the body of one loop of steps.
class StepOutliner {
 public:
  StepOutliner(ir::LoopOp loop, mlir::SymbolTable& symbols)
      : loop_(loop), symbols_(symbols), builder_(loop.getContext()) {}

  void Run() {
    CollectInputs();
    auto around = loop_->getParentOfType<mlir::func::FuncOp>();
    mlir::Block& body = loop_.getBody().front();
    SmallVector<mlir::Type> arguments(body.getArgumentTypes());
    for (Value input : inputs_) arguments.push_back(input.getType());
    std::string name =
        around.getSymName().str() + "_" + mlir::cast<mlir::StringAttr>(loop_.getNames()[0]).str() + "_step";
    auto step = mlir::func::FuncOp::create(
        loop_.getLoc(), name, builder_.getFunctionType(arguments, body.getTerminator()->getOperandTypes()));
    step.setPrivate();
    step->setAttr("weft.step", builder_.getUnitAttr());
    ir::CopyVariantSizes(around, step);
    symbols_.insert(step);
    FillStep(step, body);

    builder_.setInsertionPoint(loop_);
    ir::LoopStates states = loop_.getStates();
    mlir::NamedAttrList attributes;
    ir::WriteStates(builder_, states, attributes);
    auto iterate =
        ir::IterateOp::create(builder_, loop_.getLoc(), loop_.getResultTypes(), loop_.getOrder(),
                              step.getSymName(), loop_.getExtents(), loop_.getStaticExtents(),
                              inputs_.getArrayRef(), loop_.getFrom(), loop_.getSizes(), loop_.getGivenAttr(),
                              loop_.getWindowAttr(), loop_.getHistoryAttr(), loop_.getKeepAttr());
    if (ir::EndsEarly(loop_)) ir::EndEarly(iterate);
    loop_->replaceAllUsesWith(iterate);
    loop_->erase();
  }

 private:
  // What weights and constants decide is computed again by the step, so that its weights are seen there.
  static bool IsLoadTime(Value value) {
    mlir::Operation* op = value.getDefiningOp();
    if (!op || mlir::isa<ir::LoopOp, ir::IterateOp, ir::ExternOp>(op) || !mlir::isMemoryEffectFree(op))
      return false;
    if (auto weight = mlir::dyn_cast<ir::WeightOp>(op); weight && weight.getChanges()) return false;
    return llvm::all_of(UsedFromOutside(op), IsLoadTime);
  }

  void CollectInputs() {
    SmallVector<Value> scalars;
    for (Value used : UsedFromOutside(loop_)) {
      // The loop's own operands are no inputs unless its body reads them.
      bool in_body = llvm::any_of(used.getUsers(), [&](mlir::Operation* user) {
        return loop_.getBody().isAncestor(user->getParentRegion());
      });
      if (!in_body) continue;
      if (IsLoadTime(used)) {
        load_time_.push_back(used);
      } else if (mlir::isa<mlir::RankedTensorType>(used.getType())) {
        inputs_.insert(used);
      } else {
        scalars.push_back(used);
      }
    }
    inputs_.insert_range(scalars);
  }

  void Clone(mlir::OpBuilder& builder, Value value) {
    if (mapping_.contains(value)) return;
    for (Value used : UsedFromOutside(value.getDefiningOp())) Clone(builder, used);
    builder.clone(*value.getDefiningOp(), mapping_);
  }

  void FillStep(mlir::func::FuncOp step, mlir::Block& body) {
    mlir::Block* entry = step.addEntryBlock();
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(entry);
    for (auto [from, to] : llvm::zip(body.getArguments(), entry->getArguments())) mapping_.map(from, to);
    mlir::ValueRange own = entry->getArguments().drop_front(body.getNumArguments());
    for (auto [from, to] : llvm::zip_equal(inputs_, own)) mapping_.map(from, to);
    KeepShapes(step, body.getNumArguments());
    for (Value input : inputs_) FindSize(builder, input);
    for (Value value : load_time_) Clone(builder, value);
    for (mlir::Operation& op : body.without_terminator()) builder.clone(op, mapping_);
    SmallVector<Value> slices;
    for (Value slice : body.getTerminator()->getOperands()) slices.push_back(mapping_.lookup(slice));
    mlir::func::ReturnOp::create(builder, loop_.getLoc(), slices);
  }

  // What inputs of the method are called by says how large their sizes can be.
  void KeepShapes(mlir::func::FuncOp step, unsigned first) {
    for (auto [number, input] : llvm::enumerate(inputs_)) {
      auto argument = mlir::dyn_cast<mlir::BlockArgument>(input);
      auto owner =
          argument ? mlir::dyn_cast_or_null<mlir::func::FuncOp>(argument.getOwner()->getParentOp()) : nullptr;
      if (!owner) continue;
      if (mlir::Attribute shape = owner.getArgAttr(argument.getArgNumber(), "weft.shape"))
        step.setArgAttr(first + static_cast<unsigned>(number), "weft.shape", shape);
    }
  }

  // A size that some input has is read off it: then it is seen to be the same.
  void FindSize(mlir::OpBuilder& builder, Value size) {
    if (!size.getType().isIndex()) return;
    for (Value tensor : inputs_) {
      auto type = mlir::dyn_cast<mlir::RankedTensorType>(tensor.getType());
      for (int64_t axis = 0; type && axis < type.getRank(); ++axis) {
        if (!type.isDynamicDim(axis) || !AxisHasSize(tensor, axis, size)) continue;
        Value dim = mlir::tensor::DimOp::create(builder, size.getLoc(), mapping_.lookup(tensor), axis);
        mapping_.map(size, dim);
        return;
      }
    }
  }

  ir::LoopOp loop_;
  mlir::SymbolTable& symbols_;
  mlir::OpBuilder builder_;
  llvm::SetVector<Value> inputs_;  // tensors, then sizes and numbers
  SmallVector<Value> load_time_;
  mlir::IRMapping mapping_;
};

struct OutlineStepsPass : impl::OutlineStepsBase<OutlineStepsPass> {
  void runOnOperation() override {
    mlir::SymbolTable symbols(getOperation());
    SmallVector<ir::LoopOp> loops;  // inner ones before those around them
    getOperation().walk([&](ir::LoopOp loop) {
      if (!loop.isParallel()) loops.push_back(loop);
    });
    for (ir::LoopOp loop : loops) StepOutliner(loop, symbols).Run();
  }
};

}  // namespace
}  // namespace weft::passes
