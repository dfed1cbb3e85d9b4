#ifndef WEFT_BACKENDS_SCHEDULE_JOINS_H_
#define WEFT_BACKENDS_SCHEDULE_JOINS_H_

// Which adjacent loops of a kernel can be run as one. Rows and columns of a picture that every equation reads
// at the same place make one long axis: a 1x1 convolution becomes a matrix product, a pointwise kernel one
// loop.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backends/schedule/kernel_view.h"

namespace weft::backends {

// Pairs of neighbours, each named by the first: loop `position` and the next one of an equation's domain or
// of a reduction
// (`owner`), axis `position` and the next one of a tensor.
struct Joins {
  std::set<std::pair<mlir::Operation*, int>> loops;
  std::set<std::pair<const void*, int>> axes;  // of the tensor whose value has this opaque pointer

  bool Loop(mlir::Operation* owner, int position) const { return loops.count({owner, position}) > 0; }
  bool Axis(mlir::Value tensor, int position) const {
    return axes.count({tensor.getAsOpaquePointer(), position}) > 0;
  }
};

// The largest set of pairs that can be joined in all equations at once: everywhere, the two indices stand
// side by side in the subscripts of neighbouring axes that they cover whole, and nowhere else. With `only`,
// pairs of loops outside of it are not joined.
Joins FindJoins(const KernelView& kernel, const std::set<std::pair<mlir::Operation*, int>>* only = nullptr);

// The pairs of loops of an equation that `joins` run as one; each lists loops, then the name of all.
std::set<std::pair<mlir::Operation*, int>> JoinedPairs(const EquationView& equation,
                                                       const std::vector<std::vector<std::string>>& joins);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_SCHEDULE_JOINS_H_
