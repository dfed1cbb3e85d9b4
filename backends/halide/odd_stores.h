#ifndef WEFT_BACKENDS_HALIDE_ODD_STORES_H_
#define WEFT_BACKENDS_HALIDE_ODD_STORES_H_

#include <Halide.h>

namespace weft::backends {

// A lowering pass that stores the last lane of a masked vector of an odd number of lanes by itself. Halide
// makes such vectors of interleaved ones (seven of seven lanes), cuts them into registers, and aborts where
// one lane is left.
class StoreOddLanesAlone : public Halide::Internal::IRMutator {
 public:
  using Halide::Internal::IRMutator::visit;
  Halide::Internal::Stmt visit(const Halide::Internal::Store* store) override;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_ODD_STORES_H_
