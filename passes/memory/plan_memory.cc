#include <algorithm>

#include "compiler/ir/scatter_ops.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/analysis/body.h"
#include "passes/analysis/equation.h"
#include "passes/memory/interval_allocator.h"
#include "passes/memory/owners.h"
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
  int64_t first = 0, last = 0;  // times
  int64_t segment = 0;
  std::optional<int64_t> bytes;
};

// When memory whose size is known at run time is needed, and in which segment it is planned.
struct Life {
  int64_t segment, first, last;
};

// A part of a loop's memory that it does not need.
constexpr int64_t kUnused = -2;

// What a loop of steps needs while it runs.
struct Scratch {
  ir::IterateOp iterate;
  int64_t segment = 0, first_segment = 0;  // of the loop; those of its steps follow the second
  int64_t first = 0, last = 0;             // times
  int64_t arena = 0;                       // bytes of a step
  std::vector<Life> lives;                 // of a step
  int64_t bytes = 0;           // of the parts whose size is a number; the step's memory lies behind
  std::vector<int64_t> parts;  // two per state, window and history: where, kNowhere or kUnused
  int64_t offset = 0;
};

// Times count operations, those of steps in the place of their loop. A segment is what follows a `weft.found`
// up to the next one in the same function: where it begins, all sizes in it are known. Loops of steps are a
// part of the segment around them, up to a `weft.found` of their own. Segments are numbered in the order of
// time.
class FunctionPlan {
 public:
  FunctionPlan(mlir::func::FuncOp function, int64_t alignment, int64_t threads)
      : function_(function),
        symbols_(function->getParentOfType<mlir::ModuleOp>()),
        alignment_(alignment),
        threads_(threads) {}

  // Sets the attributes and returns the bytes of the arena. The functions of steps are planned with those
  // that run them.
  int64_t Run() {
    CollectStorage();
    int64_t arena = PlaceStatic();
    PlaceDynamic();
    mlir::Builder builder(function_.getContext());
    function_.walk([&](mlir::Operation* op) {
      if (mlir::isa<ir::LaunchOp, ir::IterateOp>(op)) SetAttributes(builder, op);
    });
    for (Scratch& scratch : scratch_) SetScratch(builder, scratch);
    SmallVector<int64_t> lives;
    for (const Life& life : lives_) lives.append({life.segment, life.first, life.last});
    function_->setAttr("weft.arena", builder.getI64IntegerAttr(arena));
    function_->setAttr("weft.slots", builder.getDenseI64ArrayAttr(lives));
    return arena;
  }

  // Of slots, after Run.
  const std::vector<Life>& lives() const { return lives_; }
  int64_t duration() const { return time_; }
  int64_t segments() const { return segments_; }  // without the one it begins in

