#include <map>
#include <string>

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/structure.h"
#include "passes/loadtime/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_SPLITPREPARE
#include "passes/loadtime/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Copies load-time computations of methods into one block, equal ones once.
class Prepare {
 public:
  explicit Prepare(mlir::ModuleOp module) : module_(module), builder_(module.getContext()) {
    builder_.setInsertionPointToStart(module.getBody());
    function_ =
        mlir::func::FuncOp::create(builder_, module.getLoc(), "prepare", builder_.getFunctionType({}, {}));
    function_.setPrivate();
    function_->setAttr("weft.prepare", builder_.getUnitAttr());
    builder_.setInsertionPointToStart(function_.addEntryBlock());
  }

  // The number of the result that is `value`, a load-time tensor of a method.
  int64_t Add(Value value) {
    Value copy = Copy(value);
    auto [found, inserted] = numbers_.try_emplace(copy, results_.size());
    if (inserted) results_.push_back(copy);
    return found->second;
  }

  void Finish() {
    if (results_.empty()) {
      function_.erase();
      return;
    }
    mlir::func::ReturnOp::create(builder_, function_.getLoc(), results_);
    SmallVector<mlir::Type> types =
        llvm::map_to_vector(results_, [](Value value) { return value.getType(); });
    function_.setFunctionType(builder_.getFunctionType({}, types));
  }

 private:
  Value Copy(Value value) {
    if (Value known = mapping_.lookupOrNull(value)) return known;
    mlir::Operation* op = value.getDefiningOp();
    for (Value used : UsedFromOutside(op)) Copy(used);
    mlir::Operation* clone = builder_.clone(*op, mapping_);
    // Its operands are values of this block already, so equal text is an equal value.
    auto [found, inserted] = known_.try_emplace(StructureOf(clone), clone);
    if (!inserted) {
      clone->erase();
      for (auto [from, to] : llvm::zip_equal(op->getResults(), found->second->getResults()))
        mapping_.map(from, to);
    }
    return mapping_.lookup(value);
  }

  mlir::ModuleOp module_;
  mlir::OpBuilder builder_;
  mlir::func::FuncOp function_;
  mlir::IRMapping mapping_;
  std::map<std::string, mlir::Operation*> known_;
  llvm::DenseMap<Value, int64_t> numbers_;
  SmallVector<Value> results_;
};

// A weight, a constant or a view of one: nothing to compute.
bool IsStored(Value value) {
  mlir::Operation* op = value.getDefiningOp();
  while (op && mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return op && mlir::isa<ir::WeightOp, ir::PreparedOp, mlir::arith::ConstantOp>(op);
}

struct SplitPreparePass : impl::SplitPrepareBase<SplitPreparePass> {
  void runOnOperation() override {
    mlir::ModuleOp module = getOperation();
    Prepare prepare(module);
    for (auto function : llvm::to_vector(module.getOps<mlir::func::FuncOp>()))
      if ((function.isPublic() || function->hasAttr("weft.step")) && !function.isExternal() &&
          !function->hasAttr("weft.initial"))
        Split(function, prepare);
    prepare.Finish();
  }

  // In order: an operation is of load time if all that it uses is.
  void Split(mlir::func::FuncOp function, Prepare& prepare) {
    llvm::DenseSet<Value> load_time;
    SmallVector<Value> computed;  // tensors that depend on weights and constants alone
    mlir::Block& block = function.getBody().front();
    for (mlir::Operation& op : block.without_terminator()) {
      if (!mlir::isMemoryEffectFree(&op) ||
          mlir::isa<ir::LaunchOp, ir::IterateOp, ir::FoundOp, ir::ExternOp>(op))
        continue;
      if (auto weight = mlir::dyn_cast<ir::WeightOp>(op); weight && weight.getChanges()) continue;
      if (!llvm::all_of(UsedFromOutside(&op), [&](Value used) { return load_time.contains(used); })) continue;
      for (Value result : op.getResults()) {
        load_time.insert(result);
        auto type = mlir::dyn_cast<mlir::RankedTensorType>(result.getType());
        if (type && type.hasStaticShape() && !IsStored(result)) computed.push_back(result);
      }
    }
    mlir::OpBuilder builder(&block, block.begin());
    for (Value value : computed) {
      // Only what the method itself needs: the rest is inside @prepare.
      bool needed = llvm::any_of(value.getUsers(), [&](mlir::Operation* user) {
        mlir::Operation* statement = block.findAncestorOpInBlock(*user);
        return llvm::none_of(statement->getResults(),
                             [&](Value result) { return load_time.contains(result); });
      });
      if (!needed) continue;
      auto prepared = ir::PreparedOp::create(builder, value.getLoc(), value.getType(),
                                             builder.getI64IntegerAttr(prepare.Add(value)));
      value.replaceUsesWithIf(prepared.getResult(), [&](mlir::OpOperand& use) {
        mlir::Operation* statement = block.findAncestorOpInBlock(*use.getOwner());
        return llvm::none_of(statement->getResults(),
                             [&](Value result) { return load_time.contains(result); });
      });
    }
    SmallVector<mlir::Operation*> statements;
    for (mlir::Operation& op : block.without_terminator()) statements.push_back(&op);
    for (mlir::Operation* op : llvm::reverse(statements))
      if (op->use_empty() && mlir::isMemoryEffectFree(op)) op->erase();
  }
};

}  // namespace
}  // namespace weft::passes
