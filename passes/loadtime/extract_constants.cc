#include "passes/analysis/body.h"
#include "passes/analysis/classify.h"
#include "passes/analysis/equation.h"
#include "passes/analysis/extraction.h"
#include "passes/analysis/speculation.h"
#include "passes/loadtime/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_EXTRACTCONSTANTS
#include "passes/loadtime/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// Below this many operations a value of indices alone is cheaper to compute than to read.
constexpr double kWorthATable = 8;
// A table of load time takes at most this many elements.
constexpr int64_t kLargestTable = int64_t{1} << 24;

class Extractor {
 public:
  explicit Extractor(ir::EquationOp equation) : equation_(equation) {}

  bool ExtractOne() {
    Value found;
    equation_.getBody().walk([&](mlir::Operation* op) {
      if (op->getNumResults() != 1 || !DependsOnConstantsAlone(op)) return mlir::WalkResult::advance();
      Value value = op->getResult(0);
      bool is_largest = llvm::any_of(value.getUsers(), [&](mlir::Operation* user) {
        return !DependsOnConstantsAlone(user) || user->hasTrait<mlir::OpTrait::IsTerminator>();
      });
      if (!is_largest || !IsWorthIt(value)) return mlir::WalkResult::advance();
      found = value;
      return mlir::WalkResult::interrupt();
    });
    if (!found) return false;
    ExtractEquation(found, equation_);
    return true;
  }

 private:
  // All that `op` reads is of load time, and all that it uses is computed so.
  bool DependsOnConstantsAlone(mlir::Operation* op) {
    if (op->hasTrait<mlir::OpTrait::IsTerminator>()) return false;
    auto known = known_.find(op);
    if (known != known_.end()) return known->second;
    known_[op] = false;
    bool constant = true;
    op->walk([&](ir::ReadOp read) { constant &= IsLoadTime(read.getTensor()); });
    for (Value used : UsedFromOutside(op)) {
      if (!constant) break;
      mlir::Operation* definer = used.getDefiningOp();
      if (!definer) continue;  // an index
      constant &= equation_->isProperAncestor(definer) ? DependsOnConstantsAlone(definer)
                                                       : mlir::isa<mlir::RankedTensorType>(used.getType()) ||
                                                             mlir::isa<mlir::arith::ConstantOp>(definer);
    }
    return known_[op] = constant;
  }

  bool IsWorthIt(Value value) {
    if (!value.getType().isIntOrFloat() || value.getDefiningOp<ir::ReadOp>() || !CanExtract(value, equation_))
      return false;
    double flops = 0;
    bool reads = false;
    for (mlir::Operation* op : SliceOf(value, equation_)) {
      flops += CostOf(op);
      reads |= op->walk([](ir::ReadOp) { return mlir::WalkResult::interrupt(); }).wasInterrupted();
    }
    if (flops < (reads ? 1 : kWorthATable)) return false;
    // The table: of numbers, small, smaller than what it serves.
    int64_t elements = 1;
    for (Value index : IndicesOf(value)) {
      auto argument = mlir::cast<mlir::BlockArgument>(index);
      mlir::Operation* owner = argument.getOwner()->getParentOp();
      int64_t extent;
      if (owner == equation_.getOperation()) {
        extent = equation_.getStaticExtents()[argument.getArgNumber()];
        if (mlir::ShapedType::isDynamic(extent)) return false;
      } else {
        auto upper =
            mlir::getConstantIntValue(mlir::cast<ir::ReduceOp>(owner).getUpper()[argument.getArgNumber()]);
        if (!upper) return false;
        extent = *upper;
      }
      elements *= extent;
      if (elements > kLargestTable) return false;
    }
    return IsSliceSpeculatable(value, equation_);
  }

  ir::EquationOp equation_;
  llvm::DenseMap<mlir::Operation*, bool> known_;
};

struct ExtractConstantsPass : impl::ExtractConstantsBase<ExtractConstantsPass> {
  void runOnOperation() override {
    SmallVector<ir::EquationOp> equations(getOperation().getBody().front().getOps<ir::EquationOp>());
    for (ir::EquationOp equation : equations) {
      // What is of load time as a whole moves as a whole.
      if (llvm::all_of(UsedFromOutside(equation), [](Value used) { return IsLoadTime(used); })) continue;
      while (Extractor(equation).ExtractOne()) {
      }
    }
  }
};

}  // namespace
}  // namespace weft::passes
