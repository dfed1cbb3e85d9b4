#include <algorithm>

#include "compiler/ir/scatter_ops.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/SymbolTable.h"
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

constexpr int64_t kNowhere = -1;

// A result of a launch or of a loop of steps, and everything that looks at its bytes.
struct Storage {
  mlir::Operation* op;
  unsigned result = 0;
  int64_t output = -1;
  int64_t first = 0, last = 0;  // steps: positions of operations in the function
  std::optional<int64_t> bytes;
};

// A part of a loop's memory that it does not need.
constexpr int64_t kUnused = -2;

// What a loop of steps needs while it runs.
struct Scratch {
  ir::IterateOp iterate;
  mlir::func::FuncOp step;
  int64_t arena;               // bytes of a step
  int64_t bytes;               // of the parts whose size is a number; the step's memory lies behind them
  std::vector<int64_t> parts;  // two per state, window and history: where in these bytes, kNowhere or kUnused
  int64_t offset = 0;
};

class FunctionPlan {
 public:
  FunctionPlan(mlir::func::FuncOp function, int64_t alignment)
      : function_(function), symbols_(function->getParentOfType<mlir::ModuleOp>()), alignment_(alignment) {}

  // Sets the attributes and returns the bytes of the arena. The functions of steps are planned with those
  // that run them.
  int64_t Run() {
    CollectStorage();
    function_.walk([&](ir::IterateOp iterate) { CollectScratch(iterate); });
    int64_t arena = PlaceStatic();
    int64_t slots = PlaceDynamic();
    mlir::Builder builder(function_.getContext());
    function_.walk([&](mlir::Operation* op) {
      if (mlir::isa<ir::LaunchOp, ir::IterateOp>(op)) SetAttributes(builder, op);
    });
    for (Scratch& scratch : scratch_) slots = SetScratch(builder, scratch, slots);
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
      steps_[&op] = step;
      if (mlir::isa<ir::LaunchOp, ir::IterateOp>(op)) {
        for (auto [number, result] : llvm::enumerate(op.getResults())) {
          storage_of[result] = storage_.size();
          storage_.push_back({.op = &op,
                              .result = static_cast<unsigned>(number),
                              .first = step,
                              .last = step,
                              .bytes = BytesOf(result.getType())});
        }
      } else if (mlir::isa<mlir::tensor::CollapseShapeOp, mlir::tensor::ExpandShapeOp, mlir::tensor::CastOp,
                           mlir::tensor::ExtractSliceOp>(op)) {
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
    offsets_.assign(storage_.size(), kNowhere);
    slots_.assign(storage_.size(), kNowhere);
  }

  // What a loop of steps needs while it runs, in this order: the slices that its windows hold and the one
  // that is computed, each aligned; the whole history where a step reads it; the memory of a step.
  void CollectScratch(ir::IterateOp iterate) {
    auto step = symbols_.lookup<mlir::func::FuncOp>(iterate.getCallee());
    Scratch scratch{iterate, step, FunctionPlan(step, alignment_).Run(), 0, {}};
    bool is_open = mlir::ShapedType::isDynamic(iterate.getStaticExtents()[0]);
    for (auto [number, state] : llvm::enumerate(iterate.getStates())) {
      std::optional<int64_t> slice = BytesOf(step.getResultTypes()[number]);
      int64_t rows = ir::RingSize(iterate, static_cast<unsigned>(number));
      auto take = [&](std::optional<int64_t> bytes) {
        scratch.parts.push_back(bytes ? scratch.bytes : kNowhere);
        scratch.bytes += llvm::alignTo(bytes.value_or(0), alignment_);
      };
      take(slice ? std::optional(static_cast<int64_t>(llvm::alignTo(*slice, alignment_)) * rows)
                 : std::nullopt);
      if (!state.history) {
        scratch.parts.push_back(kUnused);
      } else if (is_open) {
        scratch.parts.push_back(kNowhere);
      } else {
        int64_t positions = iterate.getStaticExtents()[0] + state.given;
        take(slice ? std::optional(*slice * positions) : std::nullopt);
      }
    }
    scratch_.push_back(std::move(scratch));
  }

  int64_t PlaceStatic() {
    std::vector<Block> blocks;
    std::vector<size_t> numbers;
    for (auto [number, storage] : llvm::enumerate(storage_)) {
      if (storage.output >= 0 || !storage.bytes) continue;
      blocks.push_back({.bytes = *storage.bytes, .first = storage.first, .last = storage.last});
      numbers.push_back(number);
    }
    for (Scratch& scratch : scratch_) {
      int64_t step = steps_.lookup(scratch.iterate);
      blocks.push_back({.bytes = scratch.bytes + scratch.arena, .first = step, .last = step});
    }
    Placement placement = PlaceBlocks(blocks, alignment_);
    for (auto [number, offset] : llvm::zip(numbers, placement.offsets)) offsets_[number] = offset;
    for (auto [number, scratch] : llvm::enumerate(scratch_))
      scratch.offset = placement.offsets[numbers.size() + number];
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
    if (a.op->getResult(a.result).getType() != b.op->getResult(b.result).getType()) return false;
    if (!mlir::isa<ir::LaunchOp>(a.op) || !mlir::isa<ir::LaunchOp>(b.op)) return false;
    return llvm::all_of_zip(SizesOf(a), SizesOf(b), [](Value x, Value y) { return SameSize(x, y); });
  }

  static SmallVector<Value> SizesOf(Storage& storage) {
    auto dynamic = [&](unsigned result) {
      auto type = mlir::cast<mlir::RankedTensorType>(storage.op->getResult(result).getType());
      return static_cast<unsigned>(type.getNumDynamicDims());
    };
    unsigned skip = 0;
    for (unsigned result = 0; result < storage.result; ++result) skip += dynamic(result);
    return SmallVector<Value>(
        mlir::cast<ir::LaunchOp>(storage.op).getSizes().slice(skip, dynamic(storage.result)));
  }

  void SetAttributes(mlir::Builder& builder, mlir::Operation* op) {
    SmallVector<int64_t> outputs, offsets, slots;
    for (auto [number, storage] : llvm::enumerate(storage_)) {
      if (storage.op != op) continue;
      outputs.push_back(storage.output);
      offsets.push_back(offsets_[number]);
      slots.push_back(slots_[number]);
    }
    op->setAttr("weft.output", builder.getDenseI64ArrayAttr(outputs));
    op->setAttr("weft.offset", builder.getDenseI64ArrayAttr(offsets));
    op->setAttr("weft.dynamic", builder.getDenseI64ArrayAttr(slots));
  }

  // Returns how many slots are taken now. Slots are not shared with what runs before or after the loop.
  int64_t SetScratch(mlir::Builder& builder, Scratch& scratch, int64_t slots) {
    SmallVector<int64_t> offsets, dynamic;
    for (int64_t part : scratch.parts) {
      offsets.push_back(part >= 0 ? scratch.offset + part : kNowhere);
      dynamic.push_back(part == kNowhere ? slots++ : kNowhere);
    }
    ir::IterateOp iterate = scratch.iterate;
    iterate->setAttr("weft.scratch_offset", builder.getDenseI64ArrayAttr(offsets));
    iterate->setAttr("weft.scratch_dynamic", builder.getDenseI64ArrayAttr(dynamic));
    iterate->setAttr("weft.step_offset", builder.getI64IntegerAttr(scratch.offset + scratch.bytes));
    iterate->setAttr("weft.step_slot", builder.getI64IntegerAttr(slots));
    return slots + scratch.step->getAttrOfType<mlir::IntegerAttr>("weft.slots").getInt();
  }

  mlir::func::FuncOp function_;
  mlir::SymbolTable symbols_;
  int64_t alignment_;
  std::vector<Storage> storage_;
  std::vector<Scratch> scratch_;
  llvm::DenseMap<mlir::Operation*, int64_t> steps_;
  std::vector<int64_t> offsets_, slots_;
};

struct PlanMemoryPass : impl::PlanMemoryBase<PlanMemoryPass> {
  using PlanMemoryBase::PlanMemoryBase;
  void runOnOperation() override {
    int64_t arena = 0;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr("weft.step"))
        arena = std::max(arena, FunctionPlan(function, alignment).Run());
    getOperation()->setAttr("weft.arena", mlir::Builder(&getContext()).getI64IntegerAttr(arena));
  }
};

}  // namespace
}  // namespace weft::passes
