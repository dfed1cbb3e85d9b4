#include "backends/halide/store_tails.h"

#include <numeric>
#include <optional>

#include "llvm/ADT/bit.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

namespace weft::backends {
namespace {

// The number of lanes at the front that `mask` lets through, if it lets none through behind them.
std::optional<unsigned> LeadingLanes(llvm::Value* mask, unsigned lanes) {
  auto* constant = llvm::dyn_cast<llvm::Constant>(mask);
  if (!constant) return std::nullopt;
  unsigned leading = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    auto* bit = llvm::dyn_cast_or_null<llvm::ConstantInt>(constant->getAggregateElement(lane));
    if (!bit) return std::nullopt;
    if (bit->isZero()) continue;
    if (lane != leading) return std::nullopt;
    ++leading;
  }
  return leading;
}

}  // namespace

void StoreTails(llvm::Function& function, const Target& target) {
  if (target.Has("avx512vl")) return;
  for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
    auto* store = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
    if (!store || store->getIntrinsicID() != llvm::Intrinsic::masked_store) continue;
    llvm::Value *value = store->getArgOperand(0), *place = store->getArgOperand(1);
    auto* type = llvm::cast<llvm::FixedVectorType>(value->getType());
    std::optional<unsigned> count = LeadingLanes(store->getArgOperand(2), type->getNumElements());
    if (!count) continue;
    llvm::IRBuilder<> builder(store);
    llvm::Align align = store->getParamAlign(1).valueOrOne();
    uint64_t bytes = type->getScalarSizeInBits() / 8;
    for (unsigned from = 0; from < *count;) {
      unsigned piece = llvm::bit_floor(*count - from);
      llvm::SmallVector<int> lanes(piece);
      std::iota(lanes.begin(), lanes.end(), from);
      builder.CreateAlignedStore(builder.CreateShuffleVector(value, lanes),
                                 builder.CreateConstInBoundsGEP1_64(type->getElementType(), place, from),
                                 llvm::commonAlignment(align, from * bytes));
      from += piece;
    }
    store->eraseFromParent();
  }
}

}  // namespace weft::backends
