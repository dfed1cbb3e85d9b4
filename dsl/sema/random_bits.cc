// `bits(seed, ...)`: random numbers as a function of a seed and counters (R31).

#include "absl/strings/str_cat.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

constexpr size_t kCounters = 4;                // of one block
constexpr int64_t kOtherKey = 0x5A17C0DEDB5E;  // makes a second stream of a seed
constexpr int64_t kHalf = int64_t{1} << 32;

}  // namespace

// Counters beyond four choose a seed first: 64 bits of the generator at the four before them.
Value Elaborator::CallBits(const std::vector<Value>& values, const Arguments& args, Span span) {
  if (values.size() < 2 || !args.named.empty()) {
    Report(span, kArgumentCount, "`bits`", "a seed and at least one counter", absl::StrCat(values.size()));
    return Poison{};
  }
  auto draw = [this, span](const std::vector<Scalar>& operands) -> Scalar {
    Apply apply{Function::kRandom, {}};
    for (const Scalar& operand : operands) apply.operands.push_back(operand.expr);
    return {Make(ElementType::kI64, span, std::move(apply)), ElementType::kI64, {}, {}, {}};
  };
  auto of_scalars = [this, span, draw](const std::vector<Value>& scalars) -> Value {
    std::vector<Scalar> whole;
    for (const Value& value : scalars) {
      std::optional<Scalar> scalar = ToScalar(value, std::nullopt, span);
      if (!scalar) return Poison{};
      if (scalar->type == ElementType::kBool || scalar->type >= ElementType::kF16) {
        Report(span, kTypeMismatch, "`bits` takes whole numbers: a seed, then what it counts by");
        return Poison{};
      }
      whole.push_back(CastTo(*scalar, ElementType::kI64, span));
    }
    Scalar zero = CastTo(Literal(ElementType::kInt, 0, span), ElementType::kI64, span);
    std::vector<Scalar> block{whole[0]};
    for (size_t i = 1; i < whole.size(); ++i) {
      if (block.size() > kCounters) {
        Scalar low = draw(block);
        Scalar key = *ToScalar(Value(Size(kOtherKey)), ElementType::kI64, span);
        block[0] =
            Call2(Function::kAdd, block[0], CastTo(key, ElementType::kI64, span), ElementType::kI64, span);
        Scalar half = CastTo(*ToScalar(Value(Size(kHalf)), ElementType::kI64, span), ElementType::kI64, span);
        Scalar high = Call2(Function::kMul, draw(block), half, ElementType::kI64, span);
        block = {Call2(Function::kAdd, low, high, ElementType::kI64, span)};
      }
      block.push_back(whole[i]);
    }
    block.resize(1 + kCounters, zero);
    return draw(block);
  };
  return Elementwise(values, span, of_scalars);
}

}  // namespace weft::dsl::sema
