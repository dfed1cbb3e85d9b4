#include "compiler/ir/weft_dialect.h"

#include "compiler/ir/scatter_ops.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

// Generated code needs all of the above first.
// clang-format off
#include "compiler/ir/weft_dialect.cc.inc"
#include "compiler/ir/weft_enums.cc.inc"

#define GET_OP_CLASSES
#include "compiler/ir/weft_ops.cc.inc"
#define GET_OP_CLASSES
#include "compiler/ir/scatter_ops.cc.inc"
// clang-format on

namespace weft::ir {

void WeftDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/weft_ops.cc.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/ir/scatter_ops.cc.inc"
      >();
}

}  // namespace weft::ir
