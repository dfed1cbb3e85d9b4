#include "backends/halide/scale_by_powers.h"

#include <climits>

#include "llvm/Analysis/VectorUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/PatternMatch.h"

namespace weft::backends {
namespace {

namespace match = llvm::PatternMatch;
using llvm::Value;

constexpr int kExponentAt = 23;
constexpr int kBias = 127;

// y 2^n; `n` is a whole number as a float.
struct Scaled {
  Value *y = nullptr, *n = nullptr;
};

// As passes/math writes it, of a sum, a number and 0x1.8p23 + bias, whose last bits are those of n + bias:
// y * bits((sum << 23) + lift) * bits((rest << 23) - lift), where bias is 2 * 127 - rest. Of exponents that
// are known not to be positive: y * bits(sum << 23) * 2^(127 - bias).
bool IsScaled(llvm::Instruction& product, llvm::IRBuilder<>& builder, Scaled& found) {
  Value *sum = nullptr, *lift = nullptr, *other = nullptr;
  const llvm::APInt* rest = nullptr;
  const llvm::APFloat *power = nullptr, *origin = nullptr;
  auto shifted = match::m_Shl(match::m_BitCast(match::m_Value(sum)), match::m_SpecificInt(kExponentAt));
  auto lifted = match::m_BitCast(match::m_c_Add(shifted, match::m_Value(lift)));
  auto back = match::m_BitCast(match::m_Sub(match::m_APInt(rest), match::m_Value(other)));
  int bias = 0;
  if (match::match(&product, match::m_c_FMul(match::m_c_FMul(match::m_Value(found.y), lifted), back))) {
    if (lift != other) return false;
    bias = 2 * kBias - static_cast<int>(rest->lshr(kExponentAt).getZExtValue());
  } else if (match::match(&product,
                          match::m_c_FMul(match::m_c_FMul(match::m_Value(found.y), match::m_BitCast(shifted)),
                                          match::m_APFloat(power)))) {
    if (power->getExactLog2() == INT_MIN) return false;  // no power of two
    bias = kBias - power->getExactLog2();
  } else {
    return false;
  }
  if (!match::match(sum, match::m_Intrinsic<llvm::Intrinsic::fma>(match::m_Value(), match::m_Value(),
                                                                  match::m_APFloat(origin))))
    return false;
  float expected = 0x1.8p23f + static_cast<float>(bias);
  if (origin->convertToFloat() != expected) return false;
  builder.SetInsertPoint(&product);
  found.n = builder.CreateFAdd(sum, llvm::ConstantFP::get(sum->getType(), -expected));
  return true;
}

}  // namespace

void ScaleByPowers(llvm::Function& function, const Target& target) {
  if (!target.Has("avx512f")) return;
  constexpr int kLanes = 16, kCurrentRounding = 4;
  llvm::IRBuilder<> builder(function.getContext());
  auto* type = llvm::FixedVectorType::get(builder.getFloatTy(), kLanes);
  auto scale = [&](Value* y, Value* n) -> Value* {
    return builder.CreateIntrinsic(
        llvm::Intrinsic::x86_avx512_mask_scalef_ps_512, {},
        {y, n, llvm::Constant::getNullValue(type), builder.getInt16(-1), builder.getInt32(kCurrentRounding)});
  };
  for (llvm::Instruction& product : llvm::make_early_inc_range(llvm::instructions(function))) {
    Scaled scaled;
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(product.getType());
    if (!vector || vector->getElementType() != type->getElementType() ||
        vector->getNumElements() % kLanes != 0 || !IsScaled(product, builder, scaled))
      continue;
    llvm::SmallVector<Value*> parts;
    for (unsigned first = 0; first < vector->getNumElements(); first += kLanes) {
      llvm::SmallVector<int> mask = llvm::createSequentialMask(first, kLanes, 0);
      parts.push_back(
          scale(builder.CreateShuffleVector(scaled.y, mask), builder.CreateShuffleVector(scaled.n, mask)));
    }
    product.replaceAllUsesWith(llvm::concatenateVectors(builder, parts));
    product.eraseFromParent();
  }
}

}  // namespace weft::backends
