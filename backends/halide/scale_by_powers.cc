#include "backends/halide/scale_by_powers.h"

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

// As passes/math writes it: y * bits((s << 23) + t) * bits((bias << 23) - t), where s is the sum of a number
// and 0x1.8p23 + 2 * 127 - bias, whose last bits are n + 2 * 127 - bias.
bool IsScaled(llvm::Instruction& product, llvm::IRBuilder<>& builder, Scaled& found) {
  Value *sum = nullptr, *lift = nullptr, *other = nullptr;
  const llvm::APInt* rest = nullptr;
  const llvm::APFloat* origin = nullptr;
  auto first = match::m_BitCast(
      match::m_c_Add(match::m_Shl(match::m_BitCast(match::m_Value(sum)), match::m_SpecificInt(kExponentAt)),
                     match::m_Value(lift)));
  auto second = match::m_BitCast(match::m_Sub(match::m_APInt(rest), match::m_Value(other)));
  if (!match::match(&product, match::m_c_FMul(match::m_c_FMul(match::m_Value(found.y), first), second)))
    return false;
  if (lift != other || !match::match(sum, match::m_Intrinsic<llvm::Intrinsic::fma>(
                                              match::m_Value(), match::m_Value(), match::m_APFloat(origin))))
    return false;
  float expected =
      0x1.8p23f + static_cast<float>(2 * kBias - static_cast<int>(rest->lshr(kExponentAt).getZExtValue()));
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
  for (llvm::Instruction& product : llvm::make_early_inc_range(llvm::instructions(function))) {
    Scaled scaled;
    if (product.getType() != type || !IsScaled(product, builder, scaled)) continue;
    product.replaceAllUsesWith(
        builder.CreateIntrinsic(llvm::Intrinsic::x86_avx512_mask_scalef_ps_512, {},
                                {scaled.y, scaled.n, llvm::Constant::getNullValue(type), builder.getInt16(-1),
                                 builder.getInt32(kCurrentRounding)}));
    product.eraseFromParent();
  }
}

}  // namespace weft::backends