 private:
  void CollectStorage() {
    llvm::DenseMap<Value, size_t> storage_of;  // launch results and their views
    for (mlir::Operation& op : function_.getBody().front()) {
      int64_t begin = time_;
      if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op)) CollectScratch(iterate);
      for (Value operand : op.getOperands()) {
        auto found = storage_of.find(operand);
        if (found != storage_of.end()) storage_[found->second].last = time_;
      }
      if (mlir::isa<ir::LaunchOp, ir::IterateOp>(op)) {
        for (auto [number, result] : llvm::enumerate(op.getResults())) {
          storage_of[result] = storage_.size();
          storage_.push_back({.op = &op,
                              .result = static_cast<unsigned>(number),
                              .first = begin,
                              .last = time_,
                              .segment = segment_,
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
        PlaceUpdates(op, storage_of);
      } else if (mlir::isa<ir::FoundOp>(op)) {
        segment_ = ++segments_;
        op.setAttr("weft.segment", mlir::Builder(op.getContext()).getI64IntegerAttr(segment_));
      }
      ++time_;
    }
    offsets_.assign(storage_.size(), kNowhere);
    slots_.assign(storage_.size(), kNowhere);
  }

  // Parts of the next values of states are changed where these belong, and once more behind the end.
  void PlaceUpdates(mlir::Operation& end, const llvm::DenseMap<Value, size_t>& storage_of) {
    for (mlir::Operation& op : llvm::reverse(*end.getBlock())) {
      auto update = mlir::dyn_cast<ir::LaunchOp>(op);
      if (!update || !update->hasAttr(ir::kInPlace)) continue;
      for (Value input : llvm::drop_begin(update.getInputs()))
        if (auto found = storage_of.find(input); found != storage_of.end())
          storage_[found->second].last = time_;
      auto before = storage_of.find(update.getInputs()[0]);
      if (before != storage_of.end())
        storage_[before->second].output = storage_[storage_of.at(update.getResult(0))].output;
    }
  }

  // What a loop of steps needs while it runs, in this order: the slices that its windows hold and the one
  // that is computed, each aligned; the whole history where a step reads it; the memory of a step.
  // Time goes on to the end of the loop.
  void CollectScratch(ir::IterateOp iterate) {
    auto step = symbols_.lookup<mlir::func::FuncOp>(iterate.getCallee());
    FunctionPlan plan(step, alignment_, threads_);
    Scratch scratch{.iterate = iterate, .segment = segment_, .first_segment = segments_, .first = time_};
    scratch.arena = plan.Run();
    scratch.lives = plan.lives();
    segments_ += plan.segments();
    time_ += plan.duration() + 1;
    scratch.last = time_;
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
    for (Scratch& scratch : scratch_)
      blocks.push_back(
          {.bytes = scratch.bytes + scratch.arena, .first = scratch.first, .last = scratch.last});
    Placement placement = PlaceBlocks(blocks, alignment_);
    // A little more memory may be used once, not in each of loops inside of each other.
    int64_t most_bytes = function_->hasAttr("weft.step") ? 0 : PeakBytes(blocks, alignment_) / 10 * 11;
    placement = KeepOwners(blocks, std::move(placement), alignment_, threads_, most_bytes);
    for (auto [number, offset] : llvm::zip(numbers, placement.offsets)) offsets_[number] = offset;
    for (auto [number, scratch] : llvm::enumerate(scratch_))
      scratch.offset = placement.offsets[numbers.size() + number];
    return placement.bytes;
  }

  int64_t NewSlot(const Life& life) {
    lives_.push_back(life);
    return static_cast<int64_t>(lives_.size()) - 1;
  }

  // A slot for each size that is known at run time: where they lie is planned then.
  void PlaceDynamic() {
    for (auto [number, storage] : llvm::enumerate(storage_))
      if (storage.output < 0 && !storage.bytes)
        slots_[number] = NewSlot({storage.segment, storage.first, storage.last});
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

  void SetScratch(mlir::Builder& builder, const Scratch& scratch) {
    SmallVector<int64_t> offsets, dynamic;
    for (int64_t part : scratch.parts) {
      offsets.push_back(part >= 0 ? scratch.offset + part : kNowhere);
      dynamic.push_back(part == kNowhere ? NewSlot({scratch.segment, scratch.first, scratch.last})
                                         : kNowhere);
    }
    ir::IterateOp iterate = scratch.iterate;
    iterate->setAttr("weft.scratch_offset", builder.getDenseI64ArrayAttr(offsets));
    iterate->setAttr("weft.scratch_dynamic", builder.getDenseI64ArrayAttr(dynamic));
    iterate->setAttr("weft.step_offset", builder.getI64IntegerAttr(scratch.offset + scratch.bytes));
    iterate->setAttr("weft.step_slot", builder.getI64IntegerAttr(static_cast<int64_t>(lives_.size())));
    iterate->setAttr("weft.step_segment", builder.getI64IntegerAttr(scratch.first_segment));
    for (const Life& life : scratch.lives) {
      int64_t segment = life.segment == 0 ? scratch.segment : scratch.first_segment + life.segment;
      lives_.push_back({segment, scratch.first + 1 + life.first, scratch.first + 1 + life.last});
    }
  }

  mlir::func::FuncOp function_;
  mlir::SymbolTable symbols_;
  int64_t alignment_, threads_;
  std::vector<Storage> storage_;
  std::vector<Scratch> scratch_;
  int64_t time_ = 0, segment_ = 0, segments_ = 0;
  std::vector<int64_t> offsets_, slots_;
  std::vector<Life> lives_;  // of slots
};

struct PlanMemoryPass : impl::PlanMemoryBase<PlanMemoryPass> {
  using PlanMemoryBase::PlanMemoryBase;
  void runOnOperation() override {
    int64_t arena = 0;
    for (auto function : getOperation().getOps<mlir::func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr("weft.step"))
        arena = std::max(arena, FunctionPlan(function, alignment, threads).Run());
    getOperation()->setAttr("weft.arena", mlir::Builder(&getContext()).getI64IntegerAttr(arena));
  }
};

}  // namespace
}  // namespace weft::passes
