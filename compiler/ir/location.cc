#include "compiler/ir/location.h"

namespace weft::ir {

mlir::FileLineColLoc FilePlace(mlir::Location location) {
  mlir::FileLineColLoc found;
  location->walk([&](mlir::Location part) {
    found = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    return found ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  return found;
}

}  // namespace weft::ir
