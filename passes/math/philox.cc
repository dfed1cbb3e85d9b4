#include "passes/math/philox.h"

#include <array>

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace weft::passes {
namespace {

namespace arith = mlir::arith;
using mlir::Value;

// Words of 32 bits in i64, so that a product of two has all its bits.
class Words {
 public:
  Words(mlir::OpBuilder& builder, mlir::Location loc) : b_(builder), loc_(loc), mask_(Number(0xFFFFFFFF)) {}

  Value Number(int64_t value) { return arith::ConstantIntOp::create(b_, loc_, b_.getI64Type(), value); }
  Value Low(Value x) { return arith::AndIOp::create(b_, loc_, x, mask_); }
  Value High(Value x) { return arith::ShRUIOp::create(b_, loc_, x, Number(32)); }
  Value Times(Value x, int64_t factor) { return arith::MulIOp::create(b_, loc_, x, Number(factor)); }
  Value Plus(Value x, int64_t more) { return Low(arith::AddIOp::create(b_, loc_, x, Number(more))); }
  Value Xor(Value x, Value y) { return arith::XOrIOp::create(b_, loc_, x, y); }

 private:
  mlir::OpBuilder& b_;
  mlir::Location loc_;
  Value mask_;
};

}  // namespace

Value BuildPhilox(mlir::OpBuilder& builder, ir::RandomOp random) {
  constexpr int kRounds = 10;
  constexpr int64_t kFactors[] = {0xD2511F53, 0xCD9E8D57}, kSteps[] = {0x9E3779B9, 0xBB67AE85};
  Words words(builder, random.getLoc());
  std::array<Value, 2> key = {words.Low(random.getSeed()), words.High(random.getSeed())};
  std::array<Value, 4> counter;
  for (size_t i = 0; i < counter.size(); ++i)
    counter[i] = words.Low(random.getCounters()[static_cast<unsigned>(i)]);
  for (int round = 0; round < kRounds; ++round) {
    if (round > 0)
      for (size_t i = 0; i < key.size(); ++i) key[i] = words.Plus(key[i], kSteps[i]);
    Value first = words.Times(counter[0], kFactors[0]), second = words.Times(counter[2], kFactors[1]);
    counter = {words.Xor(words.Xor(words.High(second), counter[1]), key[0]), words.Low(second),
               words.Xor(words.Xor(words.High(first), counter[3]), key[1]), words.Low(first)};
  }
  return counter[0];
}

}  // namespace weft::passes
