#ifndef WEFT_BACKENDS_HALIDE_PREFETCH_ADDENDS_H_
#define WEFT_BACKENDS_HALIDE_PREFETCH_ADDENDS_H_

#include <Halide.h>

#include <set>
#include <string>

namespace weft::backends {

// A lowering pass that asks for what results read beside their sums, of these buffers, in front of the sums:
// it arrives while they are computed, and nothing waits for it behind them.
class PrefetchAddends : public Halide::Internal::IRMutator {
 public:
  explicit PrefetchAddends(std::set<std::string> buffers) : buffers_(std::move(buffers)) {}

  using Halide::Internal::IRMutator::visit;
  Halide::Internal::Stmt visit(const Halide::Internal::Block* block) override;

 private:
  std::set<std::string> buffers_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_PREFETCH_ADDENDS_H_
