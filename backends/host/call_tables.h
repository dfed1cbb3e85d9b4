#ifndef WEFT_BACKENDS_HOST_CALL_TABLES_H_
#define WEFT_BACKENDS_HOST_CALL_TABLES_H_

#include <cstdint>

#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft::backends {

// How many entries the largest call in a function needs, those in the steps that it runs too: pointers to
// buffers, and numbers. At least one each.
struct CallTables {
  int64_t buffers = 1, numbers = 1;
};
CallTables TablesOf(mlir::func::FuncOp function);

// The run-time sizes that a kernel is given: those of operands, then of results, by axis, then `index`
// operands.
int64_t ExtentCount(ir::LaunchOp launch);

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HOST_CALL_TABLES_H_
