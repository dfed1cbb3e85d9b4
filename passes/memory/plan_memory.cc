#include <algorithm>

#include "llvm/ADT/DenseMap.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/memory/interval_allocator.h"
#include "passes/memory/passes.h"

namespace weft::passes {

#define GEN_PASS_DEF_PLANMEMORY
#include "passes/memory/passes.h.inc"

namespace {

using mlir::SmallVector;
using mlir::Value;

// A launch result and everything that looks at its bytes.
struct Storage {
  ir::LaunchOp launch;
  unsigned result = 0;
  int64_t output = -1;
  int64_t first = 0, last = 0;  // steps: positions of operations in the function
  std::optional<int64_t> bytes;
};

class FunctionPlan {
 public:
  FunctionPlan(mlir::func::FuncOp function, int64_t alignment) : function_(function), alignment_(alignment) {}

  // Sets the attributes and returns the bytes of the arena.
  int64_t Run() {
    CollectStorage();
    int64_t arena = PlaceStatic();
    int64_t slots = PlaceDynamic();
    mlir::Builder builder(function_.getContext());
    function_.walk([&](ir::LaunchOp launch) { SetAttributes(builder, launch); });
    function_->setAttr("weft.arena", builder.getI64IntegerAttr(arena));
    function_->setAttr("weft.slots", builder.getI64IntegerAttr(slots));
    return arena;
  }

 private:
  void CollectStorage() {
    llvm::DenseMap<Value, size_t> storage_of;  // launch results and their views
    int64_t step = 0;
    for (mlir::Operation& op : function_.getBody().front()) {
      for (Value operand : op.getOperands()) {
        auto found = storage_of.find(operand);
        if (found != storage_of.end()) storage_[found->second].last = step;
      }
      if (auto launch = mlir::dyn_cast<ir::LaunchOp>(op)) {
        for (auto [number, result] : llvm::enumerate(launch.getResults())) {
          storage_of[result] = storage_.size();
          storage_.push_back({.launch = launch,
                              .result = static_cast<unsigned>(number),
                              .first = step,
                              .last = step,
                              .bytes = BytesOf(result.getType())});
        }
      } else if (mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp>(
                     op)) {
        auto source = storage_of.find(op.getOperand(0));
        if (source != storage_of.end()) {
          size_t number = source->second;
          storage_of[op.getResult(0)] = number;
        }
      } else if (op.hasTrait<mlir::OpTrait::IsTerminator>()) {
        for (auto [number, operand] : llvm::enumerate(op.getOperands())) {
          auto found = storage_of.find(operand);
          if (found != storage_of.end() && storage_[found->second].output < 0)
            storage_[found->second].output = number;
        }
      }
      ++step;
    }
    offsets_.assign(storage_.size(), -1);
    slots_.assign(storage_.size(), -1);
  }

  int64_t PlaceStatic() {
    std::vector<Block> blocks;
    std::vector<size_t> numbers;
    for (auto [number, storage] : llvm::enumerate(storage_)) {
      if (storage.output >= 0 || !storage.bytes) continue;
      blocks.push_back({.bytes = *storage.bytes, .first = storage.first, .last = storage.last});
      numbers.push_back(number);
    }
    Placement placement = PlaceBlocks(blocks, alignment_);
    for (auto [number, offset] : llvm::zip_equal(numbers, placement.offsets)) offsets_[number] = offset;
    return placement.bytes;
  }

  // Greedy in the order of launches: the first free slot of the same size, else a new one.
  int64_t PlaceDynamic() {
    struct Slot {
      size_t owner;
      int64_t last;
    };
    std::vector<Slot> slots;
    for (auto [number, storage] : llvm::enumerate(storage_)) {
      if (storage.output >= 0 || storage.bytes) continue;
      auto slot = std::find_if(slots.begin(), slots.end(), [&, &storage = storage](const Slot& candidate) {
        return candidate.last < storage.first && SameType(storage_[candidate.owner], storage);
      });
      if (slot == slots.end()) slot = slots.insert(slots.end(), Slot{number, 0});
      slot->last = storage.last;
      slots_[number] = slot - slots.begin();
    }
    return static_cast<int64_t>(slots.size());
  }

  // Whether both have the same bytes whatever the run-time sizes are.
  static bool SameType(Storage& a, Storage& b) {
    if (a.launch->getResult(a.result).getType() != b.launch->getResult(b.result).getType()) return false;
    return llvm::all_of_zip(SizesOf(a), SizesOf(b), [](Value x, Value y) { return SameSize(x, y); });
  }

  static SmallVector<Value> SizesOf(Storage& storage) {
    unsigned skip = 0;
    for (unsigned result = 0; result < storage.result; ++result)
      skip +=
          mlir::cast<mlir::RankedTensorType>(storage.launch->getResult(result).getType()).getNumDynamicDims();
    unsigned count = mlir::cast<mlir::RankedTensorType>(storage.launch->getResult(storage.result).getType())
                         .getNumDynamicDims();
    return SmallVector<Value>(storage.launch.getSizes().slice(skip, count));
  }

  void SetAttributes(mlir::Builder& builder, ir::LaunchOp launch) {
    SmallVector<int64_t> outputs, offsets, slots;
    for (auto [number, storage] : llvm::enumerate(storage_)) {
      if (storage.launch != launch) continue;
      outputs.push_back(storage.output);
      offsets.push_back(offsets_[number]);
      slots.push_back(slots_[number]);
    }
    launch->setAttr("weft.output", builder.getDenseI64ArrayAttr(outputs));
    launch->setAttr("weft.offset", builder.getDenseI64ArrayAttr(offsets));
    launch->setAttr("weft.dynamic", builder.getDenseI64ArrayAttr(slots));
  }

  mlir::func::FuncOp function_;
  int64_t alignment_;
  std::vector<Storage> storage_;
  std::vector<int64_t> offsets_, slots_;
};

struct PlanMemoryPass : impl::PlanMemoryBase<PlanMemoryPass> {
  using PlanMemoryBase::PlanMemoryBase;
  void runOnOperation() override {
    int64_t arena = 0;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      if (!function.isExternal()) arena = std::max(arena, FunctionPlan(function, alignment).Run());
    getOperation()->setAttr("weft.arena", mlir::Builder(&getContext()).getI64IntegerAttr(arena));
  }
};

}  // namespace
}  // namespace weft::passes
